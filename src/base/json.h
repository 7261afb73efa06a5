// JSON trees (Boost.JSON) and our own writer. Boost's serializer writes 0.1 as 1E-1, so nothing else writes JSON.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "base/ids.h"

namespace basalt {
namespace json {
using boost::json::array;
using boost::json::object;
using boost::json::value;
using boost::json::kind;

inline constexpr std::size_t max_depth = 200;

// Parses UTF-8 text. Throws Failure BadRequest "This is not JSON: …" with line and column; deeper than max_depth is refused.
value parse(std::string_view text);
// Like parse, absent when the text is not JSON (for stored or foreign text that may be anything).
std::optional<value> try_parse(std::string_view text);

// Shortest text that reads back to the same value; integers stay integers, NaN and infinities become null.
std::string write(const value& v);
std::string write_pretty(const value& v);  // two-space indent, keys as stored
void write_to(std::string& out, const value& v);
void write_string(std::string& out, std::string_view text);   // quoted and escaped; invalid UTF-8 becomes U+FFFD
void write_number(std::string& out, double number);           // std::to_chars, "1.5", "1e+300"; not finite: null
void write_number(std::string& out, std::int64_t number);

// Look-ups that say absent instead of throwing. A JSON null counts as absent.
const value* find(const object& o, std::string_view key);
const value* find(const value& v, std::string_view key);       // absent when v is no object
std::optional<std::string> text(const value& v, std::string_view key);
std::optional<std::int64_t> integer(const value& v, std::string_view key);
std::optional<double> number(const value& v, std::string_view key);
std::optional<bool> boolean(const value& v, std::string_view key);
// Also asked of an object itself: turned into a value first, the answer would point into a copy that is gone.
const object* sub_object(const object& o, std::string_view key);
const object* sub_object(const value& v, std::string_view key);
const array* sub_array(const object& o, std::string_view key);
const array* sub_array(const value& v, std::string_view key);

// The value as an integer where it is one: integers, and doubles without a fraction.
std::optional<std::int64_t> as_integer(const value& v);
// nullopt -> null, else the value.
template <class T>
value or_null(const std::optional<T>& v);
template <class Tag>
value or_null(const std::optional<Id<Tag>>& v);
}  // namespace json

template <class T>
json::value json::or_null(const std::optional<T>& v) {
  if (!v) return nullptr;
  return json::value(*v);
}
template <class Tag>
json::value json::or_null(const std::optional<Id<Tag>>& v) {
  if (!v) return nullptr;
  return json::value(v->value);
}
}  // namespace basalt
