// How one engine spells SQL: data first, methods only where the structure differs. Immutable, shared by all threads.
#pragma once
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "query/functions.h"
#include "query/temporal_unit.h"
#include "sql/statement.h"

namespace basalt::sql {

class SqlWriter;

// What an engine can do. The compiler asks these, never for names.
struct Capabilities {
  bool schemas = true;
  bool full_join = true;
  bool percentiles = true;
  bool regular_expressions = true;
  bool time_zones = true;          // has timestamps with zone and a session time zone
  bool temporal_types = true;      // false: dates are text
};

class Dialect {
 public:
  virtual ~Dialect() = default;

  std::string name;
  char identifier_quote = '"';
  Capabilities supports;
  // SQL of a function with {0}, {1}… for its arguments and {*} for all of them, comma separated. Absent: the engine cannot.
  std::map<query::Function, std::string> functions;
  // SQL of a truncation or extraction with {0}; {shift} is the number of days from Monday to the first day of the week and
  // {back} the same backwards, 7 - shift. Absent: the engine cannot.
  std::map<query::TemporalUnit, std::string> truncate, truncate_date, extract;
  // Type names for casts.
  std::string text_type = "TEXT", integer_type = "BIGINT", float_type = "DOUBLE PRECISION", date_type = "DATE", time_type = "TIME",
              timestamp_type = "TIMESTAMP", timestamp_zone_type = "TIMESTAMP WITH TIME ZONE";

  // Appends `identifier` quoted, quotes inside doubled.
  void quote(std::string& out, std::string_view identifier) const;
  // Placeholder of the value with this number (from 1).
  virtual void write_placeholder(std::string& out, std::size_t number) const = 0;
};

// nullptr: no such dialect.
const Dialect* find_dialect(std::string_view name);
const Dialect& postgres();
const Dialect& sqlite();
const Dialect& duckdb();

}  // namespace basalt::sql
