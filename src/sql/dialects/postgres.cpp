#include "sql/dialects/ansi.h"
#include "sql/dialects/urls.h"

namespace basalt::sql {
namespace {

class Postgres final : public Ansi {
 public:
  Postgres() {
    using F = query::Function;
    using U = query::TemporalUnit;
    name = "postgres";
    title = "PostgreSQL";
    explain = "EXPLAIN (FORMAT TEXT) ";
    functions[F::Collate] = "{0} COLLATE {collation}";
    functions[F::Log] = "LOG({0})";
    // The parentheses around the pattern make the whole match the first group, which is what SUBSTRING gives back.
    functions[F::RegexMatchFirst] = "SUBSTRING({0} FROM CONCAT('(', {1}, ')'))";
    functions[F::SplitPart] = "SPLIT_PART({0}, {1}, {2})";
    functions[F::Contains] = "STRPOS({0}, {1}) > 0";
    functions[F::StartsWith] = "STARTS_WITH({0}, {1})";
    functions[F::EndsWith] = "RIGHT({0}, LENGTH({1})) = {1}";
    std::string machine = "LOWER(SUBSTRING({0} FROM " + urls::name + "))";
    functions[F::Host] = "SUBSTRING(" + machine + " FROM " + urls::host + ")";
    functions[F::Domain] = "SUBSTRING(" + machine + " FROM " + urls::domain + ")";
    functions[F::Subdomain] = urls::subdomain(machine);
    functions[F::Path] = "SUBSTRING({0} FROM " + urls::path + ")";
    percentile = "PERCENTILE_CONT({1}) WITHIN GROUP (ORDER BY {0})";
    // Months by the calendar of dates: AGE counts whole ones, from the earlier to the later date.
    difference = {
        {U::Second, "CAST(TRUNC(EXTRACT(EPOCH FROM {1}) - EXTRACT(EPOCH FROM {0})) AS BIGINT)"},
        {U::Millisecond, "CAST(TRUNC((EXTRACT(EPOCH FROM {1}) - EXTRACT(EPOCH FROM {0})) * 1000) AS BIGINT)"},
        {U::Minute, "CAST(TRUNC((EXTRACT(EPOCH FROM {1}) - EXTRACT(EPOCH FROM {0})) / 60) AS BIGINT)"},
        {U::Hour, "CAST(TRUNC((EXTRACT(EPOCH FROM {1}) - EXTRACT(EPOCH FROM {0})) / 3600) AS BIGINT)"},
        {U::Day, "CAST({1} AS DATE) - CAST({0} AS DATE)"},
        {U::Week, "(CAST({1} AS DATE) - CAST({0} AS DATE)) / 7"},
        {U::Month, "CAST(EXTRACT(YEAR FROM AGE(CAST({1} AS DATE), CAST({0} AS DATE))) * 12 + EXTRACT(MONTH FROM AGE(CAST({1} AS DATE), CAST({0} AS DATE))) AS BIGINT)"},
        {U::Quarter, "CAST(TRUNC((EXTRACT(YEAR FROM AGE(CAST({1} AS DATE), CAST({0} AS DATE))) * 12 + EXTRACT(MONTH FROM AGE(CAST({1} AS DATE), CAST({0} AS DATE)))) / 3) AS BIGINT)"},
        {U::Year, "CAST(EXTRACT(YEAR FROM AGE(CAST({1} AS DATE), CAST({0} AS DATE))) AS BIGINT)"},
    };
    to_datetime["simple"] = "CAST(TO_TIMESTAMP({0}, 'YYYYMMDDHH24MISS') AS TIMESTAMP)";
    to_datetime["unixseconds"] = "TO_TIMESTAMP({0})";
    to_datetime["unixmilliseconds"] = "TO_TIMESTAMP({0} / 1000.0)";
    to_datetime["unixmicroseconds"] = "TO_TIMESTAMP({0} / 1000000.0)";
    to_datetime["unixnanoseconds"] = "TO_TIMESTAMP({0} / 1000000000.0)";
    coercions["Coercion/UNIXSeconds->DateTime"] = "TO_TIMESTAMP({0})";
    coercions["Coercion/UNIXMilliSeconds->DateTime"] = "TO_TIMESTAMP({0} / 1000.0)";
    coercions["Coercion/UNIXMicroSeconds->DateTime"] = "TO_TIMESTAMP({0} / 1000000.0)";
    coercions["Coercion/UNIXNanoSeconds->DateTime"] = "TO_TIMESTAMP({0} / 1000000000.0)";
    coercions["Coercion/YYYYMMDDHHMMSSString->Temporal"] = "CAST(TO_TIMESTAMP({0}, 'YYYYMMDDHH24MISS') AS TIMESTAMP)";
    coercions["Coercion/YYYYMMDDHHMMSSBytes->Temporal"] = "CAST(TO_TIMESTAMP(CONVERT_FROM({0}, 'UTF8'), 'YYYYMMDDHH24MISS') AS TIMESTAMP)";
  }
};

}  // namespace

const Dialect& postgres() {
  static const Postgres dialect;
  return dialect;
}

}  // namespace basalt::sql
