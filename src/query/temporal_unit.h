// Units of time. Truncating units give the start of the period, extracting ones a number.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace basalt::query {

enum class TemporalUnit : std::uint8_t {
  Default,  // no bucketing, on purpose
  Millisecond, Second, Minute, Hour, Day, Week, Month, Quarter, Year,
  SecondOfMinute, MinuteOfHour, HourOfDay, DayOfWeek, DayOfWeekIso, DayOfMonth, DayOfYear,
  WeekOfYear,          // the bucketing unit: number of the week by the day-of-year of its first day
  WeekOfYearIso, WeekOfYearUs, WeekOfYearInstance,
  MonthOfYear, QuarterOfYear, YearOfEra,
};

// API spelling, e.g. "month-of-year". Absent when there is no such unit.
std::optional<TemporalUnit> temporal_unit(std::string_view name);
std::string_view name_of(TemporalUnit unit);
// As shown to people: "Month", "Day of week".
std::string_view title_of(TemporalUnit unit);
bool is_truncating(TemporalUnit unit);
bool is_extracting(TemporalUnit unit);

}  // namespace basalt::query
