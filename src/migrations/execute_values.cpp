#include "migrations/execute_parts.h"

#include <charconv>

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

json::value value_json(const appdb::Value& value) {
  return std::visit(Cases{
                        [](std::nullptr_t) -> json::value { return nullptr; },
                        [](bool b) -> json::value { return b; },
                        [](std::int64_t n) -> json::value { return n; },
                        [](double d) -> json::value { return d; },
                        [](const std::string& s) -> json::value { return json::value(s); },
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
  if (auto bytes = json::text(v, "base64"); bytes && v.as_object().size() == 1) return appdb::Blob{from_base64(*bytes).value_or("")};
  return v;
}

void ColumnUpdates::add(std::string row_uid, Parameter value) {
  auto* text = std::get_if<std::string>(&value.value());
  bytes_ += 100 + (text ? text->size() : 0);
  waiting_.emplace_back(std::move(row_uid), std::move(value));
  if (waiting_.size() >= 500 || bytes_ > 4'000'000) flush();
}

void ColumnUpdates::flush() {
  auto table = quoted(table_), column = quoted(column_.name);
  if (connection_.engine() == appdb::Engine::Sqlite) {
    // In the same process a prepared statement for each row is the fastest.
    for (auto& [uid, value] : waiting_) connection_.execute("UPDATE " + table + " SET " + column + " = ? WHERE row_uid = ?", {value, uid});
  } else if (!waiting_.empty()) {
    std::map<std::string, const Parameter*> latest;
    for (auto& [uid, value] : waiting_) latest[uid] = &value;
    std::string sql = "UPDATE " + table + " SET " + column + " = v.value FROM (VALUES ";
    appdb::Parameters parameters;
    for (auto& [uid, value] : latest) {
      sql += parameters.empty() ? "(CAST(? AS text), CAST(? AS " + type_sql(connection_.engine(), column_) + "))" : ", (?, ?)";
      parameters.emplace_back(uid);
      parameters.push_back(*value);
    }
    connection_.execute(sql + ") AS v (uid, value) WHERE " + table + ".row_uid = v.uid", parameters);
  }
  waiting_.clear();
  bytes_ = 0;
}

}  // namespace basalt::migrations
