#include "query/temporal_unit.h"

#include <iterator>

namespace basalt::query {
namespace {

struct UnitInfo { TemporalUnit unit; std::string_view name, title; };
using U = TemporalUnit;
constexpr UnitInfo units[] = {
    {U::Default, "default", ""},
    {U::Millisecond, "millisecond", "Millisecond"},
    {U::Second, "second", "Second"},
    {U::Minute, "minute", "Minute"},
    {U::Hour, "hour", "Hour"},
    {U::Day, "day", "Day"},
    {U::Week, "week", "Week"},
    {U::Month, "month", "Month"},
    {U::Quarter, "quarter", "Quarter"},
    {U::Year, "year", "Year"},
    {U::SecondOfMinute, "second-of-minute", "Second of minute"},
    {U::MinuteOfHour, "minute-of-hour", "Minute of hour"},
    {U::HourOfDay, "hour-of-day", "Hour of day"},
    {U::DayOfWeek, "day-of-week", "Day of week"},
    {U::DayOfWeekIso, "day-of-week-iso", "Day of week"},
    {U::DayOfMonth, "day-of-month", "Day of month"},
    {U::DayOfYear, "day-of-year", "Day of year"},
    {U::WeekOfYear, "week-of-year", "Week of year"},
    {U::WeekOfYearIso, "week-of-year-iso", "Week of year"},
    {U::WeekOfYearUs, "week-of-year-us", "Week of year"},
    {U::WeekOfYearInstance, "week-of-year-instance", "Week of year"},
    {U::MonthOfYear, "month-of-year", "Month of year"},
    {U::QuarterOfYear, "quarter-of-year", "Quarter of year"},
    {U::YearOfEra, "year-of-era", "Year of era"},
};
constexpr bool in_enum_order() {
  for (std::size_t i = 0; i < std::size(units); ++i)
    if (static_cast<std::size_t>(units[i].unit) != i) return false;
  return std::size(units) == static_cast<std::size_t>(U::YearOfEra) + 1;
}
static_assert(in_enum_order());

}  // namespace

std::optional<TemporalUnit> temporal_unit(std::string_view name) {
  for (auto& row : units)
    if (row.name == name) return row.unit;
  return std::nullopt;
}
std::string_view name_of(TemporalUnit unit) { return units[static_cast<std::size_t>(unit)].name; }
std::string_view title_of(TemporalUnit unit) { return units[static_cast<std::size_t>(unit)].title; }
bool is_truncating(TemporalUnit unit) { return unit >= U::Millisecond && unit <= U::Year; }
bool is_extracting(TemporalUnit unit) { return unit >= U::SecondOfMinute; }

}  // namespace basalt::query
