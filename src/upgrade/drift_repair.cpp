#include "upgrade/drift_repair.h"

#include <algorithm>

#include "upgrade/ledger.h"

namespace basalt::upgrade {

using appdb::Engine;
using appdb::quoted;
using migrations::Column;
using migrations::OnDelete;
using migrations::Table;
using migrations::Type;

namespace {

std::string statements(const std::vector<std::string>& all) {
  std::string out;
  for (auto& one : all) out += (out.empty() ? "" : "\n") + one + ";";
  return out;
}

std::string text_literal(std::string_view text) { return migrations::literal(json::value(text)); }

std::string name_in(const std::string& sql) {
  auto from = sql.find('"');
  return from == std::string::npos ? "" : sql.substr(from + 1, sql.find('"', from + 1) - from - 1);
}

}  // namespace

std::string make_table_sql(Engine engine, const Table& table) {
  std::vector<std::string> all{migrations::create_table_sql(engine, table)};
  for (auto& sql : migrations::index_sqls(table)) all.push_back(sql);
  return statements(all);
}

DriftRepair::DriftRepair(appdb::Connection& connection, const Table& table, const FoundTable& found) : connection_(connection), engine_(connection.engine()), table_(table), found_(found) {}

std::string DriftRepair::alter(const std::string& what) const { return "ALTER TABLE " + quoted(table_.name) + " " + what; }

std::optional<std::string> DriftRepair::stopgap(const Column& column) const {
  if (!column.target.empty()) return std::nullopt;
  if (column.name == "row_uid" && !table_.column("row_uid"))
    return sqlite() ? "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"
                    : "md5(random()::text || clock_timestamp()::text)::uuid::text";
  if (!column.allowed.empty()) return text_literal(column.allowed.front());
  // A rule that it is unique by itself needs another text for each row.
  bool alone = std::any_of(table_.uniques.begin(), table_.uniques.end(), [&](auto& u) { return u.columns == std::vector{column.name}; });
  switch (column.type) {
    case Type::Integer: return alone ? std::nullopt : std::optional(std::to_string(std::max<std::int64_t>(column.least.value_or(0), 0)));
    case Type::Real: return "0";
    case Type::Boolean: return "FALSE";
    case Type::Text: return alone ? "row_uid" : "''";
    case Type::Json: return "'{}'";
    case Type::Time: return text_literal(now_text());
    case Type::Blob: return sqlite() ? "x''" : "''::bytea";
  }
  return std::nullopt;
}

// ---- SQLite

std::string DriftRepair::rebuild() {
  if (table_.has_id && !found_.column("id")) return "";
  auto temporary = "rebuild_" + table_.name;
  auto create = migrations::create_table_sql(Engine::Sqlite, table_, temporary);
  create.pop_back();  // somebody's own columns come with, so that nothing is lost
  std::string into, from;
  auto copy = [&](const std::string& name, const std::string& value) {
    into += (into.empty() ? "" : ", ") + quoted(name);
    from += (from.empty() ? "" : ", ") + value;
  };
  if (table_.has_id) copy("id", "id");
  auto columns = table_.columns;
  columns.insert(columns.begin(), migrations::text("row_uid").required());
  for (auto& column : columns) {
    auto fill = column.preset && !column.preset->is_null() ? std::optional(migrations::literal(*column.preset)) : column.not_null ? stopgap(column) : std::nullopt;
    auto* found = found_.column(column.name);
    if (!found || (found->derived && column.name == "row_uid")) copy(column.name, fill.value_or("NULL"));
    else if (column.not_null && !found->not_null && fill) copy(column.name, "coalesce(" + quoted(column.name) + ", " + *fill + ")");
    else copy(column.name, quoted(column.name));
  }
  for (auto& found : found_.columns) {
    if (found.derived || found.name == "row_uid" || (found.name == "id" && table_.has_id) || table_.column(found.name)) continue;
    create += ", " + quoted(found.name) + " " + found.type + (found.preset ? " DEFAULT (" + *found.preset + ")" : "");
    copy(found.name, quoted(found.name));
  }
  std::vector<std::string> all{"PRAGMA foreign_keys=OFF", "PRAGMA legacy_alter_table=ON", "BEGIN IMMEDIATE", "DROP TABLE IF EXISTS " + quoted(temporary), create + ")",
                               "INSERT INTO " + quoted(temporary) + " (" + into + ") SELECT " + from + " FROM " + quoted(table_.name)};
  if (table_.has_id && found_.column("id")->counts) {
    // Ids of deleted rows are not given out again.
    all.push_back("DELETE FROM sqlite_sequence WHERE name = " + text_literal(temporary));
    all.push_back("INSERT INTO sqlite_sequence (name, seq) SELECT " + text_literal(temporary) + ", seq FROM sqlite_sequence WHERE name = " + text_literal(table_.name));
  }
  all.push_back("DROP TABLE " + quoted(table_.name));
  all.push_back("ALTER TABLE " + quoted(temporary) + " RENAME TO " + quoted(table_.name));
  std::set<std::string> made;
  for (auto& sql : migrations::index_sqls(table_)) {
    made.insert(name_in(sql));
    all.push_back(sql);
  }
  for (auto& index : found_.indexes) if (!index.sql.empty() && !made.contains(index.name) && index.name != name_in(unique_uid())) all.push_back(index.sql);
  for (auto& [name, text] : found_.triggers) all.push_back(text);
  for (auto* last : {"COMMIT", "PRAGMA legacy_alter_table=OFF", "PRAGMA foreign_keys=ON"}) all.emplace_back(last);
  return statements(all);
}

// ---- Columns

std::string DriftRepair::add_column(const Column& column) {
  bool needs_value = column.not_null && (!column.preset || column.preset->is_null());
  if (needs_value && !stopgap(column)) {
    if (!empty_) empty_ = connection_.count("SELECT count(*) FROM (SELECT 1 FROM " + quoted(table_.name) + " LIMIT 1) one") == 0;
    if (!*empty_) return "";
  }
  if (sqlite()) return rebuild();
  auto plain = "ADD COLUMN " + migrations::column_sql(engine_, table_, column);
  if (!needs_value || !stopgap(column)) return statements({alter(plain)});
  auto optional = column;
  optional.not_null = false;
  return statements({alter("ADD COLUMN " + migrations::column_sql(engine_, table_, optional)), "UPDATE " + quoted(table_.name) + " SET " + quoted(column.name) + " = " + *stopgap(column),
                     alter("ALTER COLUMN " + quoted(column.name) + " SET NOT NULL")});
}

std::string DriftRepair::plain_column(const Column& column) { return sqlite() ? rebuild() : statements({alter("ALTER COLUMN " + quoted(column.name) + " DROP EXPRESSION")}); }

std::string DriftRepair::type(const Column& column, const FoundColumn& found) {
  if (sqlite()) return rebuild();
  auto name = quoted(column.name), type = migrations::type_sql(engine_, column);
  std::string value = name + "::" + type;
  if (found.type == "boolean" || column.type == Type::Boolean) value = name + "::int::" + type;
  if (column.type == Type::Time && found.type.starts_with("timestamp")) value = name + " AT TIME ZONE 'UTC'";
  if (column.type == Type::Blob && found.type == "text") value = "convert_to(" + name + ", 'UTF8')";
  std::vector<std::string> all;
  if (found.preset && !found.counts) all.push_back(alter("ALTER COLUMN " + name + " DROP DEFAULT"));
  all.push_back(alter("ALTER COLUMN " + name + " TYPE " + type + " USING " + value));
  if (column.preset) all.push_back(alter("ALTER COLUMN " + name + " SET DEFAULT " + migrations::literal(*column.preset)));
  return statements(all);
}

std::string DriftRepair::require(const Column& column) {
  if (sqlite()) return rebuild();
  auto name = quoted(column.name);
  auto fill = column.preset && !column.preset->is_null() ? std::optional(migrations::literal(*column.preset)) : stopgap(column);
  std::vector<std::string> all;
  if (fill) all.push_back("UPDATE " + quoted(table_.name) + " SET " + name + " = " + *fill + " WHERE " + name + " IS NULL");
  all.push_back(alter("ALTER COLUMN " + name + " SET NOT NULL"));
  return statements(all);
}

std::string DriftRepair::allow_empty(std::string_view column) { return sqlite() ? rebuild() : statements({alter("ALTER COLUMN " + quoted(column) + " DROP NOT NULL")}); }

std::string DriftRepair::preset(const Column& column) {
  return sqlite() ? rebuild() : statements({alter("ALTER COLUMN " + quoted(column.name) + " SET DEFAULT " + migrations::literal(*column.preset))});
}

// ---- Rules

std::string DriftRepair::check(const Column& column, const std::set<std::string>& instead_of) {
  if (sqlite()) return rebuild();
  auto own = migrations::check_name(table_.name, column.name);
  std::vector<std::string> all;
  for (auto& name : instead_of) if (name != own) all.push_back(alter("DROP CONSTRAINT IF EXISTS " + quoted(name)));
  all.push_back(alter("DROP CONSTRAINT IF EXISTS " + quoted(own)));
  all.push_back(alter("ADD CONSTRAINT " + quoted(own) + " CHECK (" + migrations::check_sql(column) + ")"));
  return statements(all);
}

std::string DriftRepair::reference(const Column& column, const FoundReference* wrong, bool add) {
  if (sqlite()) return rebuild();
  auto own = migrations::reference_name(table_.name, column.name);
  std::vector<std::string> all;
  if (wrong) all.push_back(alter("DROP CONSTRAINT IF EXISTS " + quoted(wrong->name)));
  if (add) {
    if (!wrong || wrong->name != own) all.push_back(alter("DROP CONSTRAINT IF EXISTS " + quoted(own)));
    all.push_back(alter("ADD CONSTRAINT " + quoted(own) + " FOREIGN KEY (" + quoted(column.name) + ") REFERENCES " + quoted(column.target) + " (id)" +
                        (column.on_delete == OnDelete::Cascade ? " ON DELETE CASCADE" : column.on_delete == OnDelete::SetNull ? " ON DELETE SET NULL" : "")));
  }
  return statements(all);
}

std::string DriftRepair::primary_key() {
  if (sqlite()) return rebuild();
  std::vector<std::string> all;
  for (auto& index : found_.indexes) if (index.primary) all.push_back(alter("DROP CONSTRAINT " + quoted(index.constraint)));
  all.push_back(alter("ADD PRIMARY KEY (id)"));
  if (!found_.column("id")->counts) all.push_back(count_ids());
  auto out = statements(all);
  if (out.ends_with(";;")) out.pop_back();
  return out;
}

std::string DriftRepair::count_ids() {
  if (sqlite()) return rebuild();
  return statements({alter("ALTER COLUMN id DROP DEFAULT"), alter("ALTER COLUMN id SET NOT NULL"), alter("ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY"),
                     "SELECT setval(pg_get_serial_sequence(" + text_literal(quoted(table_.name)) + ", 'id'), greatest(1, (SELECT coalesce(max(id), 1) FROM " + quoted(table_.name) + ")))"});
}

std::string DriftRepair::validate(const FoundTable& found, const std::vector<std::string>& conditions) {
  std::vector<std::string> all;
  for (auto& check : found.checks) {
    bool concerned = std::any_of(check.conditions.begin(), check.conditions.end(), [&](auto& c) { return std::find(conditions.begin(), conditions.end(), c) != conditions.end(); });
    if (concerned && !check.valid) all.push_back(alter("VALIDATE CONSTRAINT " + quoted(check.name)));
  }
  return statements(all);
}

std::string DriftRepair::validate(const std::string& constraint) { return statements({alter("VALIDATE CONSTRAINT " + quoted(constraint))}); }

// ---- Indexes

std::string DriftRepair::unique_uid() const { return "CREATE UNIQUE INDEX " + quoted("u_" + table_.name + "_row_uid") + " ON " + quoted(table_.name) + " (row_uid)"; }

std::string DriftRepair::index(const std::string& sql, const std::set<std::string>& instead_of, const FoundTable& found) {
  std::vector<std::string> all;
  auto drop = [&](const std::string& name) {
    for (auto& index : found.indexes)
      if (index.name == name && !index.constraint.empty() && !sqlite()) {
        all.push_back(alter("DROP CONSTRAINT IF EXISTS " + quoted(index.constraint)));
        return;
      }
    all.push_back("DROP INDEX IF EXISTS " + quoted(name));
  };
  for (auto& name : instead_of) drop(name);
  if (auto own = name_in(sql); !instead_of.contains(own)) all.push_back("DROP INDEX IF EXISTS " + quoted(own));
  all.push_back(sql);
  return statements(all);
}

std::string DriftRepair::drop_index(const FoundIndex& index) { return statements({"DROP INDEX IF EXISTS " + quoted(index.name)}); }

std::string DriftRepair::log_it() { return statements({alter("SET LOGGED")}); }

std::string DriftRepair::switch_rules_on() { return statements({alter("ENABLE TRIGGER ALL")}); }

}  // namespace basalt::upgrade
