#include "sql/dialects/ansi.h"

namespace basalt::sql {
namespace {

// MySQL 8 and MariaDB 10.4 or later. Nothing here depends on sql_mode: names stand in backquotes, no text has a backslash or a
// double quote, nothing is joined with ||.
class Mysql final : public Ansi {
 public:
  Mysql() {
    using F = query::Function;
    using U = query::TemporalUnit;
    name = "mysql";
    title = "MySQL";
    identifier_quote = '`';
    trims_names = true;
    backslash_escapes = true;
    placeholder = '?';
    numbered = false;
    like_escape = '!';
    supports.full_joins = false;
    supports.zoned_literals = false;
    supports.casts_texts = false;
    supports.nulls = Nulls::Low;
    supports.nulls_clause = false;
    explain = "EXPLAIN ";
    text_type = uuid_type = "CHAR";
    integer_type = "SIGNED";
    float_type = "DOUBLE";
    timestamp_type = timestamp_zone_type = "DATETIME(6)";
    time_type = "TIME(6)";
    // Columns compare in their own collation, which mostly takes a for A and é for e; a search says which case it means.
    like_any_case = "LIKE";
    searched = "CONVERT({0} USING utf8mb4) COLLATE utf8mb4_bin";
    searched_any_case = "LOWER(CONVERT({0} USING utf8mb4)) COLLATE utf8mb4_bin";
    pattern_any_case = "LOWER({0})";

    const std::string exact = "CONVERT({0} USING utf8mb4) COLLATE utf8mb4_bin";
    // Of whole numbers these would have four digits.
    functions[F::Average] = "AVG(CAST({0} AS DOUBLE))";
    functions[F::StandardDeviation] = "STDDEV_POP(CAST({0} AS DOUBLE))";
    functions[F::Variance] = "VAR_POP(CAST({0} AS DOUBLE))";
    functions[F::ToInteger] = "CAST(ROUND(CAST({0} AS DOUBLE)) AS SIGNED)";
    functions[F::ToFloat] = "CAST({0} AS DOUBLE)";
    functions[F::ToText] = "CAST({0} AS CHAR)";
    functions[F::Length] = "CHAR_LENGTH({0})";
    functions[F::Contains] = "LOCATE({1}, " + exact + ") > 0";
    functions[F::StartsWith] = "LOCATE({1}, " + exact + ") = 1";
    functions[F::EndsWith] = "CAST(RIGHT({0}, CHAR_LENGTH({1})) AS BINARY) = CAST({1} AS BINARY)";  // as bytes, for blanks at the end count
    functions[F::RegexMatchFirst] = "NULLIF(REGEXP_SUBSTR(" + exact + ", {1}), '')";
    functions[F::SplitPart] = "CASE WHEN {2} > (CHAR_LENGTH({0}) - CHAR_LENGTH(REPLACE({0}, {1}, ''))) DIV CHAR_LENGTH({1}) + 1 THEN '' "
                              "ELSE SUBSTRING_INDEX(SUBSTRING_INDEX({0}, {1}, {2}), {1}, -1) END";
    functions[F::Collate] = "CONVERT({0} USING utf8mb4) COLLATE {collation}";
    // As in urls.h, without backslashes.
    const std::string machine = "LOWER(REGEXP_SUBSTR(REGEXP_REPLACE({0}, '^([A-Za-z][A-Za-z0-9+.-]*://)?([^/?#@]*@)?', ''), '^[^/?#:]+'))";
    const std::string ending = "(?:(?:com|co|net|org|gov|edu|ac|or|ne|go|gob|gouv|mil)[.][a-z][a-z]|[^.]+)$";
    functions[F::Host] = "NULLIF(REGEXP_SUBSTR(" + machine + ", '[^.]+[.]" + ending + "'), '')";
    functions[F::Domain] = "NULLIF(REGEXP_SUBSTR(" + machine + ", '[^.]+(?=[.]" + ending + ")'), '')";
    functions[F::Subdomain] = "CASE WHEN " + machine + " LIKE '%.%' THEN REGEXP_REPLACE(REGEXP_REPLACE(" + machine + ", '[.]?[^.]+[.]" + ending + "', ''), '^www([.]|$)', '') END";
    functions[F::Path] = "NULLIF(REGEXP_SUBSTR(REGEXP_REPLACE({0}, '^([A-Za-z][A-Za-z0-9+.-]*://)?[^/?#]+', ''), '^/[^?#]*'), '')";
    percentile.clear();  // MariaDB has it over windows only, MySQL not at all

    const std::string month = "DATE({0}) - INTERVAL DAYOFMONTH({0}) - 1 DAY";
    truncate_date = {
        {U::Day, "DATE({0})"},
        {U::Week, "DATE({0}) - INTERVAL (WEEKDAY({0}) + {back}) % 7 DAY"},
        {U::Month, month},
        {U::Quarter, month + " - INTERVAL (MONTH({0}) - 1) % 3 MONTH"},
        {U::Year, "DATE({0}) - INTERVAL DAYOFYEAR({0}) - 1 DAY"},
    };
    week_from_monday_date = "DATE({0}) - INTERVAL WEEKDAY({0}) DAY";
    truncate = {
        {U::Millisecond, "{0} - INTERVAL MICROSECOND({0}) % 1000 MICROSECOND"},
        {U::Second, "{0} - INTERVAL MICROSECOND({0}) MICROSECOND"},
        {U::Minute, "TIMESTAMP(DATE({0})) + INTERVAL HOUR({0}) * 60 + MINUTE({0}) MINUTE"},
        {U::Hour, "TIMESTAMP(DATE({0})) + INTERVAL HOUR({0}) HOUR"},
    };
    for (auto& [unit, text] : truncate_date) truncate[unit] = "TIMESTAMP(" + text + ")";
    week_from_monday = "TIMESTAMP(" + week_from_monday_date + ")";
    truncate_time = {
        {U::Millisecond, "{0} - INTERVAL MICROSECOND({0}) % 1000 MICROSECOND"},
        {U::Second, "SEC_TO_TIME(TIME_TO_SEC({0}) DIV 1)"},
        {U::Minute, "SEC_TO_TIME(TIME_TO_SEC({0}) DIV 60 * 60)"},
        {U::Hour, "SEC_TO_TIME(TIME_TO_SEC({0}) DIV 3600 * 3600)"},
    };
    const std::string new_year = "(" + truncate_date[U::Year] + ")";
    extract = {
        {U::SecondOfMinute, "SECOND({0})"},
        {U::MinuteOfHour, "MINUTE({0})"},
        {U::HourOfDay, "HOUR({0})"},
        {U::DayOfWeek, "(WEEKDAY({0}) + {back}) % 7 + 1"},
        {U::DayOfWeekIso, "WEEKDAY({0}) + 1"},
        {U::DayOfMonth, "DAYOFMONTH({0})"},
        {U::DayOfYear, "DAYOFYEAR({0})"},
        {U::WeekOfYear, "(DAYOFYEAR({week}) + 6) DIV 7"},
        {U::WeekOfYearIso, "WEEKOFYEAR({0})"},
        {U::WeekOfYearUs, "(DAYOFYEAR({0}) + (WEEKDAY(" + new_year + ") + 1) % 7 - 1) DIV 7 + 1"},
        {U::WeekOfYearInstance, "(DAYOFYEAR({0}) + (WEEKDAY(" + new_year + ") + {back}) % 7 - 1) DIV 7 + 1"},
        {U::MonthOfYear, "MONTH({0})"},
        {U::QuarterOfYear, "QUARTER({0})"},
        {U::YearOfEra, "YEAR({0})"},
    };
    add = {
        {U::Millisecond, "{0} + INTERVAL {1} * 1000 MICROSECOND"},
        {U::Second, "{0} + INTERVAL {1} SECOND"},
        {U::Minute, "{0} + INTERVAL {1} MINUTE"},
        {U::Hour, "{0} + INTERVAL {1} HOUR"},
        {U::Day, "{0} + INTERVAL {1} DAY"},
        {U::Week, "{0} + INTERVAL {1} WEEK"},
        {U::Month, "{0} + INTERVAL {1} MONTH"},
        {U::Quarter, "{0} + INTERVAL {1} QUARTER"},
        {U::Year, "{0} + INTERVAL {1} YEAR"},
    };
    difference = {
        {U::Millisecond, "TIMESTAMPDIFF(MICROSECOND, {0}, {1}) DIV 1000"},
        {U::Second, "TIMESTAMPDIFF(SECOND, {0}, {1})"},
        {U::Minute, "TIMESTAMPDIFF(MINUTE, {0}, {1})"},
        {U::Hour, "TIMESTAMPDIFF(HOUR, {0}, {1})"},
        {U::Day, "DATEDIFF({1}, {0})"},
        {U::Week, "DATEDIFF({1}, {0}) DIV 7"},
        {U::Month, "TIMESTAMPDIFF(MONTH, DATE({0}), DATE({1}))"},
        {U::Quarter, "TIMESTAMPDIFF(QUARTER, DATE({0}), DATE({1}))"},
        {U::Year, "TIMESTAMPDIFF(YEAR, DATE({0}), DATE({1}))"},
    };
    in_zone = "CONVERT_TZ({0}, @@session.time_zone, {1})";
    between_zones = "CONVERT_TZ({0}, {2}, {1})";
    // FROM_UNIXTIME knows no time before 1970.
    auto since_1970 = [](const std::string& interval) { return "CONVERT_TZ(TIMESTAMP('1970-01-01') + INTERVAL " + interval + ", '+00:00', @@session.time_zone)"; };
    const std::string seconds = since_1970("{0} SECOND"), milliseconds = since_1970("{0} * 1000 MICROSECOND"), microseconds = since_1970("{0} MICROSECOND"),
                      nanoseconds = since_1970("{0} DIV 1000 MICROSECOND"), simple = "STR_TO_DATE({0}, '%Y%m%d%H%i%s')";
    to_datetime = {{"", "CAST({0} AS DATETIME(6))"}, {"iso", "CAST({0} AS DATETIME(6))"}, {"simple", simple}, {"unixseconds", seconds},
                   {"unixmilliseconds", milliseconds}, {"unixmicroseconds", microseconds}, {"unixnanoseconds", nanoseconds}};
    coercions = {
        {"Coercion/ISO8601->DateTime", "CAST({0} AS DATETIME(6))"},
        {"Coercion/ISO8601->Date", "CAST({0} AS DATE)"},
        {"Coercion/ISO8601->Time", "CAST({0} AS TIME(6))"},
        {"Coercion/DateTime->Date", "DATE({0})"},
        {"Coercion/String->Float", "CAST({0} AS DOUBLE)"},
        {"Coercion/String->Integer", "CAST({0} AS SIGNED)"},
        {"Coercion/Float->Integer", "CAST(ROUND({0}) AS SIGNED)"},
        {"Coercion/UNIXSeconds->DateTime", seconds},
        {"Coercion/UNIXMilliSeconds->DateTime", milliseconds},
        {"Coercion/UNIXMicroSeconds->DateTime", microseconds},
        {"Coercion/UNIXNanoSeconds->DateTime", nanoseconds},
        {"Coercion/YYYYMMDDHHMMSSString->Temporal", simple},
        {"Coercion/YYYYMMDDHHMMSSBytes->Temporal", "STR_TO_DATE(CONVERT({0} USING utf8mb4), '%Y%m%d%H%i%s')"},
    };
  }
};

}  // namespace

const Dialect& mysql() {
  static const Mysql dialect;
  return dialect;
}

}  // namespace basalt::sql
