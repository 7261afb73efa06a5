#include "migrations/structure.h"

#include <algorithm>
#include <array>

#include "base/failure.h"

namespace basalt::migrations {
namespace {

using appdb::Engine;
using appdb::quoted;

constexpr std::array<std::pair<Type, const char*>, 7> type_names{{{Type::Integer, "integer"}, {Type::Real, "real"}, {Type::Boolean, "boolean"}, {Type::Text, "text"}, {Type::Json, "json"}, {Type::Time, "time"}, {Type::Blob, "blob"}}};

Column column_of(std::string name, Type type) {
  Column column;
  column.name = std::move(name);
  column.type = type;
  return column;
}

json::array names_json(const std::vector<std::string>& names) {
  json::array out;
  for (auto& name : names) out.emplace_back(name);
  return out;
}

std::vector<std::string> names_from(const json::value& v) {
  std::vector<std::string> out;
  for (auto& item : v.as_array()) out.emplace_back(item.as_string());
  return out;
}

// PostgreSQL cuts names at 63 bytes, silently; ours are cut before, with a number that keeps them apart.
std::string bounded_name(std::string name) {
  if (name.size() <= 60) return name;
  std::uint32_t hash = 2166136261u;
  for (unsigned char c : name) hash = (hash ^ c) * 16777619u;
  return name.substr(0, 50) + "_" + std::to_string(hash % 100000000u);
}

}  // namespace

Column integer(std::string name) { return column_of(std::move(name), Type::Integer); }
Column real(std::string name) { return column_of(std::move(name), Type::Real); }
Column boolean(std::string name) { return column_of(std::move(name), Type::Boolean); }
Column text(std::string name) { return column_of(std::move(name), Type::Text); }
Column json_document(std::string name) { return column_of(std::move(name), Type::Json); }
Column time(std::string name) { return column_of(std::move(name), Type::Time); }
Column blob(std::string name) { return column_of(std::move(name), Type::Blob); }
Column reference(std::string table) {
  auto name = table + "_id";
  return reference(std::move(name), std::move(table));
}
Column reference(std::string name, std::string table) {
  auto column = column_of(std::move(name), Type::Integer);
  column.target = std::move(table);
  return column;
}

const Column* Table::column(std::string_view wanted) const {
  for (auto& c : columns) if (c.name == wanted) return &c;
  return nullptr;
}
Column* Table::column(std::string_view wanted) { return const_cast<Column*>(std::as_const(*this).column(wanted)); }

std::vector<std::string> Table::column_names() const {
  std::vector<std::string> out;
  if (has_id) out.emplace_back("id");
  out.emplace_back("row_uid");
  for (auto& c : columns) out.push_back(c.name);
  return out;
}

Table table(std::string name, std::vector<Column> columns) {
  Table out;
  out.name = std::move(name);
  for (auto& column : columns) {
    if (column.alone) out.uniques.push_back({{column.name}});
    column.alone = false;
    out.columns.push_back(std::move(column));
  }
  // Every reference is indexed: deleting the parent looks its children up.
  for (auto& column : out.columns) {
    bool found = std::any_of(out.uniques.begin(), out.uniques.end(), [&](auto& u) { return u.columns.front() == column.name; });
    if (!column.target.empty() && !found) out.indexes.push_back({{column.name}});
  }
  return out;
}

const Table* Structure::table(std::string_view wanted) const {
  for (auto& t : tables) if (t.name == wanted) return &t;
  return nullptr;
}
Table* Structure::table(std::string_view wanted) { return const_cast<Table*>(std::as_const(*this).table(wanted)); }

std::vector<std::string> Structure::referencing(std::string_view name) const {
  std::vector<std::string> out;
  for (auto& t : tables)
    if (!t.held && std::any_of(t.columns.begin(), t.columns.end(), [&](auto& c) { return c.target == name; })) out.push_back(t.name);
  return out;
}

// ---- JSON: only what differs from the usual is written

json::value to_json(const Column& c) {
  json::object out{{"name", c.name}};
  for (auto& [type, name] : type_names) if (type == c.type) out["type"] = name;
  if (c.not_null) out["required"] = true;
  if (c.preset) out["default"] = *c.preset;
  if (!c.target.empty()) {
    out["references"] = c.target;
    if (c.on_delete != OnDelete::Restrict) out["on_delete"] = c.on_delete == OnDelete::Cascade ? "cascade" : "set-null";
  }
  if (!c.allowed.empty()) out["one_of"] = names_json(c.allowed);
  if (c.longest) out["at_most"] = *c.longest;
  if (c.least) out["least"] = *c.least;
  if (c.most) out["most"] = *c.most;
  return out;
}

Column column_from_json(const json::value& v) {
  Column c;
  c.name = json::text(v, "name").value();
  auto type = json::text(v, "type").value();
  bool known = false;
  for (auto& [kind, name] : type_names) if (type == name) { c.type = kind; known = true; }
  if (!known) throw Failure(FailureKind::BadRequest, "The data has a column of a type that this version does not know (" + type + "); use a newer version.");
  c.not_null = json::boolean(v, "required").value_or(false);
  if (auto* preset = v.as_object().if_contains("default")) c.preset = *preset;
  c.target = json::text(v, "references").value_or("");
  auto on_delete = json::text(v, "on_delete").value_or("");
  c.on_delete = on_delete == "cascade" ? OnDelete::Cascade : on_delete == "set-null" ? OnDelete::SetNull : OnDelete::Restrict;
  if (auto* allowed = json::find(v, "one_of")) c.allowed = names_from(*allowed);
  c.longest = json::integer(v, "at_most");
  c.least = json::integer(v, "least");
  c.most = json::integer(v, "most");
  return c;
}

json::value to_json(const Table& t) {
  json::object out{{"name", t.name}};
  json::array columns, uniques, indexes;
  for (auto& c : t.columns) columns.push_back(to_json(c));
  for (auto& u : t.uniques) uniques.push_back(names_json(u.columns));
  for (auto& i : t.indexes) indexes.push_back(names_json(i.columns));
  out["columns"] = std::move(columns);
  if (!uniques.empty()) out["uniques"] = std::move(uniques);
  if (!indexes.empty()) out["indexes"] = std::move(indexes);
  if (!t.has_id) out["has_id"] = false;
  if (!t.in_backup) out["in_backup"] = false;
  if (t.held) out["held"] = true;
  return out;
}

Table table_from_json(const json::value& v) {
  Table t;
  t.name = json::text(v, "name").value();
  for (auto& c : v.at("columns").as_array()) t.columns.push_back(column_from_json(c));
  if (auto* uniques = json::sub_array(v, "uniques")) for (auto& u : *uniques) t.uniques.push_back({names_from(u)});
  if (auto* indexes = json::sub_array(v, "indexes")) for (auto& i : *indexes) t.indexes.push_back({names_from(i)});
  t.has_id = json::boolean(v, "has_id").value_or(true);
  t.in_backup = json::boolean(v, "in_backup").value_or(true);
  t.held = json::boolean(v, "held").value_or(false);
  return t;
}

json::value to_json(const Structure& s) {
  json::array tables;
  for (auto& t : s.tables) tables.push_back(to_json(t));
  return json::object{{"tables", std::move(tables)}};
}

Structure structure_from_json(const json::value& v) {
  Structure s;
  for (auto& t : v.at("tables").as_array()) s.tables.push_back(table_from_json(t));
  return s;
}

// ---- SQL

std::string type_sql(Engine engine, const Column& c) {
  bool sqlite = engine == Engine::Sqlite;
  switch (c.type) {
    case Type::Integer: return sqlite ? "INTEGER" : "bigint";
    case Type::Real: return sqlite ? "REAL" : "double precision";
    case Type::Boolean: return sqlite ? "BOOLEAN" : "boolean";
    case Type::Text: case Type::Json: return sqlite ? "TEXT" : "text";
    case Type::Time: return sqlite ? "TEXT" : "timestamptz";
    case Type::Blob: return sqlite ? "BLOB" : "bytea";
  }
  return "text";
}

std::string literal(const json::value& constant) {
  switch (constant.kind()) {
    case json::kind::null: return "NULL";
    case json::kind::bool_: return constant.get_bool() ? "TRUE" : "FALSE";
    case json::kind::string: {
      std::string out = "'";
      for (char c : constant.get_string()) {
        if (c == '\'') out += '\'';
        out += c;
      }
      return out + "'";
    }
    default: return json::write(constant);
  }
}

std::string check_sql(const Column& c) {
  std::vector<std::string> conditions;
  if (!c.allowed.empty()) {
    std::string list;
    for (auto& text : c.allowed) list += (list.empty() ? "" : ", ") + literal(json::value(text));
    conditions.push_back(quoted(c.name) + " IN (" + list + ")");
  }
  if (c.longest) conditions.push_back("length(" + quoted(c.name) + ") <= " + std::to_string(*c.longest));
  if (c.least) conditions.push_back(quoted(c.name) + " >= " + std::to_string(*c.least));
  if (c.most) conditions.push_back(quoted(c.name) + " <= " + std::to_string(*c.most));
  std::string out;
  for (auto& condition : conditions) out += (out.empty() ? "" : " AND ") + condition;
  return out;
}

std::string check_name(std::string_view table, std::string_view column) { return bounded_name("c_" + std::string(table) + "_" + std::string(column)); }
std::string reference_name(std::string_view table, std::string_view column) { return bounded_name("f_" + std::string(table) + "_" + std::string(column)); }
std::string required_name(std::string_view table, std::string_view column) { return bounded_name("n_" + std::string(table) + "_" + std::string(column)); }

std::string column_sql(Engine engine, const Table& t, const Column& c) {
  std::string out = quoted(c.name) + " " + type_sql(engine, c);
  if (c.not_null) out += " NOT NULL";
  if (c.preset) out += " DEFAULT " + literal(*c.preset);
  if (auto check = check_sql(c); !check.empty()) out += " CONSTRAINT " + quoted(check_name(t.name, c.name)) + " CHECK (" + check + ")";
  if (!c.target.empty()) {
    out += " CONSTRAINT " + quoted(reference_name(t.name, c.name)) + " REFERENCES " + quoted(c.target) + " (id)";
    if (c.on_delete == OnDelete::Cascade) out += " ON DELETE CASCADE";
    if (c.on_delete == OnDelete::SetNull) out += " ON DELETE SET NULL";
  }
  return out;
}

std::string create_table_sql(Engine engine, const Table& t, std::string_view as) {
  std::string out = "CREATE TABLE " + quoted(as.empty() ? std::string_view(t.name) : as) + " (";
  if (t.has_id && t.held) out += engine == Engine::Sqlite ? "id INTEGER, " : "id bigint, ";
  else if (t.has_id) out += engine == Engine::Sqlite ? "id INTEGER PRIMARY KEY AUTOINCREMENT, " : "id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, ";
  out += t.held ? "row_uid text NOT NULL" : "row_uid text NOT NULL UNIQUE";
  for (auto& c : t.columns) out += ", " + column_sql(engine, t, c);
  return out + ")";
}

std::string unique_name(const Table& t, const Unique& u) {
  std::string out = "u_" + t.name;
  for (auto& c : u.columns) out += "_" + c;
  return bounded_name(out);
}

std::string index_name(const Table& t, const Index& i) {
  std::string out = "i_" + t.name;
  for (auto& c : i.columns) out += "_" + c;
  return bounded_name(out);
}

std::vector<std::string> create_unique_sql(const Table& t, const Unique& u) {
  std::string plain, filled;
  bool nullable = false;
  for (auto& name : u.columns) {
    auto* c = t.column(name);
    plain += (plain.empty() ? "" : ", ") + quoted(name);
    std::string item = quoted(name);
    if (c && !c->not_null && u.columns.size() > 1) {
      nullable = true;
      item = "coalesce(" + quoted(name) + ", " + (c->type == Type::Integer ? "-1" : "''") + ")";
    }
    filled += (filled.empty() ? "" : ", ") + item;
  }
  // The plain one is what ON CONFLICT (columns) finds; the other makes null equal to null, which plain SQL does not.
  std::vector<std::string> out{"CREATE UNIQUE INDEX " + quoted(unique_name(t, u)) + " ON " + quoted(t.name) + " (" + plain + ")"};
  if (nullable) out.push_back("CREATE UNIQUE INDEX " + quoted(unique_name(t, u) + "_n") + " ON " + quoted(t.name) + " (" + filled + ")");
  return out;
}

std::string create_index_sql(const Table& t, const Index& i) {
  std::string columns;
  for (auto& c : i.columns) columns += (columns.empty() ? "" : ", ") + quoted(c);
  return "CREATE INDEX " + quoted(index_name(t, i)) + " ON " + quoted(t.name) + " (" + columns + ")";
}

std::vector<std::string> index_sqls(const Table& t) {
  std::vector<std::string> out;
  for (auto& u : t.uniques) for (auto& sql : create_unique_sql(t, u)) out.push_back(sql);
  for (auto& i : t.indexes) out.push_back(create_index_sql(t, i));
  return out;
}

}  // namespace basalt::migrations
