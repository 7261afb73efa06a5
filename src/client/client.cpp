#include "client/client.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/crypto.h"
#include "base/failure.h"
#include "client/exchange.h"

namespace basalt::client {
namespace {

constexpr std::size_t piece_bytes = 64 << 10;

std::string path_of(const std::string& url) { return url.starts_with("file://") ? url.substr(7) : url; }

boost::urls::url parsed(const std::string& text) {
  auto url = boost::urls::parse_uri(text);
  if (!url || (url->scheme() != "http" && url->scheme() != "https") || url->encoded_host().empty())
    throw Failure(FailureKind::BadRequest, "An address is malformed; it looks like https://host/path.");
  return boost::urls::url(*url);
}

bool is_moved(unsigned status) { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

// Where a redirection leads; the sentences name the host that sent it.
boost::urls::url moved(const boost::urls::url& from, const std::string& location) {
  auto next = boost::urls::parse_uri_reference(location);
  boost::urls::url to;
  if (!next || !boost::urls::resolve(from, *next, to) || to.encoded_host().empty()) throw Failure(FailureKind::Unavailable, "The redirection of " + shown(from) + " is malformed.");
  // Whoever asked for an encrypted answer gets no other.
  if (to.scheme() != "https" && (from.scheme() == "https" || to.scheme() != "http"))
    throw Failure(FailureKind::Unavailable, "The redirection of " + shown(from) + " leads to a place that is not encrypted.");
  return to;
}

// Asks until an answer is no redirection. `sink` gets that one only.
void follow(const Request& request, const Limits& limits, const Sink& sink) {
  auto until = std::chrono::steady_clock::now() + limits.patience;
  auto url = parsed(request.url);
  auto asked = request;
  for (int hops = 0;; ++hops) {
    std::string location;
    Sink here{[&](const Answer& answer, std::int64_t length) {
                auto to = answer.headers.find("location");
                if (request.method != "GET" || !is_moved(answer.status) || to == answer.headers.end()) return sink.begun(answer, length);
                location = to->second;
                return false;
              },
              sink.piece};
    exchange(url, asked, limits, until, here);
    if (location.empty()) return;
    if (hops == limits.most_redirects) throw Failure(FailureKind::Unavailable, shown(url) + " redirects too many times.");
    auto next = moved(url, location);
    // What identifies us is for the host that was named, and over the same protection.
    if (next.encoded_host_and_port() != url.encoded_host_and_port() || next.scheme() != url.scheme()) asked.headers.clear();
    url = next;
  }
}

class File {
 public:
  File(const std::string& path, int flags, mode_t mode = 0) : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~File() { if (descriptor_ >= 0) ::close(descriptor_); }
  File(const File&) = delete;
  bool is_open() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

// Absent: there is no such file. Gives its pieces; a folder, a pipe or a device is none.
std::optional<std::int64_t> read_file(const std::string& path, const Limits& limits, const std::function<void(std::int64_t)>& begun, const std::function<void(std::string_view)>& piece) {
  File in(path, O_RDONLY | O_NONBLOCK);
  if (!in.is_open() && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  struct stat info {};
  if (!in.is_open() || ::fstat(in.descriptor(), &info) != 0 || !S_ISREG(info.st_mode)) throw Failure(FailureKind::Unavailable, "The file " + path + " cannot be read.");
  begun(info.st_size);
  std::string buffer(piece_bytes, '\0');
  std::int64_t seen = 0;
  for (;;) {
    if (limits.stop.stop_requested()) throw Failure(FailureKind::Cancelled, "Reading " + path + " was stopped.");
    auto got = ::read(in.descriptor(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Failure(FailureKind::Unavailable, "The file " + path + " cannot be read.");
    if (got == 0) return seen;
    seen += got;
    if (seen > limits.most_bytes) throw Failure(FailureKind::TooLarge, "The file " + path + " is longer than " + std::to_string(limits.most_bytes >> 10) + " KB.");
    piece(std::string_view(buffer).substr(0, static_cast<std::size_t>(got)));
  }
}

// A file that is being written and goes again unless it is kept.
class Arriving {
 public:
  explicit Arriving(const std::filesystem::path& path) : path_(path), file_(path.string(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600) {
    if (!file_.is_open()) throw Failure(FailureKind::Unavailable, "The file " + path.string() + " cannot be made: " + std::strerror(errno) + ".");
  }
  ~Arriving() { if (!kept_) ::unlink(path_.c_str()); }
  void add(std::string_view piece) {
    hash_.add(piece);
    bytes_ += static_cast<std::int64_t>(piece.size());
    while (!piece.empty()) {
      auto wrote = ::write(file_.descriptor(), piece.data(), piece.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) throw Failure(FailureKind::Unavailable, "The file " + path_.string() + " cannot be written: " + std::strerror(errno) + ".");
      piece.remove_prefix(static_cast<std::size_t>(wrote));
    }
  }
  std::int64_t bytes() const { return bytes_; }
  Downloaded keep() {
    if (::fsync(file_.descriptor()) != 0) throw Failure(FailureKind::Unavailable, "The file " + path_.string() + " cannot be written: " + std::strerror(errno) + ".");
    kept_ = true;
    return {bytes_, hex(hash_.finish())};
  }

 private:
  std::filesystem::path path_;
  File file_;
  Sha256 hash_;
  std::int64_t bytes_ = 0;
  bool kept_ = false;
};

}  // namespace

bool is_network(const std::string& url) { return url.starts_with("http://") || url.starts_with("https://"); }

Answer fetch(const Request& request, const Limits& limits) {
  Answer out;
  auto piece = [&](std::string_view bytes) { out.body.append(bytes); };
  if (!is_network(request.url)) {
    out.status = 200;
    if (!read_file(path_of(request.url), limits, [](std::int64_t) {}, piece)) out.status = 404;
    return out;
  }
  follow(request, limits, {[&](const Answer& answer, std::int64_t) { out = answer; return true; }, piece});
  return out;
}

std::optional<std::string> fetch_text(const std::string& url, const Limits& limits) {
  auto answer = fetch({.url = url}, limits);
  if (answer.status == 200) return std::move(answer.body);
  if (answer.status == 404 || answer.status == 410) return std::nullopt;
  throw Failure(FailureKind::Unavailable, shown(parsed(url)) + " answered " + std::to_string(answer.status) + ".");
}

Answer post_json(const std::string& url, const std::string& body, const std::map<std::string, std::string>& headers, const Limits& limits) {
  return fetch({.url = url, .method = "POST", .headers = headers, .body = body}, limits);
}

Downloaded download(const std::string& url, const std::filesystem::path& path, const Limits& limits, const Told& told) {
  Arriving file(path);
  std::int64_t expected = -1;
  auto piece = [&](std::string_view bytes) {
    file.add(bytes);
    if (told) told(file.bytes(), expected);
  };
  if (!is_network(url)) {
    if (!read_file(path_of(url), limits, [&](std::int64_t bytes) { expected = bytes; }, piece)) throw Failure(FailureKind::Unavailable, "There is no file " + path_of(url) + ".");
    return file.keep();
  }
  unsigned status = 0;
  follow({.url = url}, limits, {[&](const Answer& answer, std::int64_t length) {
                                  status = answer.status;
                                  expected = length;
                                  return status == 200;
                                },
                                piece});
  if (status != 200) throw Failure(FailureKind::Unavailable, shown(parsed(url)) + " answered " + std::to_string(status) + ".");
  return file.keep();
}

std::string beside(const std::string& base, const std::string& name) {
  if (is_network(base)) {
    auto url = parsed(base);
    auto path = std::string(url.encoded_path());
    auto last = path.substr(path.rfind('/') + 1);
    // A last part with a dot is a document, any other a folder.
    if (last.find('.') != std::string::npos) path.resize(path.size() - last.size());
    else if (!last.empty() || path.empty()) path += '/';
    url.set_encoded_path(path + name);
    return std::string(url.buffer());
  }
  std::filesystem::path path = path_of(base);
  std::error_code ignored;
  bool document = path.extension() == ".json" && !std::filesystem::is_directory(path, ignored);
  return ((document ? path.parent_path() : path) / name).string();
}

}  // namespace basalt::client
