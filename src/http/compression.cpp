#include "http/compression.h"

#include <zlib.h>

#include <new>

namespace basalt::http {

bool accepts_gzip(std::string_view text) {
  while (!text.empty()) {
    auto comma = text.find(',');
    auto piece = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    while (!piece.empty() && piece.front() == ' ') piece.remove_prefix(1);
    auto semicolon = piece.find(';');
    auto name = piece.substr(0, semicolon);
    while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
    if (name != "gzip" && name != "*") continue;
    if (semicolon == std::string_view::npos) return true;
    auto quality = piece.substr(semicolon + 1);
    auto value = quality.find("q=");
    if (value == std::string_view::npos) return true;
    return quality.substr(value + 2).find_first_of("123456789") != std::string_view::npos;  // "0", "0.0": refused
  }
  return false;
}

bool is_compressible(std::string_view type) {
  type = type.substr(0, type.find(';'));
  if (type == "text/csv") return false;
  return type.starts_with("text/") || type == "application/json" || type == "application/javascript" || type == "image/svg+xml" ||
         type == "application/manifest+json";
}

struct Gzip::State { z_stream stream{}; };

Gzip::Gzip(int level) : state_(std::make_unique<State>()) {
  // 15 + 16: gzip framing. Memory level 7 keeps a stream at about 140 kB.
  if (deflateInit2(&state_->stream, level, Z_DEFLATED, 15 + 16, 7, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc();
}

Gzip::~Gzip() { deflateEnd(&state_->stream); }

void Gzip::add(std::string_view bytes, Flush flush, std::string& out) {
  auto& stream = state_->stream;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  int mode = flush == Flush::End ? Z_FINISH : flush == Flush::Sync ? Z_SYNC_FLUSH : Z_NO_FLUSH;
  for (;;) {
    std::size_t before = out.size(), room = std::max<std::size_t>(bytes.size() / 3 + 256, 4096);
    out.resize(before + room);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(room);
    int result = deflate(&stream, mode);
    out.resize(before + room - stream.avail_out);
    bool more = flush == Flush::End ? result != Z_STREAM_END : stream.avail_out == 0;
    if (!more) return;
  }
}

std::string gzipped(std::string_view bytes, int level) {
  std::string out;
  Gzip(level).add(bytes, Gzip::Flush::End, out);
  return out;
}

}  // namespace basalt::http
