#include "sql/dialects/ansi.h"

namespace basalt::sql {

Ansi::Ansi() {
  using F = query::Function;
  using U = query::TemporalUnit;
  functions = {
      {F::Sum, "SUM({0})"},
      {F::Average, "AVG({0})"},
      {F::Min, "MIN({0})"},
      {F::Max, "MAX({0})"},
      {F::Distinct, "COUNT(DISTINCT {0})"},
      {F::StandardDeviation, "STDDEV_POP({0})"},
      {F::Variance, "VAR_POP({0})"},
      {F::Abs, "ABS({0})"},
      {F::Ceil, "CEIL({0})"},
      {F::Floor, "FLOOR({0})"},
      {F::Round, "ROUND({0})"},
      {F::Sqrt, "SQRT({0})"},
      {F::Exp, "EXP({0})"},
      {F::Power, "POWER({0}, {1})"},
      {F::Log, "LOG10({0})"},
      {F::ToInteger, "CAST(ROUND(CAST({0} AS DOUBLE PRECISION)) AS BIGINT)"},
      {F::ToFloat, "CAST({0} AS DOUBLE PRECISION)"},
      {F::Concat, "CONCAT({*})"},
      {F::Substring, "SUBSTRING({*})"},
      {F::Replace, "REPLACE({*})"},
      {F::Trim, "TRIM({0})"},
      {F::LTrim, "LTRIM({0})"},
      {F::RTrim, "RTRIM({0})"},
      {F::Upper, "UPPER({0})"},
      {F::Lower, "LOWER({0})"},
      {F::Length, "LENGTH({0})"},
      {F::ToText, "CAST({0} AS TEXT)"},
      {F::Coalesce, "COALESCE({*})"},
      {F::MonthName, "CASE {0} WHEN 1 THEN 'Jan' WHEN 2 THEN 'Feb' WHEN 3 THEN 'Mar' WHEN 4 THEN 'Apr' WHEN 5 THEN 'May' WHEN 6 THEN 'Jun' "
                     "WHEN 7 THEN 'Jul' WHEN 8 THEN 'Aug' WHEN 9 THEN 'Sep' WHEN 10 THEN 'Oct' WHEN 11 THEN 'Nov' WHEN 12 THEN 'Dec' END"},
      {F::QuarterName, "CASE {0} WHEN 1 THEN 'Q1' WHEN 2 THEN 'Q2' WHEN 3 THEN 'Q3' WHEN 4 THEN 'Q4' END"},
      {F::ToDate, "CAST({0} AS DATE)"},
  };
  for (auto [unit, word] : {std::pair{U::Millisecond, "millisecond"}, {U::Second, "second"}, {U::Minute, "minute"}, {U::Hour, "hour"},
                            {U::Day, "day"}, {U::Month, "month"}, {U::Quarter, "quarter"}, {U::Year, "year"}}) {
    truncate[unit] = std::string("DATE_TRUNC('") + word + "', {0})";
    truncate_date[unit] = std::string("CAST(DATE_TRUNC('") + word + "', {0}) AS DATE)";
    truncate_time[unit] = std::string("CAST(DATE_TRUNC('") + word + "', {0}) AS TIME)";
  }
  truncate[U::Week] = "DATE_TRUNC('week', {0} + INTERVAL '{back} day') - INTERVAL '{back} day'";
  truncate_date[U::Week] = "CAST(DATE_TRUNC('week', {0} + INTERVAL '{back} day') - INTERVAL '{back} day' AS DATE)";
  week_from_monday = "DATE_TRUNC('week', {0})";
  week_from_monday_date = "CAST(DATE_TRUNC('week', {0}) AS DATE)";
  extract = {
      {U::SecondOfMinute, "CAST(FLOOR(EXTRACT(SECOND FROM {0})) AS INTEGER)"},
      {U::MinuteOfHour, "CAST(EXTRACT(MINUTE FROM {0}) AS INTEGER)"},
      {U::HourOfDay, "CAST(EXTRACT(HOUR FROM {0}) AS INTEGER)"},
      {U::DayOfWeek, "(CAST(EXTRACT(ISODOW FROM {0}) AS INTEGER) + {days}) % 7 + 1"},
      {U::DayOfWeekIso, "CAST(EXTRACT(ISODOW FROM {0}) AS INTEGER)"},
      {U::DayOfMonth, "CAST(EXTRACT(DAY FROM {0}) AS INTEGER)"},
      {U::DayOfYear, "CAST(EXTRACT(DOY FROM {0}) AS INTEGER)"},
      {U::WeekOfYear, "CAST(CEIL(EXTRACT(DOY FROM {week}) / 7.0) AS INTEGER)"},
      {U::WeekOfYearIso, "CAST(EXTRACT(WEEK FROM {0}) AS INTEGER)"},
      // Week 1 holds January 1: count weeks from the first day of its week.
      {U::WeekOfYearUs, "CAST(FLOOR((EXTRACT(DOY FROM {0}) + (CAST(EXTRACT(ISODOW FROM DATE_TRUNC('year', {0})) AS INTEGER)) % 7 - 1) / 7) AS INTEGER) + 1"},
      {U::WeekOfYearInstance, "CAST(FLOOR((EXTRACT(DOY FROM {0}) + (CAST(EXTRACT(ISODOW FROM DATE_TRUNC('year', {0})) AS INTEGER) + {days}) % 7 - 1) / 7) AS INTEGER) + 1"},
      {U::MonthOfYear, "CAST(EXTRACT(MONTH FROM {0}) AS INTEGER)"},
      {U::QuarterOfYear, "CAST(EXTRACT(QUARTER FROM {0}) AS INTEGER)"},
      {U::YearOfEra, "CAST(EXTRACT(YEAR FROM {0}) AS INTEGER)"},
  };
  add = {
      {U::Millisecond, "{0} + {1} * INTERVAL '1 millisecond'"},
      {U::Second, "{0} + {1} * INTERVAL '1 second'"},
      {U::Minute, "{0} + {1} * INTERVAL '1 minute'"},
      {U::Hour, "{0} + {1} * INTERVAL '1 hour'"},
      {U::Day, "{0} + {1} * INTERVAL '1 day'"},
      {U::Week, "{0} + {1} * INTERVAL '7 day'"},
      {U::Month, "{0} + {1} * INTERVAL '1 month'"},
      {U::Quarter, "{0} + {1} * INTERVAL '3 month'"},
      {U::Year, "{0} + {1} * INTERVAL '1 year'"},
  };
  in_zone = "{0} AT TIME ZONE {1}";
  between_zones = "({0} AT TIME ZONE {2}) AT TIME ZONE {1}";
  to_datetime = {{"iso", "CAST({0} AS TIMESTAMP)"}, {"", "CAST({0} AS TIMESTAMP)"}};
  coercions = {
      {"Coercion/ISO8601->DateTime", "CAST({0} AS TIMESTAMP)"},
      {"Coercion/ISO8601->Date", "CAST({0} AS DATE)"},
      {"Coercion/ISO8601->Time", "CAST({0} AS TIME)"},
      {"Coercion/DateTime->Date", "CAST({0} AS DATE)"},
      {"Coercion/String->Float", "CAST({0} AS DOUBLE PRECISION)"},
      {"Coercion/String->Integer", "CAST({0} AS BIGINT)"},
      {"Coercion/Float->Integer", "CAST(ROUND({0}) AS BIGINT)"},
  };
}

}  // namespace basalt::sql
