#include "sql/dialects/ansi.h"

namespace basalt::sql {
namespace {

// https://www.sqlite.org/lang_datefunc.html: dates are text, and the modifiers work from left to right.
class Sqlite final : public Ansi {
 public:
  Sqlite() {
    using F = query::Function;
    using U = query::TemporalUnit;
    name = "sqlite";
    title = "SQLite";
    explain = "EXPLAIN QUERY PLAN ";
    placeholder = '?';
    supports.time_zones = false;
    supports.temporal_types = false;
    supports.case_sensitive_like = false;
    supports.right_and_full_joins = true;  // since 3.39
    supports.casts_texts = false;
    supports.nulls = Nulls::Low;
    like_any_case = "LIKE";
    float_type = "REAL";
    integer_type = "INTEGER";
    uuid_type = text_type;

    functions[F::Concat] = "{||}";
    functions[F::Substring] = "SUBSTR({*})";
    functions[F::ToInteger] = "CAST(ROUND(CAST({0} AS REAL)) AS INTEGER)";
    functions[F::ToFloat] = "CAST({0} AS REAL)";
    functions[F::Contains] = "INSTR({0}, {1}) > 0";
    functions[F::StartsWith] = "SUBSTR({0}, 1, LENGTH({1})) = {1}";
    functions[F::EndsWith] = "SUBSTR({0}, -LENGTH({1}), LENGTH({1})) = {1}";
    // Not SQLite's own: the driver brings them (drivers/sqlite/functions.h).
    functions[F::RegexMatchFirst] = "REGEXP_SUBSTR({0}, {1})";
    functions[F::SplitPart] = "SPLIT_PART({0}, {1}, {2})";
    functions[F::Host] = "URL_HOST({0})";
    functions[F::Domain] = "URL_DOMAIN({0})";
    functions[F::Subdomain] = "URL_SUBDOMAIN({0})";
    functions[F::Path] = "URL_PATH({0})";
    functions[F::Collate] = "{0} COLLATE {collation}";
    functions[F::ToDate] = "DATE({0})";

    std::string whole_seconds = "STRFTIME('%Y-%m-%d %H:%M:%S', {0})";
    truncate = {
        {U::Millisecond, "STRFTIME('%Y-%m-%d %H:%M:%f', {0})"},
        {U::Second, whole_seconds},
        {U::Minute, "STRFTIME('%Y-%m-%d %H:%M:00', {0})"},
        {U::Hour, "STRFTIME('%Y-%m-%d %H:00:00', {0})"},
        {U::Day, "DATE({0})"},
        {U::Week, "DATE({0}, '-6 days', 'weekday {weekday}')"},
        {U::Month, "DATE({0}, 'start of month')"},
        {U::Quarter, "DATE({0}, 'start of month', '-' || ((CAST(STRFTIME('%m', {0}) AS INTEGER) - 1) % 3) || ' months')"},
        {U::Year, "DATE({0}, 'start of year')"},
    };
    truncate_date = truncate;
    truncate_time = {
        {U::Millisecond, "STRFTIME('%H:%M:%f', {0})"},
        {U::Second, "STRFTIME('%H:%M:%S', {0})"},
        {U::Minute, "STRFTIME('%H:%M:00', {0})"},
        {U::Hour, "STRFTIME('%H:00:00', {0})"},
    };
    week_from_monday.clear();
    week_from_monday_date.clear();
    extract = {
        {U::SecondOfMinute, "CAST(STRFTIME('%S', {0}) AS INTEGER)"},
        {U::MinuteOfHour, "CAST(STRFTIME('%M', {0}) AS INTEGER)"},
        {U::HourOfDay, "CAST(STRFTIME('%H', {0}) AS INTEGER)"},
        {U::DayOfWeek, "(CAST(STRFTIME('%w', {0}) AS INTEGER) + {days}) % 7 + 1"},
        {U::DayOfWeekIso, "(CAST(STRFTIME('%w', {0}) AS INTEGER) + 6) % 7 + 1"},
        {U::DayOfMonth, "CAST(STRFTIME('%d', {0}) AS INTEGER)"},
        {U::DayOfYear, "CAST(STRFTIME('%j', {0}) AS INTEGER)"},
        {U::WeekOfYear, "(CAST(STRFTIME('%j', {week}) AS INTEGER) + 6) / 7"},
        // The ISO week is that of its Thursday.
        {U::WeekOfYearIso, "(CAST(STRFTIME('%j', {0}, '-3 days', 'weekday 4') AS INTEGER) + 6) / 7"},
        {U::WeekOfYearUs, "(CAST(STRFTIME('%j', {0}) AS INTEGER) + CAST(STRFTIME('%w', {0}, 'start of year') AS INTEGER) - 1) / 7 + 1"},
        {U::WeekOfYearInstance, "(CAST(STRFTIME('%j', {0}) AS INTEGER) + (CAST(STRFTIME('%w', {0}, 'start of year') AS INTEGER) + {days}) % 7 - 1) / 7 + 1"},
        {U::MonthOfYear, "CAST(STRFTIME('%m', {0}) AS INTEGER)"},
        {U::QuarterOfYear, "(CAST(STRFTIME('%m', {0}) AS INTEGER) + 2) / 3"},
        {U::YearOfEra, "CAST(STRFTIME('%Y', {0}) AS INTEGER)"},
    };
    add = {
        {U::Millisecond, "STRFTIME('%Y-%m-%d %H:%M:%f', {0}, ({1} / 1000.0) || ' seconds')"},
        {U::Second, "DATETIME({0}, {1} || ' seconds')"},
        {U::Minute, "DATETIME({0}, {1} || ' minutes')"},
        {U::Hour, "DATETIME({0}, {1} || ' hours')"},
        {U::Day, "DATETIME({0}, {1} || ' days')"},
        {U::Week, "DATETIME({0}, ({1} * 7) || ' days')"},
        {U::Month, "DATETIME({0}, {1} || ' months')"},
        {U::Quarter, "DATETIME({0}, ({1} * 3) || ' months')"},
        {U::Year, "DATETIME({0}, {1} || ' years')"},
    };
    std::string seconds = "(CAST(STRFTIME('%s', {1}) AS INTEGER) - CAST(STRFTIME('%s', {0}) AS INTEGER))";
    std::string days = "CAST(JULIANDAY(DATE({1})) - JULIANDAY(DATE({0})) AS INTEGER)";
    // Whole months by the calendar: one less when the last has not been completed.
    std::string months = "((STRFTIME('%Y', {1}) - STRFTIME('%Y', {0})) * 12 + STRFTIME('%m', {1}) - STRFTIME('%m', {0}) - "
                         "CASE WHEN DATE({1}) >= DATE({0}) THEN STRFTIME('%d', {1}) < STRFTIME('%d', {0}) ELSE -(STRFTIME('%d', {1}) > STRFTIME('%d', {0})) END)";
    difference = {
        {U::Millisecond, "CAST(ROUND((JULIANDAY({1}) - JULIANDAY({0})) * 86400000) AS INTEGER)"},
        {U::Second, seconds}, {U::Minute, seconds + " / 60"}, {U::Hour, seconds + " / 3600"},
        {U::Day, days}, {U::Week, days + " / 7"}, {U::Month, months}, {U::Quarter, months + " / 3"}, {U::Year, months + " / 12"},
    };
    percentile = "PERCENTILE_CONT({0}, {1})";
    in_zone = "CONVERT_ZONE({0}, {1}, 'UTC')";
    between_zones = "CONVERT_ZONE({0}, {1}, {2})";
    std::string simple = "SUBSTR({0}, 1, 4) || '-' || SUBSTR({0}, 5, 2) || '-' || SUBSTR({0}, 7, 2) || ' ' || SUBSTR({0}, 9, 2) || ':' || SUBSTR({0}, 11, 2) || ':' || SUBSTR({0}, 13, 2)";
    to_datetime = {
        {"", "DATETIME({0})"}, {"iso", "DATETIME({0})"}, {"unixseconds", "DATETIME({0}, 'unixepoch')"},
        {"simple", simple}, {"unixmilliseconds", "DATETIME({0} / 1000, 'unixepoch')"}, {"unixmicroseconds", "DATETIME({0} / 1000000, 'unixepoch')"},
        {"unixnanoseconds", "DATETIME({0} / 1000000000, 'unixepoch')"},
    };
    std::string bytes;
    for (std::size_t at = 0, next; at < simple.size(); at = next) {
      next = std::min(simple.find("{0}", at), simple.size());
      bytes.append(simple, at, next - at);
      if (next < simple.size()) bytes += "CAST({0} AS TEXT)", next += 3;
    }
    coercions = {
        {"Coercion/ISO8601->DateTime", "{0}"},
        {"Coercion/ISO8601->Date", "DATE({0})"},
        {"Coercion/ISO8601->Time", "TIME({0})"},
        {"Coercion/DateTime->Date", "DATE({0})"},
        {"Coercion/String->Float", "CAST({0} AS REAL)"},
        {"Coercion/String->Integer", "CAST({0} AS INTEGER)"},
        {"Coercion/Float->Integer", "CAST(ROUND({0}) AS INTEGER)"},
        {"Coercion/UNIXSeconds->DateTime", "DATETIME({0}, 'unixepoch')"},
        {"Coercion/UNIXMilliSeconds->DateTime", "DATETIME({0} / 1000, 'unixepoch')"},
        {"Coercion/UNIXMicroSeconds->DateTime", "DATETIME({0} / 1000000, 'unixepoch')"},
        {"Coercion/UNIXNanoSeconds->DateTime", "DATETIME({0} / 1000000000, 'unixepoch')"},
        {"Coercion/YYYYMMDDHHMMSSString->Temporal", simple},
        {"Coercion/YYYYMMDDHHMMSSBytes->Temporal", bytes},
    };
  }
};

}  // namespace

const Dialect& sqlite() {
  static const Sqlite dialect;
  return dialect;
}

}  // namespace basalt::sql
