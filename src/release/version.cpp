#include "release/version.h"

#include <array>
#include <charconv>
#include <string>

namespace basalt::release {
namespace {

struct Version {
  std::array<std::int64_t, 3> parts{};
  std::string before;  // "rc1" of "1.2.0-rc1"
};

std::optional<Version> version_of(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  Version out;
  if (auto build = text.find('+'); build != std::string_view::npos) text = text.substr(0, build);
  if (auto dash = text.find('-'); dash != std::string_view::npos) {
    out.before = std::string(text.substr(dash + 1));
    text = text.substr(0, dash);
  }
  std::size_t index = 0;
  auto *at = text.data(), *end = text.data() + text.size();
  if (at == end) return std::nullopt;
  for (;;) {
    if (index == 3 || *at == '-') return std::nullopt;
    auto read = std::from_chars(at, end, out.parts[index++]);
    if (read.ec != std::errc()) return std::nullopt;
    at = read.ptr;
    if (at == end) return out;
    if (*at++ != '.' || at == end) return std::nullopt;
  }
}

// "rc10" after "rc9": runs of digits by value, all else by letter.
int compare_before(std::string_view a, std::string_view b) {
  auto digit = [](char c) { return c >= '0' && c <= '9'; };
  while (!a.empty() && !b.empty()) {
    if (digit(a[0]) && digit(b[0])) {
      auto run = [&](std::string_view& text) {
        while (text.size() > 1 && text[0] == '0' && digit(text[1])) text.remove_prefix(1);
        std::size_t n = 0;
        while (n < text.size() && digit(text[n])) ++n;
        auto out = text.substr(0, n);
        text.remove_prefix(n);
        return out;
      };
      auto x = run(a), y = run(b);
      if (x.size() != y.size()) return x.size() < y.size() ? -1 : 1;
      if (x != y) return x < y ? -1 : 1;
      continue;
    }
    if (a[0] != b[0]) return a[0] < b[0] ? -1 : 1;
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  return a.empty() && b.empty() ? 0 : a.empty() ? -1 : 1;
}

}  // namespace

std::optional<int> compare_versions(std::string_view a, std::string_view b) {
  auto x = version_of(a), y = version_of(b);
  if (!x || !y) return std::nullopt;
  if (x->parts != y->parts) return x->parts < y->parts ? -1 : 1;
  if (x->before.empty() || y->before.empty()) return x->before.empty() == y->before.empty() ? 0 : x->before.empty() ? 1 : -1;
  return compare_before(x->before, y->before);
}

bool is_newer(std::string_view a, std::string_view b) { return compare_versions(a, b) == 1; }

bool is_version(std::string_view text) { return version_of(text).has_value(); }

const char* this_platform() {
#if defined(__aarch64__)
  return "linux-arm64";
#else
  return "linux-x64";
#endif
}

}  // namespace basalt::release
