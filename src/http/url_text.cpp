#include "http/url_text.h"

namespace basalt::http {
namespace {

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Form fields and query values may hold line breaks and tabs; NUL never.
std::optional<std::string> decode(std::string_view text, Plus plus, bool controls_allowed) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus == Plus::Space) c = ' ';
    else if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      int high = digit(text[i + 1]), low = digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    unsigned char byte = static_cast<unsigned char>(c);
    if (byte == 0 || (!controls_allowed && (byte < 0x20 || byte == 0x7f))) return std::nullopt;
    out += c;
  }
  return out;
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text, Plus plus) { return decode(text, plus, false); }

std::string percent_encoded(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    unsigned char byte = static_cast<unsigned char>(c);
    bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || c == '-' || c == '_' ||
                 c == '.' || c == '~';
    if (plain) out += c;
    else { out += '%'; out += digits[byte >> 4]; out += digits[byte & 15]; }
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> parse_query_text(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!text.empty()) {
    auto end = text.find('&');
    auto piece = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (piece.empty()) continue;
    auto equals = piece.find('=');
    auto name = piece.substr(0, equals);
    auto value = equals == std::string_view::npos ? std::string_view() : piece.substr(equals + 1);
    auto decoded = [](std::string_view part) { return decode(part, Plus::Space, true).value_or(std::string(part)); };
    pairs.emplace_back(decoded(name), decoded(value));
  }
  return pairs;
}

}  // namespace basalt::http
