#include "query/moments.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace basalt::query {
namespace {
using namespace std::chrono;

std::optional<int> take_digits(std::string_view& text, std::size_t count) {
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

// HH:mm[:ss[.fraction]]
std::optional<microseconds> take_clock(std::string_view& text) {
  auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  auto minute = take_digits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  microseconds time = hours(*hour) + minutes(*minute);
  if (take(text, ':')) {
    auto second = take_digits(text, 2);
    if (!second || *second > 59) return std::nullopt;
    time += seconds(*second);
    if (take(text, '.') || take(text, ',')) {
      std::int64_t scale = 100'000, micros = 0;
      bool any = false;
      while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        micros += (text.front() - '0') * scale;
        scale /= 10;
        text.remove_prefix(1);
        any = true;
      }
      if (!any) return std::nullopt;
      time += microseconds(micros);
    }
  }
  return time;
}

bool take_offset(std::string_view& text, std::optional<seconds>& offset, Wall wall) {
  if (text.empty()) return true;
  if (text == "Z" || text == "z") {
    offset = seconds(0);
    return true;
  }
  auto zone_start = text.find('[');
  std::string_view zone;
  if (zone_start != std::string_view::npos) {
    if (text.back() != ']') return false;
    zone = text.substr(zone_start + 1, text.size() - zone_start - 2);
    text = text.substr(0, zone_start);
  }
  if (text.empty() || text == "Z") {
    auto* found = Zone::find(zone);
    if (!found) return false;
    offset = text == "Z" ? seconds(0) : duration_cast<seconds>(wall - found->instant(wall));
    return true;
  }
  int sign = 0;
  if (take(text, '+')) sign = 1;
  else if (take(text, '-')) sign = -1;
  else return false;
  auto hour = take_digits(text, 2);
  if (!hour || *hour > 18) return false;
  int minute = 0;
  if (!text.empty()) {
    take(text, ':');
    auto read = take_digits(text, 2);
    if (!read || *read > 59 || !text.empty()) return false;
    minute = *read;
  }
  offset = sign * (hours(*hour) + minutes(minute));
  return true;
}

}  // namespace

std::optional<Moment> parse_moment(std::string_view text) {
  Moment moment;
  std::string_view rest = text;
  if (text.size() >= 5 && text[2] == ':') {
    auto clock = take_clock(rest);
    if (!clock) return std::nullopt;
    moment.kind = Moment::Kind::Time;
    moment.wall = Wall(*clock);
    return take_offset(rest, moment.offset, moment.wall) ? std::optional(moment) : std::nullopt;
  }
  auto y = take_digits(rest, 4);
  if (!y) return std::nullopt;
  int m = 1, d = 1;
  if (take(rest, '-')) {
    auto month_part = take_digits(rest, 2);
    if (!month_part) return std::nullopt;
    m = *month_part;
    if (take(rest, '-')) {
      auto day_part = take_digits(rest, 2);
      if (!day_part) return std::nullopt;
      d = *day_part;
      moment.whole_day = rest.empty();
    } else if (!rest.empty()) {
      return std::nullopt;
    }
  } else if (!rest.empty()) {
    return std::nullopt;
  }
  year_month_day date{year(*y), month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d))};
  if (!date.ok()) return std::nullopt;
  moment.wall = sys_days(date);
  if (rest.empty()) return moment;
  if (!take(rest, 'T') && !take(rest, ' ') && !take(rest, 't')) return std::nullopt;
  auto clock = take_clock(rest);
  if (!clock) return std::nullopt;
  moment.kind = Moment::Kind::DateTime;
  moment.wall += *clock;
  return take_offset(rest, moment.offset, moment.wall) ? std::optional(moment) : std::nullopt;
}

std::string date_text(Wall wall) {
  year_month_day date{floor<days>(wall)};
  char buffer[32];
  auto n = std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return std::string(buffer, static_cast<std::size_t>(n));
}

std::string time_text(Wall wall) {
  hh_mm_ss time{wall - floor<days>(wall)};
  char buffer[32];
  auto micros = static_cast<int>(time.subseconds().count());
  auto n = std::snprintf(buffer, sizeof buffer, "%02d:%02d:%02d", static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()));
  if (micros) n += micros % 1000 ? std::snprintf(buffer + n, sizeof buffer - static_cast<std::size_t>(n), ".%06d", micros)
                                 : std::snprintf(buffer + n, sizeof buffer - static_cast<std::size_t>(n), ".%03d", micros / 1000);
  return std::string(buffer, static_cast<std::size_t>(n));
}

std::string date_time_text(Wall wall) { return date_text(wall) + " " + time_text(wall); }

Wall truncate(Wall wall, TemporalUnit unit, int first_day) {
  using U = TemporalUnit;
  auto date = floor<days>(wall);
  year_month_day ymd{date};
  switch (unit) {
    case U::Millisecond: return floor<milliseconds>(wall);
    case U::Second: return floor<seconds>(wall);
    case U::Minute: return floor<minutes>(wall);
    case U::Hour: return floor<hours>(wall);
    case U::Day: return date;
    case U::Week: {
      int from_monday = static_cast<int>(weekday(date).iso_encoding()) - 1;
      return date - days((from_monday - first_day + 7) % 7);
    }
    case U::Month: return sys_days(ymd.year() / ymd.month() / 1);
    case U::Quarter: return sys_days(ymd.year() / month((static_cast<unsigned>(ymd.month()) - 1) / 3 * 3 + 1) / 1);
    case U::Year: return sys_days(ymd.year() / 1 / 1);
    default: return wall;
  }
}

Wall add(Wall wall, std::int64_t n, TemporalUnit unit) {
  using U = TemporalUnit;
  // Far outside every calendar an engine knows: stay inside it, so that nothing overflows.
  constexpr std::int64_t most_years = 5000;
  auto clamp = [&](std::int64_t per_year) { return std::clamp(n, -most_years * per_year, most_years * per_year); };
  switch (unit) {
    case U::Millisecond: return wall + milliseconds(n);
    case U::Second: return wall + seconds(n);
    case U::Minute: return wall + minutes(clamp(525'600));
    case U::Hour: return wall + hours(clamp(8'760));
    case U::Day: return wall + days(clamp(365));
    case U::Week: return wall + days(7 * clamp(52));
    case U::Month:
    case U::Quarter:
    case U::Year: {
      auto date = floor<days>(wall);
      year_month_day ymd{date};
      std::int64_t per = unit == U::Month ? 1 : unit == U::Quarter ? 3 : 12;
      auto shifted = ymd + months(clamp(12 / per) * per);
      if (!shifted.ok()) shifted = shifted.year() / shifted.month() / last;
      return sys_days(shifted) + (wall - date);
    }
    default: return wall;
  }
}

std::int64_t extract(Wall wall, TemporalUnit unit, int first_day) {
  using U = TemporalUnit;
  auto date = floor<days>(wall);
  year_month_day ymd{date};
  hh_mm_ss time{wall - date};
  auto day_of_year = [](sys_days d) {
    year_month_day at{d};
    return (d - sys_days(at.year() / 1 / 1)).count() + 1;
  };
  switch (unit) {
    case U::SecondOfMinute: return time.seconds().count();
    case U::MinuteOfHour: return time.minutes().count();
    case U::HourOfDay: return time.hours().count();
    case U::DayOfWeek: return (static_cast<int>(weekday(date).iso_encoding()) - 1 - first_day + 7) % 7 + 1;
    case U::DayOfWeekIso: return weekday(date).iso_encoding();
    case U::DayOfMonth: return static_cast<unsigned>(ymd.day());
    case U::DayOfYear: return day_of_year(date);
    case U::WeekOfYear: return (day_of_year(floor<days>(truncate(date, U::Week, first_day))) + 6) / 7;
    case U::WeekOfYearIso: {
      auto thursday = floor<days>(truncate(date, U::Week, 0)) + days(3);
      return (day_of_year(thursday) + 6) / 7;
    }
    case U::WeekOfYearUs:
    case U::WeekOfYearInstance: {
      int first = unit == U::WeekOfYearUs ? 6 : first_day;
      auto january = sys_days(ymd.year() / 1 / 1);
      auto first_week = floor<days>(truncate(january, U::Week, first));
      return (date - first_week).count() / 7 + 1;
    }
    case U::MonthOfYear: return static_cast<unsigned>(ymd.month());
    case U::QuarterOfYear: return (static_cast<unsigned>(ymd.month()) - 1) / 3 + 1;
    case U::YearOfEra: return static_cast<int>(ymd.year());
    default: return 0;
  }
}

int first_day_of_week(std::string_view name) {
  constexpr std::string_view names[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
  for (int i = 0; i < 7; ++i)
    if (names[i] == name) return i;
  return 6;
}

// ---- zones

namespace {

class FixedZone final : public Zone {
 public:
  explicit FixedZone(seconds offset) : offset_(offset) {}
  seconds offset_at(Timestamp) const override { return offset_; }

 private:
  seconds offset_;
};

// A TZif file, version 2 or later (RFC 8536): moments of change in UTC and the offset from each on.
class TableZone final : public Zone {
 public:
  static std::unique_ptr<TableZone> read(const std::string& data) {
    auto zone = std::make_unique<TableZone>();
    std::size_t at = 0;
    if (!zone->header(data, at) ) return nullptr;
    auto skip = [&](int width) {
      at += zone->times_ * static_cast<std::size_t>(width) + zone->times_ + zone->types_ * 6 + zone->chars_ + zone->leaps_ * static_cast<std::size_t>(width + 4) + zone->standard_ + zone->universal_;
    };
    skip(4);
    if (!zone->header(data, at)) return nullptr;
    std::size_t needed = zone->times_ * 9 + zone->types_ * 6;
    if (zone->types_ == 0 || at + needed > data.size()) return nullptr;
    for (std::size_t i = 0; i < zone->times_; ++i) zone->changes_.push_back({number(data, at + i * 8, 8), 0});
    at += zone->times_ * 8;
    std::vector<std::size_t> which(zone->times_);
    for (std::size_t i = 0; i < zone->times_; ++i) which[i] = static_cast<unsigned char>(data[at + i]);
    at += zone->times_;
    std::vector<std::int64_t> offsets;
    for (std::size_t i = 0; i < zone->types_; ++i) offsets.push_back(static_cast<std::int32_t>(number(data, at + i * 6, 4)));
    for (std::size_t i = 0; i < which.size(); ++i) {
      if (which[i] >= offsets.size()) return nullptr;
      zone->changes_[i].second = offsets[which[i]];
    }
    zone->first_ = offsets[0];
    return zone;
  }

  seconds offset_at(Timestamp instant) const override {
    auto t = floor<seconds>(instant).time_since_epoch().count();
    // The table ends in 2037; the rules of its last 400-day stretch go on, so look a whole number of Gregorian 28-year cycles back.
    constexpr std::int64_t cycle = 28 * 365.25 * 86'400, end = 2'114'380'800;
    if (t > end && !changes_.empty() && changes_.back().first > end - 4 * 31'557'600) t -= (t - end + cycle - 1) / cycle * cycle;
    auto after = std::upper_bound(changes_.begin(), changes_.end(), t, [](std::int64_t v, const auto& change) { return v < change.first; });
    return seconds(after == changes_.begin() ? first_ : std::prev(after)->second);
  }

 private:
  static std::int64_t number(const std::string& data, std::size_t at, int width) {
    std::uint64_t value = 0;
    for (int i = 0; i < width; ++i) value = value << 8 | static_cast<unsigned char>(data[at + static_cast<std::size_t>(i)]);
    return static_cast<std::int64_t>(value);
  }
  bool header(const std::string& data, std::size_t& at) {
    if (at + 44 > data.size() || data.compare(at, 4, "TZif") != 0 || data[at + 4] < '2') return false;
    auto count = [&](int i) { return static_cast<std::size_t>(number(data, at + 20 + static_cast<std::size_t>(i) * 4, 4)); };
    universal_ = count(0); standard_ = count(1); leaps_ = count(2); times_ = count(3); types_ = count(4); chars_ = count(5);
    at += 44;
    return times_ < 10'000 && types_ < 256 && chars_ < 10'000 && leaps_ < 1'000;
  }

  std::vector<std::pair<std::int64_t, std::int64_t>> changes_;
  std::int64_t first_ = 0;
  std::size_t universal_ = 0, standard_ = 0, leaps_ = 0, times_ = 0, types_ = 0, chars_ = 0;
};

bool plausible_zone_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || name.front() == '/' || name.find("..") != std::string_view::npos) return false;
  for (char c : name)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '+' || c == '/')) return false;
  return true;
}

}  // namespace

const Zone* Zone::find(std::string_view name) {
  static const FixedZone utc{seconds(0)};
  if (name.empty() || name == "UTC" || name == "Z" || name == "GMT" || name == "Etc/UTC") return &utc;
  if (!plausible_zone_name(name)) return nullptr;
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<Zone>, std::less<>> zones;  // guarded by mutex; entries live as long as the process
  std::lock_guard lock(mutex);
  if (auto known = zones.find(name); known != zones.end()) return known->second.get();
  std::ifstream file("/usr/share/zoneinfo/" + std::string(name), std::ios::binary);
  if (!file) return nullptr;
  std::string data(200'000, '\0');
  file.read(data.data(), static_cast<std::streamsize>(data.size()));
  data.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  auto zone = TableZone::read(data);
  if (!zone) return nullptr;
  return zones.emplace(std::string(name), std::move(zone)).first->second.get();
}

Timestamp Zone::instant(Wall wall) const {
  // The offset a day before cannot be affected by a change that happens at this wall time.
  auto before = offset_at(wall - hours(24)), after = offset_at(wall + hours(24));
  if (before == after) return wall - before;
  Timestamp with_before = wall - before;
  if (offset_at(with_before) == before) return with_before;
  return wall - after == wall - offset_at(wall - after) ? wall - after : with_before;
}

}  // namespace basalt::query
