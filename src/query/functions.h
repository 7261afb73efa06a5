// Every clause of the query language that takes arguments: its name, how many arguments, what it gives back.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace basalt::query {

enum class Function : std::uint8_t {
  // filters
  And, Or, Not, Equal, NotEqual, Less, Greater, LessEqual, GreaterEqual, Between, Inside, IsNull, NotNull, IsEmpty, NotEmpty,
  Contains, DoesNotContain, StartsWith, EndsWith, TimeInterval, RelativeTimeInterval, During, ToDatePeriod, SamePoint, Segment,
  // aggregations
  Count, Distinct, Sum, Average, Min, Max, StandardDeviation, Variance, Median, Percentile, CountWhere, SumWhere, DistinctWhere,
  Share, CumulativeSum, CumulativeCount, Offset, Metric, Measure, InPeriod,
  // over rows
  RowNumber, Rank, DenseRank, Tile, Lag, Lead, FirstValue, LastValue, RunningSum, RunningCount, RunningAverage, RunningMin, RunningMax,
  MovingSum, MovingAverage, ShareOfTotal, Total,
  // numbers
  Add, Subtract, Multiply, Divide, Abs, Ceil, Floor, Round, Sqrt, Exp, Power, Log, ToInteger, ToFloat,
  // text
  Concat, Substring, Replace, RegexMatchFirst, Trim, LTrim, RTrim, Upper, Lower, Length, SplitPart, ToText, Collate,
  Host, Domain, Subdomain, Path, MonthName, QuarterName, DayName,
  // choice
  Case, Coalesce,
  // time
  Now, Today, DateTimeAdd, DateTimeSubtract, DateTimeDiff, TemporalExtract, ConvertTimezone, ToDate, ToDateTime, Interval,
  RelativeDateTime, AbsoluteDateTime, TimeLiteral,
  // made by passes, never read from JSON
  Truncate, Extract, Bin, Coerce,
};

enum class Group : std::uint8_t { Filter, Aggregation, Window, Number, Text, Choice, Time, Internal };
// What the function gives; Argument: what its (first usual) argument is.
enum class Gives : std::uint8_t { Boolean, Integer, BigInteger, Float, Text, Argument, DateTime, Date, Time, Interval };

struct FunctionInfo {
  Function function;
  std::string_view name;      // API spelling, e.g. "count-where"
  Group group;
  Gives gives;
  std::uint8_t fewest, most;  // arguments without options; 255: any number
};

inline constexpr std::uint8_t any_number = 255;

std::span<const FunctionInfo> functions();
const FunctionInfo& info(Function function);
// nullptr: no such clause. Aliases ("in", "if", "get-year") are the parser's affair.
const FunctionInfo* find_function(std::string_view name);

}  // namespace basalt::query
