#include "startup/web_app.h"

#include <zlib.h>

#ifdef BASALT_HAS_WEB
#include "assets.h"
#endif

namespace basalt::startup {
namespace {

struct PackedFile {
  std::string_view path, type, tag;
  const unsigned char* brotli;
  std::size_t brotli_size;
  const unsigned char* gzip;
  std::size_t gzip_size, size;
};

#ifdef BASALT_HAS_WEB
const PackedFile files[] = {BASALT_WEB_ALL};
#else
const PackedFile files[] = {{"", "", "", nullptr, 0, nullptr, 0, 0}};
#endif

const PackedFile* find(std::string_view path) {
  for (auto& file : files) if (!file.path.empty() && file.path == path) return &file;
  return nullptr;
}

std::string unpacked(const PackedFile& file) {
  std::string out(file.size, '\0');
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) throw Failure(FailureKind::Bug, "A file of the web app cannot be unpacked.");
  stream.next_in = const_cast<unsigned char*>(file.gzip);
  stream.avail_in = static_cast<uInt>(file.gzip_size);
  stream.next_out = reinterpret_cast<unsigned char*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  int result = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  if (result != Z_STREAM_END) throw Failure(FailureKind::Bug, "A file of the web app cannot be unpacked.");
  return out;
}

http::Response answer(const http::Request& request, const PackedFile& file) {
  http::Response response;
  std::string tag = "\"" + std::string(file.tag) + "\"";
  response.headers = {{"Content-Type", std::string(file.type)}, {"ETag", tag}, {"Vary", "Accept-Encoding"},
                      {"Cache-Control", file.path.starts_with("/assets/") ? "public, max-age=31536000, immutable" : "no-cache"}};
  if (file.type.starts_with("text/html"))
    response.headers.emplace_back("Content-Security-Policy", "default-src 'self'; img-src 'self' data: blob: https:; style-src 'self' 'unsafe-inline'; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; frame-ancestors 'self'; base-uri 'self'; form-action 'self'");
  if (request.header("if-none-match") == tag) {
    response.status = 304;
    return response;
  }
  auto accepted = request.header("accept-encoding").value_or("");
  if (accepted.find("br") != std::string_view::npos) {
    response.headers.emplace_back("Content-Encoding", "br");
    response.body.assign(reinterpret_cast<const char*>(file.brotli), file.brotli_size);
  } else if (accepted.find("gzip") != std::string_view::npos) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.body.assign(reinterpret_cast<const char*>(file.gzip), file.gzip_size);
  } else {
    response.body = unpacked(file);
  }
  return response;
}

}  // namespace

bool has_web_app() { return find("/index.html") != nullptr; }

http::Response web_app_answer(const http::Request& request) {
  if (request.method != http::Method::Get && request.method != http::Method::Head) return http::Response::text("Not found.", 404);
  if (auto* file = find(request.path)) return answer(request, *file);
  // A missing file is missing; any other address belongs to the app, which shows its own page for the unknown ones.
  if (request.path.starts_with("/assets/")) return http::Response::text("Not found.", 404);
  if (auto* page = find("/index.html")) return answer(request, *page);
  return http::Response::html("<!doctype html><html lang=en><title>Basalt</title><p>This Basalt was built without its web app. The API is at <a href=/api/docs>/api/docs</a>.</p></html>");
}

std::string startup_page() {
  auto* file = find("/startup.html");
  return file ? unpacked(*file) : std::string();
}

}  // namespace basalt::startup
