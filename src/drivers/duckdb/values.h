// DuckDB's vectors as ours.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/time_zone.h"
#include "drivers/duckdb/library.h"
#include "rows/batch.h"

namespace basalt::drivers::duckdb {

// A column's type, taken apart once per result.
struct Type {
  ::duckdb_type id = DUCKDB_TYPE_INVALID;
  std::uint8_t scale = 0;                 // Decimal
  ::duckdb_type stored = DUCKDB_TYPE_INVALID;  // Decimal, Enum: the integers it lies in memory as
  std::vector<std::string> labels;        // Enum
  std::vector<std::string> names;         // Struct
  std::vector<Type> children;             // List, Array: one; Struct: each; Map: key and value
  std::uint64_t length = 0;               // Array
  bool is_json = false;                   // a Varchar that holds a JSON document

  static Type of(const Library& library, duckdb_logical_type type);  // `type` stays the caller's
  rows::Kind kind() const;
  std::string name() const;               // "BIGINT", "DECIMAL", …
  std::string base_type() const;
};

// The API's type for a type name of the catalogue, e.g. "DECIMAL(10,2)".
std::string base_type_of(std::string_view type_name);

// Appends the rows [from, to) of `source`. HUGEINT and UBIGINT come as integers where all of them fit, else as decimals: the
// kind of `column` may change when it is empty.
void append(const Library& library, rows::Vector& column, const Type& type, duckdb_vector source, std::uint64_t from, std::uint64_t to,
            const TimeZone* zone);
// Bytes the text of a row takes, 0 for types of fixed size.
std::size_t text_bytes(const Library& library, const Type& type, duckdb_vector source, std::uint64_t row);

}  // namespace basalt::drivers::duckdb
