// Offsets of IANA time zones, read from the system's zoneinfo files.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace basalt {

class TimeZone {
 public:
  // The zone "Europe/Berlin", "UTC"…; nullptr when the system does not know it. Read once, kept for good; any thread.
  static const TimeZone* find(std::string_view name);

  // Seconds east of UTC at an instant (seconds since 1970).
  int offset_at(std::int64_t utc) const;
  // The same for a wall-clock time, given as if it were UTC. Where it happens twice the earlier instant counts; where it
  // never happens (clocks go forward) the offset before the jump.
  int offset_of_local(std::int64_t local) const;
  bool is_utc() const { return changes_.empty() && first_offset_ == 0; }

 private:
  struct Change { std::int64_t at; int offset; };
  int first_offset_ = 0;
  std::vector<Change> changes_;  // ascending
};

}  // namespace basalt
