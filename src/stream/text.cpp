#include "stream/text.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <cstdint>

#include "base/json.h"

namespace basalt::stream {
namespace {

// How many bytes at the start need no care in a JSON string: ASCII without control characters, quotes and backslashes.
std::size_t plain_json(std::string_view text) {
  std::size_t at = 0;
#if defined(__SSE2__)
  for (; at + 16 <= text.size(); at += 16) {
    auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    // Signed comparison: bytes from 0x80 on are negative, so one test finds them and the control characters.
    auto care = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)),
                             _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
    if (int mask = _mm_movemask_epi8(care)) return at + static_cast<std::size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
  }
#endif
  for (; at < text.size(); ++at) {
    auto c = static_cast<signed char>(text[at]);
    if (c < 0x20 || c == '"' || c == '\\') break;
  }
  return at;
}

struct CsvNeeds { bool quotes = false, check = false; };

CsvNeeds csv_needs(std::string_view text) {
  CsvNeeds needs;
  std::size_t at = 0;
#if defined(__SSE2__)
  int special = 0, high = 0;
  for (; at + 16 <= text.size(); at += 16) {
    auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    auto found = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(','))),
                              _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r'))));
    special |= _mm_movemask_epi8(found);
    high |= _mm_movemask_epi8(bytes);
  }
  needs = {special != 0, high != 0};
#endif
  for (; at < text.size(); ++at) {
    char c = text[at];
    needs.quotes |= c == '"' || c == ',' || c == '\n' || c == '\r';
    needs.check |= static_cast<signed char>(c) < 0;
  }
  return needs;
}

// Length of the UTF-8 sequence at `at`, 0 when there is none (Unicode 15, table 3-7).
std::size_t sequence_length(std::string_view text, std::size_t at) {
  auto byte = [&](std::size_t i) { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u; };
  auto continues = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) { return byte(i) >= low && byte(i) <= high; };
  unsigned c = byte(0);
  if (c < 0x80) return 1;
  if (c >= 0xC2 && c <= 0xDF) return continues(1) ? 2 : 0;
  if (c >= 0xE0 && c <= 0xEF) return continues(1, c == 0xE0 ? 0xA0 : 0x80, c == 0xED ? 0x9F : 0xBF) && continues(2) ? 3 : 0;
  if (c >= 0xF0 && c <= 0xF4) return continues(1, c == 0xF0 ? 0x90 : 0x80, c == 0xF4 ? 0x8F : 0xBF) && continues(2) && continues(3) ? 4 : 0;
  return 0;
}

}  // namespace

void append_json_text(std::string& out, std::string_view text) {
  if (plain_json(text) == text.size()) {
    out += '"';
    out.append(text);
    out += '"';
  } else {
    json::write_string(out, text);
  }
}

void append_csv_text(std::string& out, std::string_view text) {
  auto needs = csv_needs(text);
  if (!needs.quotes && !needs.check) {
    out.append(text);
    return;
  }
  if (needs.quotes) out += '"';
  for (std::size_t at = 0; at < text.size();) {
    auto length = sequence_length(text, at);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      ++at;
      continue;
    }
    if (text[at] == '"') out += '"';
    out.append(text, at, length);
    at += length;
  }
  if (needs.quotes) out += '"';
}

}  // namespace basalt::stream
