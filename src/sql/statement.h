// What the SQL writer hands to a driver: text with the dialect's own placeholders, and the values to bind.
#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace basalt::sql {

struct NullValue { bool operator==(const NullValue&) const = default; };
struct DateValue { std::string text; bool operator==(const DateValue&) const = default; };        // "2024-05-17"
struct TimeValue { std::string text; bool operator==(const TimeValue&) const = default; };        // "08:30:00"
struct TimestampValue { std::string text; bool zoned = false; bool operator==(const TimestampValue&) const = default; };  // "2024-05-17 08:30:00[.123][+02:00]"
struct DecimalValue { std::string text; bool operator==(const DecimalValue&) const = default; };

using BoundValue = std::variant<NullValue, bool, std::int64_t, double, std::string, DateValue, TimeValue, TimestampValue, DecimalValue>;

struct Statement {
  std::string text;                 // placeholders as the dialect writes them: $1 (postgres, duckdb), ?1 (sqlite), ? (mysql)
  std::vector<BoundValue> values;   // in the order of their numbers, or of the placeholders
};

}  // namespace basalt::sql
