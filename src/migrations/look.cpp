// Looking at what is there without touching it.
#include "migrations/execute_parts.h"
#include "migrations/prework.h"

namespace basalt::migrations {

using appdb::Connection;
using appdb::Engine;
using appdb::quoted;
using appdb::Row;

bool table_exists(Connection& c, std::string_view table) {
  if (c.engine() == Engine::Sqlite) return c.count("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?", {table}) > 0;
  return c.count("SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND relname = ?", {table}) > 0;
}

bool column_exists(Connection& c, std::string_view table, std::string_view column) {
  if (c.engine() == Engine::Sqlite) return c.count("SELECT count(*) FROM pragma_table_info(?) WHERE name = ?", {table, column}) > 0;
  return c.count("SELECT count(*) FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = current_schema() AND t.relkind = 'r' AND t.relname = ? AND a.attname = ? AND NOT a.attisdropped", {table, column}) > 0;
}

bool index_exists(Connection& c, std::string_view index) {
  if (c.engine() == Engine::Sqlite) return c.count("SELECT count(*) FROM sqlite_master WHERE type = 'index' AND name = ?", {index}) > 0;
  return c.count("SELECT count(*) FROM pg_indexes WHERE schemaname = current_schema() AND indexname = ?", {index}) > 0;
}

std::optional<bool> probe(Connection& c, const Operation& operation, int migration, int number) {
  return std::visit(Cases{
                        [&](const CreateTable& o) -> std::optional<bool> { return table_exists(c, o.table.name); },
                        [&](const DropTable& o) -> std::optional<bool> { return table_exists(c, hold_name(migration, number)) && !table_exists(c, o.table); },
                        [&](const AddColumn& o) -> std::optional<bool> { return column_exists(c, o.table, o.column.name); },
                        [&](const DropColumn& o) -> std::optional<bool> { return !column_exists(c, o.table, o.column); },
                        [&](const RenameTable& o) -> std::optional<bool> { return table_exists(c, o.to) && !table_exists(c, o.from); },
                        [&](const RenameColumn& o) -> std::optional<bool> { return column_exists(c, o.table, o.to); },
                        [&](const ChangeColumn& o) -> std::optional<bool> {
                          std::string definition;
                          if (c.engine() == Engine::Sqlite) {
                            if (auto row = c.query_one("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", {o.table})) definition = row->text("sql");
                            Table t;
                            t.name = o.table;
                            if (o.was && column_sql(Engine::Sqlite, t, *o.was) == column_sql(Engine::Sqlite, t, o.column)) return std::nullopt;
                            return definition.find(column_sql(Engine::Sqlite, t, o.column)) != std::string::npos;
                          }
                          if (!o.was || o.was->not_null != o.column.not_null) {
                            auto row = c.query_one("SELECT a.attnotnull OR EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conrelid = t.oid AND k.conname = ?) AS required FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid WHERE t.relnamespace = current_schema()::regnamespace AND t.relname = ? AND a.attname = ?", {required_name(o.table, o.column.name), o.table, o.column.name});
                            if (!row || row->boolean("required") != o.column.not_null) return false;
                          }
                          if (!o.was || o.was->type != o.column.type) {
                            auto row = c.query_one("SELECT format_type(a.atttypid, a.atttypmod) AS type FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid WHERE t.relnamespace = current_schema()::regnamespace AND t.relname = ? AND a.attname = ?", {o.table, o.column.name});
                            return row && row->text("type") == (type_sql(Engine::Postgres, o.column) == "timestamptz" ? "timestamp with time zone" : type_sql(Engine::Postgres, o.column));
                          }
                          if (auto row = c.query_one("SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint WHERE connamespace = current_schema()::regnamespace AND conname = ?", {check_name(o.table, o.column.name)})) definition = row->text("text");
                          if (check_sql(o.column).empty()) return definition.empty();
                          bool all = !definition.empty();
                          for (auto& text : o.column.allowed) all = all && definition.find(literal(json::value(text))) != std::string::npos;
                          for (auto& limit : {o.column.longest, o.column.least, o.column.most}) if (limit) all = all && definition.find(std::to_string(*limit)) != std::string::npos;
                          return all;
                        },
                        [&](const AddUnique& o) -> std::optional<bool> { Table t; t.name = o.table; return index_exists(c, unique_name(t, o.unique)); },
                        [&](const DropUnique& o) -> std::optional<bool> { Table t; t.name = o.table; return !index_exists(c, unique_name(t, o.unique)); },
                        [&](const CreateIndex& o) -> std::optional<bool> { Table t; t.name = o.table; return index_exists(c, index_name(t, o.index)); },
                        [](const auto&) -> std::optional<bool> { return std::nullopt; },
                    },
                    operation);
}

std::int64_t would_park(Connection& c, const Operation& operation) {
  auto rows = [&](const std::string& table, const std::string& where) {
    if (!table_exists(c, table)) return std::int64_t{0};
    return c.count("SELECT count(*) FROM " + quoted(table) + (where.empty() ? "" : " WHERE " + where));
  };
  return std::visit(Cases{
                        [&](const CreateTable& o) { return rows(o.table.name, ""); },
                        [&](const AddColumn& o) { return rows(o.table, not_preset(o.column)); },
                        [&](const ChangeColumn& o) {
                          if (!o.was || o.was->type != o.column.type) return rows(o.table, quoted(o.column.name) + " IS NOT NULL");
                          auto check = check_sql(*o.was);
                          return check.empty() ? std::int64_t{0} : rows(o.table, "NOT (" + check + ")");
                        },
                        [&](const DropUnique& o) {
                          if (!table_exists(c, o.table)) return std::int64_t{0};
                          auto columns = list(o.unique.columns);
                          return c.count("SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM " + quoted(o.table) + " GROUP BY " + columns + " HAVING count(*) > 1) doubled");
                        },
                        [&](const ReshapeJson& o) {
                          // Told exactly by trying the way down on each document.
                          std::int64_t lost = 0;
                          if (!table_exists(c, o.table)) return lost;
                          c.each("SELECT " + quoted(o.column) + " FROM " + quoted(o.table) + " WHERE " + quoted(o.column) + " IS NOT NULL", {}, [&](const Row& row) {
                            auto document = json::try_parse(row.text(o.column));
                            if (!document || !document->is_object()) return;
                            if (reshaped(reshaped(*document, o.changes, Direction::Down), o.changes, Direction::Up) != *document) ++lost;
                          });
                          return lost;
                        },
                        [&](const InsertRows& o) { return static_cast<std::int64_t>(o.rows.size()); },
                        [](const auto&) { return std::int64_t{0}; },
                    },
                    operation);
}

}  // namespace basalt::migrations
