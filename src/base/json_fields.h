// A request body as a struct: its fields are stated once and serve parsing, validation and the API document.
//
//   struct NewAlert {
//     std::int64_t card = 0;
//     std::string name;
//     std::optional<std::string> note;          // absent or null: std::nullopt
//     Patch<std::string> description;           // tells absent from null, for PUT
//     static constexpr auto fields() {
//       return json_fields(field("card_id", &NewAlert::card), field("name", &NewAlert::name, not_blank),
//                          field("note", &NewAlert::note), field("description", &NewAlert::description));
//     }
//   };
//   auto alert = read_fields<NewAlert>(json);   // throws one Failure naming every wrong field
//
// Unknown keys are ignored: clients send leftovers.
#pragma once
#include <tuple>
#include <vector>

#include "base/failure.h"
#include "base/json.h"

namespace basalt {

// A value in a PUT: not mentioned, set to null, or set.
template <class T>
struct Patch {
  bool present = false;
  std::optional<T> value;
  explicit operator bool() const { return present; }  // was it mentioned at all?
};

template <class T>
struct JsonType;  // specialise: static bool read(const json::value&, T&); static constexpr const char* wanted; static json::object schema()

using FieldCheck = const char* (*)(const json::value&);  // returns the sentence when the value is wrong, else nullptr

// Checks for field(): see the sentences.
inline const char* not_blank(const json::value& v) {
  if (v.is_string() && v.get_string().find_first_not_of(" \t\r\n") != boost::json::string::npos) return nullptr;
  return "value must be a non-blank string.";
}
inline const char* email_address(const json::value& v) {
  auto* s = v.if_string();
  std::string_view text = s ? std::string_view(*s) : std::string_view();
  auto at = text.find('@');
  bool right = at != std::string_view::npos && at > 0 && text.find('.', at + 2) != std::string_view::npos && text.back() != '.' &&
               text.find_first_of(" \t\r\n,;<>") == std::string_view::npos && text.size() <= 254;
  return right ? nullptr : "value must be a valid email address.";
}
inline const char* positive(const json::value& v) {
  auto i = json::as_integer(v);
  return i && *i > 0 ? nullptr : "value must be an integer greater than zero.";
}
inline const char* not_negative(const json::value& v) {
  auto i = json::as_integer(v);
  return i && *i >= 0 ? nullptr : "value must be an integer of zero or more.";
}

template <class Class, class Member>
struct JsonField {
  const char* name;
  Member Class::* member;
  FieldCheck check = nullptr;
};

template <class Class, class Member>
constexpr JsonField<Class, Member> field(const char* name, Member Class::* member, FieldCheck check = nullptr) {
  return {name, member, check};
}

template <class... Fields>
constexpr std::tuple<Fields...> json_fields(Fields... fields) {
  return {fields...};
}

template <> struct JsonType<std::string> {
  static constexpr const char* wanted = "value must be a string.";
  static bool read(const json::value& v, std::string& out) { if (!v.is_string()) return false; out = std::string(v.get_string()); return true; }
  static json::object schema() { return {{"type", "string"}}; }
};
template <> struct JsonType<bool> {
  static constexpr const char* wanted = "value must be true or false.";
  static bool read(const json::value& v, bool& out) {
    if (v.is_bool()) { out = v.get_bool(); return true; }
    if (v.is_string() && (v.get_string() == "true" || v.get_string() == "false")) { out = v.get_string() == "true"; return true; }
    return false;
  }
  static json::object schema() { return {{"type", "boolean"}}; }
};
template <> struct JsonType<std::int64_t> {
  static constexpr const char* wanted = "value must be an integer.";
  static bool read(const json::value& v, std::int64_t& out) { auto i = json::as_integer(v); if (i) out = *i; return i.has_value(); }
  static json::object schema() { return {{"type", "integer"}}; }
};
template <> struct JsonType<double> {
  static constexpr const char* wanted = "value must be a number.";
  static bool read(const json::value& v, double& out) { if (!v.is_number()) return false; out = v.to_number<double>(); return true; }
  static json::object schema() { return {{"type", "number"}}; }
};
template <class Tag> struct JsonType<Id<Tag>> {
  static constexpr const char* wanted = "value must be an integer greater than zero.";
  static bool read(const json::value& v, Id<Tag>& out) { auto i = json::as_integer(v); if (!i || *i <= 0) return false; out = Id<Tag>(*i); return true; }
  static json::object schema() { return {{"type", "integer"}, {"minimum", 1}}; }
};
template <> struct JsonType<json::value> {
  static constexpr const char* wanted = "value must be JSON.";
  static bool read(const json::value& v, json::value& out) { out = v; return true; }
  static json::object schema() { return {}; }
};
template <> struct JsonType<json::object> {
  static constexpr const char* wanted = "value must be a map.";
  static bool read(const json::value& v, json::object& out) { if (!v.is_object()) return false; out = v.get_object(); return true; }
  static json::object schema() { return {{"type", "object"}}; }
};
template <> struct JsonType<json::array> {
  static constexpr const char* wanted = "value must be an array.";
  static bool read(const json::value& v, json::array& out) { if (!v.is_array()) return false; out = v.get_array(); return true; }
  static json::object schema() { return {{"type", "array"}}; }
};

template <class T> T read_fields(const json::value& body);
template <class T> json::object describe_fields();

template <class T> requires requires { T::fields(); }
struct JsonType<T> {
  static constexpr const char* wanted = "value must be a map with the right keys.";
  static bool read(const json::value& v, T& out) {
    if (!v.is_object()) return false;
    out = read_fields<T>(v);  // its own failures name its own fields
    return true;
  }
  static json::object schema() { return describe_fields<T>(); }
};
template <class T> struct JsonType<std::vector<T>> {
  static constexpr const char* wanted = "value must be an array of the right items.";
  static bool read(const json::value& v, std::vector<T>& out) {
    if (!v.is_array()) return false;
    for (auto& item : v.get_array()) {
      T read_item{};
      if (!JsonType<T>::read(item, read_item)) return false;
      out.push_back(std::move(read_item));
    }
    return true;
  }
  static json::object schema() { return {{"type", "array"}, {"items", JsonType<T>::schema()}}; }
};

namespace detail {
// How each member kind treats "absent" and "null".
template <class T> struct MemberRule {
  static constexpr bool required = true;
  using Inner = T;
  static bool read(const json::value& v, T& out) { return JsonType<T>::read(v, out); }
};
template <class T> struct MemberRule<std::optional<T>> {
  static constexpr bool required = false;
  using Inner = T;
  static bool read(const json::value& v, std::optional<T>& out) { T item{}; if (!JsonType<T>::read(v, item)) return false; out = std::move(item); return true; }
};
template <class T> struct MemberRule<Patch<T>> {
  static constexpr bool required = false;
  using Inner = T;
  static bool read(const json::value& v, Patch<T>& out) { T item{}; if (!JsonType<T>::read(v, item)) return false; out.value = std::move(item); return true; }
};
template <class T> constexpr bool is_patch = false;
template <class T> constexpr bool is_patch<Patch<T>> = true;
}  // namespace detail

// Throws Failure BadRequest with a sentence per wrong or missing field. `body` must be a JSON object.
template <class T>
T read_fields(const json::value& body) {
  auto* object = body.if_object();
  if (!object) throw Failure(FailureKind::BadRequest, "The body must be a JSON object.");
  T result{};
  Failure failure(FailureKind::BadRequest, "Some fields are missing or wrong.");
  auto read_one = [&]<class Member>(const JsonField<T, Member>& described) {
    using Rule = detail::MemberRule<Member>;
    auto* value = object->if_contains(described.name);
    auto blame = [&](const char* sentence) { (void)std::move(failure).with_field(described.name, sentence); };
    if constexpr (detail::is_patch<Member>) {
      if (value) (result.*described.member).present = true;
    }
    if (!value || (value->is_null() && !std::is_same_v<Member, json::value>)) {
      if (Rule::required) blame(described.check && described.check(nullptr) ? described.check(nullptr) : JsonType<typename Rule::Inner>::wanted);
      return;
    }
    if (!Rule::read(*value, result.*described.member)) return blame(JsonType<typename Rule::Inner>::wanted);
    if (described.check) {
      if (auto* sentence = described.check(*value)) blame(sentence);
    }
  };
  std::apply([&](const auto&... described) { (read_one(described), ...); }, T::fields());
  if (!failure.fields().empty()) throw failure;
  return result;
}

// JSON Schema of the body, for the API document.
template <class T>
json::object describe_fields() {
  json::object properties;
  json::array required;
  auto describe_one = [&]<class Member>(const JsonField<T, Member>& described) {
    using Rule = detail::MemberRule<Member>;
    properties[described.name] = JsonType<typename Rule::Inner>::schema();
    if (Rule::required) required.push_back(json::value(described.name));
  };
  std::apply([&](const auto&... described) { (describe_one(described), ...); }, T::fields());
  json::object schema{{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

}  // namespace basalt
