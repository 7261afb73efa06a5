#include "sql/dialects/ansi.h"
#include "sql/dialects/urls.h"

namespace basalt::sql {
namespace {

class DuckDb final : public Ansi {
 public:
  DuckDb() {
    using F = query::Function;
    using U = query::TemporalUnit;
    name = "duckdb";
    title = "DuckDB";
    explain = "EXPLAIN ";
    supports.nulls = Nulls::Last;
    functions[F::RegexMatchFirst] = "NULLIF(REGEXP_EXTRACT({0}, {1}), '')";
    functions[F::SplitPart] = "SPLIT_PART({0}, {1}, {2})";
    functions[F::Contains] = "CONTAINS({0}, {1})";
    functions[F::StartsWith] = "STARTS_WITH({0}, {1})";
    functions[F::EndsWith] = "SUFFIX({0}, {1})";
    std::string machine = "LOWER(REGEXP_EXTRACT({0}, " + urls::name + ", 1))";
    functions[F::Host] = "NULLIF(REGEXP_EXTRACT(" + machine + ", " + urls::host + ", 1), '')";
    functions[F::Domain] = "NULLIF(REGEXP_EXTRACT(" + machine + ", " + urls::domain + ", 1), '')";
    functions[F::Subdomain] = urls::subdomain(machine);
    functions[F::Path] = "NULLIF(REGEXP_EXTRACT({0}, " + urls::path + ", 1), '')";
    functions[F::Collate] = "{0} COLLATE {collation}";
    percentile = "QUANTILE_CONT({0}, {1})";
    for (auto& [unit, text] : add) {
      auto at = text.find("{1}");
      text.replace(at, 3, "CAST({1} AS BIGINT)");  // a bound number has no type of its own yet
    }
    // Truncating a time of day is a matter of an interval since midnight.
    for (auto [unit, word] : {std::pair{U::Second, "second"}, {U::Minute, "minute"}, {U::Hour, "hour"}})
      truncate_time[unit] = std::string("CAST(DATE_TRUNC('") + word + "', DATE '2000-01-01' + {0}) AS TIME)";
    difference = {
        {U::Millisecond, "DATE_SUB('millisecond', CAST({0} AS TIMESTAMP), CAST({1} AS TIMESTAMP))"},
        {U::Second, "DATE_SUB('second', CAST({0} AS TIMESTAMP), CAST({1} AS TIMESTAMP))"},
        {U::Minute, "DATE_SUB('minute', CAST({0} AS TIMESTAMP), CAST({1} AS TIMESTAMP))"},
        {U::Hour, "DATE_SUB('hour', CAST({0} AS TIMESTAMP), CAST({1} AS TIMESTAMP))"},
        {U::Day, "DATE_DIFF('day', CAST({0} AS DATE), CAST({1} AS DATE))"},
        {U::Week, "DATE_DIFF('day', CAST({0} AS DATE), CAST({1} AS DATE)) // 7"},
        {U::Month, "DATE_SUB('month', CAST({0} AS DATE), CAST({1} AS DATE))"},
        {U::Quarter, "DATE_SUB('quarter', CAST({0} AS DATE), CAST({1} AS DATE))"},
        {U::Year, "DATE_SUB('year', CAST({0} AS DATE), CAST({1} AS DATE))"},
    };
    to_datetime["simple"] = "STRPTIME({0}, '%Y%m%d%H%M%S')";
    to_datetime["unixseconds"] = "TO_TIMESTAMP({0})";
    to_datetime["unixmilliseconds"] = "TO_TIMESTAMP({0} / 1000.0)";
    to_datetime["unixmicroseconds"] = "TO_TIMESTAMP({0} / 1000000.0)";
    to_datetime["unixnanoseconds"] = "TO_TIMESTAMP({0} / 1000000000.0)";
    coercions["Coercion/UNIXSeconds->DateTime"] = "TO_TIMESTAMP({0})";
    coercions["Coercion/UNIXMilliSeconds->DateTime"] = "TO_TIMESTAMP({0} / 1000.0)";
    coercions["Coercion/UNIXMicroSeconds->DateTime"] = "TO_TIMESTAMP({0} / 1000000.0)";
    coercions["Coercion/UNIXNanoSeconds->DateTime"] = "TO_TIMESTAMP({0} / 1000000000.0)";
    coercions["Coercion/YYYYMMDDHHMMSSString->Temporal"] = "STRPTIME({0}, '%Y%m%d%H%M%S')";
    coercions["Coercion/YYYYMMDDHHMMSSBytes->Temporal"] = "STRPTIME(DECODE({0}), '%Y%m%d%H%M%S')";
  }
};

}  // namespace

const Dialect& duckdb() {
  static const DuckDb dialect;
  return dialect;
}

}  // namespace basalt::sql
