// The API's type names ("type/Integer", …), reduced to what the language and SQL tell apart.
#pragma once
#include <cstdint>
#include <string_view>

#include "query/query.h"

namespace basalt::query {

enum class TypeKind : std::uint8_t { Unknown, Integer, Float, Boolean, Text, Date, Time, DateTime, DateTimeZoned, Uuid, Other };

TypeKind type_kind(std::string_view base_type);
inline bool is_temporal(TypeKind kind) { return kind >= TypeKind::Date && kind <= TypeKind::DateTimeZoned; }
inline bool is_numeric(TypeKind kind) { return kind == TypeKind::Integer || kind == TypeKind::Float; }

// Type of a resolved expression, e.g. "type/BigInteger"; "type/*" when nobody knows.
std::string_view type_of(const Expression& expression);
inline TypeKind kind_of(const Expression& expression) { return type_kind(type_of(expression)); }

// Same tree, same values; of resolved expressions.
bool equal(const Expression& a, const Expression& b);
// The same for clauses as they were parsed.
bool same(const Expression& a, const Expression& b);

// As said to people: "a number", "text", "a date".
std::string_view in_words(TypeKind kind);

}  // namespace basalt::query
