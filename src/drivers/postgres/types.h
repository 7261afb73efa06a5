// PostgreSQL's types as rows and the API know them, and its text output as values.
#pragma once
#include <string>
#include <string_view>

#include "rows/batch.h"

namespace basalt::drivers::postgres {

// How the server's text of a value becomes ours.
enum class Reading : std::uint8_t { Integer, Real, Decimal, Money, Boolean, Plain, Date, Time, Timestamp, TimestampTz, Bytes };

struct Type {
  unsigned oid;            // 0: only known by name
  std::string_view name;   // pg_type.typname
  std::string_view base_type;
  rows::Kind kind;
  Reading reading;
};

// nullptr: none of the built-in types we know.
const Type* find_type(unsigned oid);
const Type* find_type(std::string_view name);
// The API's type for a column of the catalogue: `kind` is pg_type.typtype, `category` pg_type.typcategory.
std::string base_type_of(std::string_view name, char kind, char category);

// Appends one value in the server's text form (DateStyle ISO, bytea_output hex, lc_monetary C).
void append(rows::Vector& column, Reading reading, std::string_view text);

}  // namespace basalt::drivers::postgres
