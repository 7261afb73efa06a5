// How one engine spells SQL: data first, methods only where the structure differs. Immutable, shared by all threads.
#pragma once
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "query/functions.h"
#include "query/temporal_unit.h"
#include "query/types.h"
#include "sql/statement.h"

namespace basalt::sql {

// Where an engine sorts rows without a value: as if it were the highest value (PostgreSQL), the lowest, or always at the end.
enum class Nulls { High, Low, Last };

// What an engine can do. The compiler asks these, never for names.
struct Capabilities {
  bool time_zones = true;            // timestamps with a zone, and a session time zone
  bool temporal_types = true;        // false: dates are text, compared as text
  bool case_sensitive_like = true;   // false: LIKE ignores case
  bool right_and_full_joins = true;
  bool full_joins = true;            // false: right joins only
  bool zoned_literals = true;        // false: instants are written as the session's clocks show them
  bool casts_texts = true;           // a bound text needs CAST where its type cannot be told from its neighbours
  // Rows come in the same order everywhere, nulls as the highest value: where the engine sorts otherwise, it is told.
  Nulls nulls = Nulls::High;
  bool nulls_clause = true;          // NULLS FIRST and NULLS LAST; false: an `x IS NULL` before it does the same
};

// Templates: {0}, {1}… are arguments, {*} all of them with commas, {||} all of them with ||. In units of time also {week} (the
// argument truncated to the week), {days} (what to add to the ISO day of the week so that the first day of the week becomes 0
// modulo 7), {back} (days from the first day of the week to the next Monday), {weekday} (first day of the week, Sunday 0).
using FunctionTemplates = std::map<query::Function, std::string>;
using UnitTemplates = std::map<query::TemporalUnit, std::string>;

class Dialect {
 public:
  virtual ~Dialect() = default;

  std::string name, title;           // "postgres", "PostgreSQL"
  char identifier_quote = '"';
  bool trims_names = false;          // the engine forgets blanks and control characters before a name, and blanks behind it
  bool backslash_escapes = false;    // a backslash in a text literal escapes what follows
  char placeholder = '$';            // before the number
  bool numbered = true;              // false: placeholders have no numbers, and each its own value
  Capabilities supports;
  FunctionTemplates functions;       // absent: the engine cannot
  // Truncations of dates with time, of dates and of times of day. Weeks that begin on Monday may be spelled shorter.
  UnitTemplates truncate, truncate_date, truncate_time;
  std::string week_from_monday, week_from_monday_date;
  UnitTemplates extract;
  UnitTemplates add;                 // {0} plus {1} units
  UnitTemplates difference;          // whole units from {0} to {1}
  std::map<std::string, std::string> coercions;  // by strategy, "Coercion/UNIXSeconds->DateTime"
  std::map<std::string, std::string> to_datetime;  // by mode: "iso", "simple", "unixseconds", "unixmilliseconds", "unixmicroseconds"
  std::string explain;               // what stands before a statement to ask how it would run; empty: the engine does not say
  std::string percentile;            // {0} the value, {1} the fraction; empty: the engine cannot
  std::string in_zone;               // {0} an instant on the clocks of {1}; empty: the engine cannot
  std::string between_zones;         // {0} a wall-clock time of the zone {2} on the clocks of {1}; empty: the engine cannot
  std::string like = "LIKE", like_any_case = "ILIKE";
  char like_escape = '\\';
  // What is searched and, for either case, the pattern: {0} is the text; empty: as it is.
  std::string searched, searched_any_case, pattern_any_case;
  // Names of types for casts.
  std::string text_type = "TEXT", integer_type = "BIGINT", float_type = "DOUBLE PRECISION", uuid_type = "UUID", date_type = "DATE",
              time_type = "TIME", timestamp_type = "TIMESTAMP", timestamp_zone_type = "TIMESTAMP WITH TIME ZONE";

  // Appends `identifier` quoted, quotes inside doubled.
  void quote(std::string& out, std::string_view identifier) const;
  // Appends the placeholder of the value with this number (from 1).
  void write_placeholder(std::string& out, std::size_t number) const;
};

// All dialects, sorted by name.
std::span<const Dialect* const> dialects();
// By the engine's key ("postgres"); nullptr: no such dialect.
const Dialect* find_dialect(std::string_view name);
const Dialect& mysql();
const Dialect& postgres();
const Dialect& sqlite();
const Dialect& duckdb();

}  // namespace basalt::sql
