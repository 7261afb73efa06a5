// Calendar arithmetic on wall-clock times, and time zones: what relative dates, temporal literals and buckets are made from.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "query/temporal_unit.h"

namespace basalt::query {

// A wall-clock time, written as if it were UTC.
using Wall = std::chrono::sys_time<std::chrono::microseconds>;

// A temporal literal as people and clients write it.
struct Moment {
  enum class Kind { Date, DateTime, Time } kind = Kind::Date;
  Wall wall{};                                   // Time: on 1970-01-01
  std::optional<std::chrono::seconds> offset;    // written with "Z", "+02:00" or "[Europe/Berlin]"
  bool whole_day = false;                        // exactly yyyy-MM-dd
};

// yyyy, yyyy-MM, yyyy-MM-dd, yyyy-MM-ddTHH:mm[:ss[.SSS]] (or a blank for T) with optional Z, offset or [zone]; HH:mm[:ss[.SSS]].
std::optional<Moment> parse_moment(std::string_view text);

std::string date_text(Wall wall);                // "2024-05-17"
std::string date_time_text(Wall wall);           // "2024-05-17 08:30:00", with ".SSS" or ".SSSSSS" when it is not zero
std::string time_text(Wall wall);                // "08:30:00"

// `first_day`: 0 for weeks from Monday … 6 for weeks from Sunday.
Wall truncate(Wall wall, TemporalUnit unit, int first_day);
// Months and years keep the day where it exists, else the month's last.
Wall add(Wall wall, std::int64_t n, TemporalUnit unit);
std::int64_t extract(Wall wall, TemporalUnit unit, int first_day);
// "sunday" -> 6, "monday" -> 0; unknown: Sunday.
int first_day_of_week(std::string_view name);

// A time zone of the system's database (/usr/share/zoneinfo). Kept for the life of the process; any thread.
class Zone {
 public:
  // nullptr: no such zone. "" and "UTC" are UTC.
  static const Zone* find(std::string_view name);
  virtual ~Zone() = default;
  virtual std::chrono::seconds offset_at(Timestamp instant) const = 0;
  Wall wall(Timestamp instant) const { return instant + offset_at(instant); }
  // The instant at which clocks show `wall`; in a gap or overlap the earlier offset counts.
  Timestamp instant(Wall wall) const;
};

}  // namespace basalt::query
