#include "migrations/execute_parts.h"

#include <charconv>
#include <cmath>

#include "base/crypto.h"

namespace basalt::migrations {

using appdb::Parameter;
using appdb::quoted;

std::string list(const std::vector<std::string>& names, const std::string& prefix) {
  std::string out;
  for (auto& n : names) out += (out.empty() ? "" : ", ") + prefix + quoted(n);
  return out;
}

const Table& need(const Structure& s, std::string_view name) {
  if (auto* t = s.table(name)) return *t;
  throw Failure(FailureKind::Bug, "A migration does not fit the data it meets: there is no table " + std::string(name) + ".");
}

// Rows whose value differs from what a new row would get.
std::string not_preset(const Column& c) {
  auto name = quoted(c.name);
  if (!c.preset || c.preset->is_null()) return name + " IS NOT NULL";
  return "(" + name + " IS NULL OR " + name + " <> " + literal(*c.preset) + ")";
}

// Characters, not bytes.
std::string first_characters(const std::string& text, std::int64_t count) {
  std::size_t at = 0;
  while (at < text.size() && count > 0) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
    --count;
  }
  return text.substr(0, at);
}

json::value plain_value(const json::value& v, Type type) {
  if (auto number = v.is_object() && v.get_object().size() == 1 ? json::text(v, "real") : std::nullopt) {
    if (type == Type::Real) return v;
    if (type == Type::Integer) return *number == "nan" ? json::value(nullptr) : json::value(*number == "inf" ? INT64_MAX : INT64_MIN);
    return type == Type::Boolean ? json::value(nullptr) : json::value(*number);
  }
  if (v.is_object() && v.get_object().contains("text64")) return type == Type::Text || type == Type::Json || type == Type::Time ? v : json::value(nullptr);
  switch (type) {
    case Type::Integer:
      if (v.is_bool()) return v.get_bool() ? 1 : 0;
      if (auto* d = v.if_double()) return *d >= 9.2e18 ? INT64_MAX : *d <= -9.2e18 ? INT64_MIN : static_cast<std::int64_t>(*d);
      if (auto* s = v.if_string()) {
        std::int64_t n = 0;
        auto read = std::from_chars(s->data(), s->data() + s->size(), n);
        return read.ec == std::errc() && read.ptr == s->data() + s->size() ? json::value(n) : json::value(nullptr);
      }
      return v;
    case Type::Real:
      if (v.is_bool()) return v.get_bool() ? 1.0 : 0.0;
      if (auto* i = v.if_int64()) return static_cast<double>(*i);
      if (auto* s = v.if_string()) {
        double d = 0;
        auto read = std::from_chars(s->data(), s->data() + s->size(), d);
        return read.ec == std::errc() && read.ptr == s->data() + s->size() ? json::value(d) : json::value(nullptr);
      }
      return v;
    case Type::Boolean:
      if (auto* i = v.if_int64()) return *i == 0 ? json::value(false) : *i == 1 ? json::value(true) : json::value(nullptr);
      return v.is_bool() ? v : json::value(nullptr);
    case Type::Text: case Type::Json: case Type::Time:
      if (v.is_null() || v.is_string()) return v;
      return json::value(json::write(v));
    case Type::Blob: return v;
  }
  return v;
}

// The nearest value that the column can hold.
json::value fitted(json::value v, const Column& c, const json::value& fallback) {
  v = plain_value(v, c.type);
  if (v.is_string() && !c.allowed.empty() && std::find(c.allowed.begin(), c.allowed.end(), std::string(v.get_string())) == c.allowed.end()) v = fallback;
  if (v.is_string() && c.longest) v = json::value(first_characters(std::string(v.get_string()), *c.longest));
  if (auto* i = v.if_int64()) {
    if (c.least && *i < *c.least) v = *c.least;
    else if (c.most && *i > *c.most) v = *c.most;
  }
  if (v.is_null() && c.not_null) v = fallback.is_null() && c.preset ? *c.preset : fallback;
  return v;
}

namespace {

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    auto c = static_cast<unsigned char>(text[i]);
    std::size_t length = c < 0x80 ? 1 : c >= 0xC2 && c < 0xE0 ? 2 : (c & 0xF0) == 0xE0 ? 3 : c >= 0xF0 && c < 0xF5 ? 4 : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k) if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return false;
    if (length == 3) {
      auto next = static_cast<unsigned char>(text[i + 1]);
      if ((c == 0xE0 && next < 0xA0) || (c == 0xED && next >= 0xA0)) return false;
    }
    if (length == 4) {
      auto next = static_cast<unsigned char>(text[i + 1]);
      if ((c == 0xF0 && next < 0x90) || (c == 0xF4 && next >= 0x90)) return false;
    }
    i += length;
  }
  return true;
}

}  // namespace

json::value value_json(const appdb::Value& value) {
  return std::visit(Cases{
                        [](std::nullptr_t) -> json::value { return nullptr; },
                        [](bool b) -> json::value { return b; },
                        [](std::int64_t n) -> json::value { return n; },
                        [](double d) -> json::value {
                          if (std::isfinite(d)) return d;
                          return json::object{{"real", std::isnan(d) ? "nan" : d > 0 ? "inf" : "-inf"}};
                        },
                        [](const std::string& s) -> json::value { return is_utf8(s) ? json::value(s) : json::value(json::object{{"text64", base64(s)}}); },
                        [](const appdb::Blob& b) -> json::value { return json::object{{"base64", base64(b.bytes)}}; },
                    },
                    value);
}

Parameter parameter_of(const json::value& v) {
  if (v.is_null()) return nullptr;
  if (v.is_bool()) return v.get_bool();
  if (auto* i = v.if_int64()) return *i;
  if (auto* d = v.if_double()) return *d;
  if (auto* s = v.if_string()) return std::string(*s);
  if (v.is_object() && v.get_object().size() == 1) {
    if (auto bytes = json::text(v, "base64")) return appdb::Blob{from_base64(*bytes).value_or("")};
    if (auto bytes = json::text(v, "text64")) return from_base64(*bytes).value_or("");
    if (auto number = json::text(v, "real")) return number == "inf" ? HUGE_VAL : number == "-inf" ? -HUGE_VAL : std::nan("");
  }
  return v;
}

namespace {

// One more element of a PostgreSQL array as text; absent: null.
void add_element(std::string& array, const std::optional<std::string>& element) {
  array += array.empty() ? '{' : ',';
  if (!element) {
    array += "NULL";
    return;
  }
  array += '"';
  for (char c : *element) {
    if (c == '"' || c == '\\') array += '\\';
    array += c;
  }
  array += '"';
}

}  // namespace

void ColumnUpdates::add(std::string row_uid, Parameter value) {
  auto* text = std::get_if<std::string>(&value.value());
  bytes_ += 100 + (text ? text->size() : 0);
  waiting_.emplace_back(std::move(row_uid), std::move(value));
  if (waiting_.size() >= 2000 || bytes_ > 4'000'000) flush();
}

void ColumnUpdates::flush() {
  auto table = quoted(table_), column = quoted(column_.name);
  if (connection_.engine() == appdb::Engine::Sqlite) {
    // In the same process a prepared statement for each row is the fastest.
    for (auto& [uid, value] : waiting_) connection_.execute("UPDATE " + table + " SET " + column + " = ? WHERE row_uid = ?", {value, uid});
  } else if (!waiting_.empty()) {
    // Two arrays: one statement for any number of rows, and the server looks the rows up by their key.
    std::map<std::string_view, const appdb::Value*> latest;
    for (auto& [uid, value] : waiting_) latest[uid] = &value.value();
    std::string uids, values;
    for (auto& [uid, value] : latest) {
      add_element(uids, std::string(uid));
      std::visit(Cases{
                     [&](std::nullptr_t) { add_element(values, std::nullopt); },
                     [&](bool b) { add_element(values, b ? "true" : "false"); },
                     [&](std::int64_t n) { add_element(values, std::to_string(n)); },
                     [&](double d) {
                       char buffer[40];
                       add_element(values, std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, d).ptr));
                     },
                     [&](const std::string& s) { add_element(values, s); },
                     [&](const appdb::Blob& blob) { add_element(values, "\\x" + hex(blob.bytes)); },
                 },
                 *value);
    }
    connection_.execute("UPDATE " + table + " SET " + column + " = CAST(v.value AS " + type_sql(connection_.engine(), column_) + ") FROM unnest(CAST(? AS text[]), CAST(? AS text[])) AS v (uid, value) WHERE " + table +
                            ".row_uid = v.uid",
                        {uids + "}", values + "}"});
  }
  waiting_.clear();
  bytes_ = 0;
}

}  // namespace basalt::migrations
