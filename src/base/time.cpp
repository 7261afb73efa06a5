#include "base/time.h"

#include <charconv>
#include <cstdio>

namespace basalt {
namespace {

class SystemClock final : public Clock {
 public:
  Timestamp now() const override {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
};

// Reads exactly `count` digits at the front of `text` and drops them; absent when they are not there.
std::optional<int> digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::string to_text(Timestamp at) {
  auto day = std::chrono::floor<std::chrono::days>(at);
  std::chrono::year_month_day date{day};
  std::chrono::hh_mm_ss time{at - day};
  char buffer[64];
  auto length = std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
                              static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                              static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                              static_cast<int>(time.subseconds().count()));
  return std::string(buffer, static_cast<std::size_t>(length));
}

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  using namespace std::chrono;
  auto year_part = digits(text, 4);
  if (!year_part || !take(text, '-')) return std::nullopt;
  auto month_part = digits(text, 2);
  if (!month_part || !take(text, '-')) return std::nullopt;
  auto day_part = digits(text, 2);
  if (!day_part) return std::nullopt;
  year_month_day date{year{*year_part}, month{static_cast<unsigned>(*month_part)}, day{static_cast<unsigned>(*day_part)}};
  if (!date.ok()) return std::nullopt;
  Timestamp at = sys_days{date};
  if (text.empty()) return at;
  if (!take(text, 'T') && !take(text, ' ')) return std::nullopt;
  auto hour = digits(text, 2);
  if (!hour || *hour > 24 || !take(text, ':')) return std::nullopt;
  auto minute = digits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  int second = 0;
  std::int64_t micros = 0;
  if (take(text, ':')) {
    auto part = digits(text, 2);
    if (!part || *part > 60) return std::nullopt;
    second = *part;
    if (take(text, '.')) {
      std::int64_t scale = 100000;
      bool any = false;
      while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        micros += (text.front() - '0') * scale;
        scale /= 10;
        any = true;
        text.remove_prefix(1);
      }
      if (!any) return std::nullopt;
    }
  }
  at += hours{*hour} + minutes{*minute} + seconds{second} + microseconds{micros};
  if (text.empty() || text == "Z" || text == "z") return at;
  int sign = 0;
  if (take(text, '+')) sign = 1; else if (take(text, '-')) sign = -1; else return std::nullopt;
  auto offset_hours = digits(text, 2);
  if (!offset_hours) return std::nullopt;
  int offset_minutes = 0;
  if (!text.empty()) {
    take(text, ':');
    auto part = digits(text, 2);
    if (!part || !text.empty()) return std::nullopt;
    offset_minutes = *part;
  }
  return at - sign * (hours{*offset_hours} + minutes{offset_minutes});
}

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace basalt
