#include "query/functions.h"

#include <array>
#include <cassert>
#include <unordered_map>

namespace basalt::query {
namespace {
using F = Function;
using enum Group;

// In the order of the enum: info() is an index.
constexpr FunctionInfo table[] = {
    {F::And, "and", Filter, Gives::Boolean, 0, any_number},
    {F::Or, "or", Filter, Gives::Boolean, 0, any_number},
    {F::Not, "not", Filter, Gives::Boolean, 1, 1},
    {F::Equal, "=", Filter, Gives::Boolean, 2, any_number},
    {F::NotEqual, "!=", Filter, Gives::Boolean, 2, any_number},
    {F::Less, "<", Filter, Gives::Boolean, 2, 2},
    {F::Greater, ">", Filter, Gives::Boolean, 2, 2},
    {F::LessEqual, "<=", Filter, Gives::Boolean, 2, 2},
    {F::GreaterEqual, ">=", Filter, Gives::Boolean, 2, 2},
    {F::Between, "between", Filter, Gives::Boolean, 3, 3},
    {F::Inside, "inside", Filter, Gives::Boolean, 6, 6},
    {F::IsNull, "is-null", Filter, Gives::Boolean, 1, 1},
    {F::NotNull, "not-null", Filter, Gives::Boolean, 1, 1},
    {F::IsEmpty, "is-empty", Filter, Gives::Boolean, 1, 1},
    {F::NotEmpty, "not-empty", Filter, Gives::Boolean, 1, 1},
    {F::Contains, "contains", Filter, Gives::Boolean, 2, any_number},
    {F::DoesNotContain, "does-not-contain", Filter, Gives::Boolean, 2, any_number},
    {F::StartsWith, "starts-with", Filter, Gives::Boolean, 2, any_number},
    {F::EndsWith, "ends-with", Filter, Gives::Boolean, 2, any_number},
    {F::TimeInterval, "time-interval", Filter, Gives::Boolean, 3, 3},
    {F::RelativeTimeInterval, "relative-time-interval", Filter, Gives::Boolean, 5, 5},
    {F::During, "during", Filter, Gives::Boolean, 3, 3},
    {F::ToDatePeriod, "to-date", Filter, Gives::Boolean, 3, 3},
    {F::SamePoint, "same-point", Filter, Gives::Boolean, 2, 2},
    {F::Segment, "segment", Filter, Gives::Boolean, 1, 1},

    {F::Count, "count", Aggregation, Gives::BigInteger, 0, 1},
    {F::Distinct, "distinct", Aggregation, Gives::BigInteger, 1, 1},
    {F::Sum, "sum", Aggregation, Gives::Argument, 1, 1},
    {F::Average, "avg", Aggregation, Gives::Float, 1, 1},
    {F::Min, "min", Aggregation, Gives::Argument, 1, 1},
    {F::Max, "max", Aggregation, Gives::Argument, 1, 1},
    {F::StandardDeviation, "stddev", Aggregation, Gives::Float, 1, 1},
    {F::Variance, "var", Aggregation, Gives::Float, 1, 1},
    {F::Median, "median", Aggregation, Gives::Float, 1, 1},
    {F::Percentile, "percentile", Aggregation, Gives::Float, 2, 2},
    {F::CountWhere, "count-where", Aggregation, Gives::BigInteger, 1, 1},
    {F::SumWhere, "sum-where", Aggregation, Gives::Argument, 2, 2},
    {F::DistinctWhere, "distinct-where", Aggregation, Gives::BigInteger, 2, 2},
    {F::Share, "share", Aggregation, Gives::Float, 1, 1},
    {F::CumulativeSum, "cum-sum", Aggregation, Gives::Argument, 1, 1},
    {F::CumulativeCount, "cum-count", Aggregation, Gives::BigInteger, 0, 1},
    {F::Offset, "offset", Aggregation, Gives::Argument, 2, 2},
    {F::Metric, "metric", Aggregation, Gives::Float, 1, 1},
    {F::Measure, "measure", Aggregation, Gives::Float, 1, 1},
    {F::InPeriod, "in-period", Aggregation, Gives::Argument, 4, 4},

    {F::RowNumber, "row-number", Window, Gives::BigInteger, 0, 0},
    {F::Rank, "rank", Window, Gives::BigInteger, 0, 0},
    {F::DenseRank, "dense-rank", Window, Gives::BigInteger, 0, 0},
    {F::Tile, "tile", Window, Gives::BigInteger, 1, 1},
    {F::Lag, "lag", Window, Gives::Argument, 1, 2},
    {F::Lead, "lead", Window, Gives::Argument, 1, 2},
    {F::FirstValue, "first-value", Window, Gives::Argument, 1, 1},
    {F::LastValue, "last-value", Window, Gives::Argument, 1, 1},
    {F::RunningSum, "running-sum", Window, Gives::Argument, 1, 1},
    {F::RunningCount, "running-count", Window, Gives::BigInteger, 0, 1},
    {F::RunningAverage, "running-average", Window, Gives::Float, 1, 1},
    {F::RunningMin, "running-min", Window, Gives::Argument, 1, 1},
    {F::RunningMax, "running-max", Window, Gives::Argument, 1, 1},
    {F::MovingSum, "moving-sum", Window, Gives::Argument, 2, 2},
    {F::MovingAverage, "moving-average", Window, Gives::Float, 2, 2},
    {F::ShareOfTotal, "share-of-total", Window, Gives::Float, 1, 1},
    {F::Total, "total", Window, Gives::Argument, 1, 1},

    {F::Add, "+", Number, Gives::Argument, 1, any_number},
    {F::Subtract, "-", Number, Gives::Argument, 1, any_number},
    {F::Multiply, "*", Number, Gives::Argument, 1, any_number},
    {F::Divide, "/", Number, Gives::Float, 2, any_number},
    {F::Abs, "abs", Number, Gives::Argument, 1, 1},
    {F::Ceil, "ceil", Number, Gives::Integer, 1, 1},
    {F::Floor, "floor", Number, Gives::Integer, 1, 1},
    {F::Round, "round", Number, Gives::Integer, 1, 1},
    {F::Sqrt, "sqrt", Number, Gives::Float, 1, 1},
    {F::Exp, "exp", Number, Gives::Float, 1, 1},
    {F::Power, "power", Number, Gives::Float, 2, 2},
    {F::Log, "log", Number, Gives::Float, 1, 1},
    {F::ToInteger, "integer", Number, Gives::BigInteger, 1, 1},
    {F::ToFloat, "float", Number, Gives::Float, 1, 1},

    {F::Concat, "concat", Text, Gives::Text, 1, any_number},
    {F::Substring, "substring", Text, Gives::Text, 2, 3},
    {F::Replace, "replace", Text, Gives::Text, 3, 3},
    {F::RegexMatchFirst, "regex-match-first", Text, Gives::Text, 2, 2},
    {F::Trim, "trim", Text, Gives::Text, 1, 1},
    {F::LTrim, "ltrim", Text, Gives::Text, 1, 1},
    {F::RTrim, "rtrim", Text, Gives::Text, 1, 1},
    {F::Upper, "upper", Text, Gives::Text, 1, 1},
    {F::Lower, "lower", Text, Gives::Text, 1, 1},
    {F::Length, "length", Text, Gives::Integer, 1, 1},
    {F::SplitPart, "split-part", Text, Gives::Text, 3, 3},
    {F::ToText, "text", Text, Gives::Text, 1, 1},
    {F::Collate, "collate", Text, Gives::Text, 2, 2},
    {F::Host, "host", Text, Gives::Text, 1, 1},
    {F::Domain, "domain", Text, Gives::Text, 1, 1},
    {F::Subdomain, "subdomain", Text, Gives::Text, 1, 1},
    {F::Path, "path", Text, Gives::Text, 1, 1},
    {F::MonthName, "month-name", Text, Gives::Text, 1, 1},
    {F::QuarterName, "quarter-name", Text, Gives::Text, 1, 1},
    {F::DayName, "day-name", Text, Gives::Text, 1, 1},

    {F::Case, "case", Choice, Gives::Argument, 1, any_number},
    {F::Coalesce, "coalesce", Choice, Gives::Argument, 1, any_number},

    {F::Now, "now", Time, Gives::DateTime, 0, 0},
    {F::Today, "today", Time, Gives::Date, 0, 0},
    {F::DateTimeAdd, "datetime-add", Time, Gives::Argument, 3, 3},
    {F::DateTimeSubtract, "datetime-subtract", Time, Gives::Argument, 3, 3},
    {F::DateTimeDiff, "datetime-diff", Time, Gives::BigInteger, 3, 3},
    {F::TemporalExtract, "temporal-extract", Time, Gives::Integer, 2, 3},
    {F::ConvertTimezone, "convert-timezone", Time, Gives::DateTime, 2, 3},
    {F::ToDate, "date", Time, Gives::Date, 1, 1},
    {F::ToDateTime, "datetime", Time, Gives::DateTime, 1, 1},
    {F::Interval, "interval", Time, Gives::Interval, 2, 2},
    {F::RelativeDateTime, "relative-datetime", Time, Gives::DateTime, 1, 2},
    {F::AbsoluteDateTime, "absolute-datetime", Time, Gives::DateTime, 1, 2},
    {F::TimeLiteral, "time", Time, Gives::Time, 1, 2},

    {F::Truncate, "", Internal, Gives::Argument, 1, 1},
    {F::Extract, "", Internal, Gives::Integer, 1, 1},
    {F::Bin, "", Internal, Gives::Argument, 1, 1},
    {F::Coerce, "", Internal, Gives::Argument, 1, 1},
};

constexpr bool in_enum_order() {
  for (std::size_t i = 0; i < std::size(table); ++i)
    if (static_cast<std::size_t>(table[i].function) != i) return false;
  return std::size(table) == static_cast<std::size_t>(F::Coerce) + 1;
}
static_assert(in_enum_order());

}  // namespace

std::span<const FunctionInfo> functions() { return table; }

const FunctionInfo& info(Function function) { return table[static_cast<std::size_t>(function)]; }

const FunctionInfo* find_function(std::string_view name) {
  static const auto by_name = [] {
    std::unordered_map<std::string_view, const FunctionInfo*> map;
    for (auto& row : table)
      if (!row.name.empty()) map.emplace(row.name, &row);
    return map;
  }();
  auto found = by_name.find(name);
  return found == by_name.end() ? nullptr : found->second;
}

}  // namespace basalt::query
