#include "upgrade/drift_catalogue.h"

#include <algorithm>

#include "upgrade/drift_expression.h"

namespace basalt::upgrade {
namespace {

using appdb::Connection;
using appdb::Row;

std::string rule(std::string action) {
  for (auto& c : action) c = c == ' ' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return action == "no-action" ? "restrict" : action;  // both refuse; they differ only within a transaction that defers
}

Catalogue sqlite_catalogue(Connection& c) {
  Catalogue out;
  std::map<std::string, bool> counting;
  c.each("SELECT type, name, tbl_name, coalesce(sql, '') AS sql FROM sqlite_master WHERE name NOT LIKE 'sqlite^_%' ESCAPE '^' ORDER BY CASE type WHEN 'table' THEN 0 ELSE 1 END, rowid", {}, [&](const Row& row) {
    auto& type = row.text("type");
    auto& name = row.text("name");
    if (type == "view") out.views.push_back(name);
    if (type == "trigger") out.tables[row.text("tbl_name")].triggers.emplace_back(name, row.text("sql"));
    if (type != "table") return;
    auto& table = out.tables[name];
    table.name = name;
    auto text = read_create_table(row.text("sql"));
    counting[name] = text.counts_ids;
    for (auto& check : text.checks) table.checks.push_back({"", conditions(check), true});
  });
  // A trigger on a view made an entry without a name.
  std::erase_if(out.tables, [](auto& entry) { return entry.second.name.empty(); });
  constexpr const char* tables = " FROM sqlite_master m JOIN ";
  constexpr const char* of_tables = " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite^_%' ESCAPE '^'";
  c.each(std::string("SELECT m.name AS table_name, x.name, x.type, x.\"notnull\", x.dflt_value, x.pk, x.hidden") + tables + "pragma_table_xinfo(m.name) x" + of_tables + " ORDER BY m.name, x.cid", {}, [&](const Row& row) {
    auto& table = out.tables.at(row.text("table_name"));
    FoundColumn column;
    column.name = row.text("name");
    column.type = row.text("type");
    column.not_null = row.integer("notnull") != 0;
    if (!row.is_null("dflt_value")) column.preset = row.text("dflt_value");
    column.derived = row.integer("hidden") > 1;
    if (row.integer("pk") > 0) {
      table.primary_key.push_back(column.name);
      column.counts = counting[table.name];
    }
    table.columns.push_back(std::move(column));
  });
  c.each(std::string("SELECT m.name AS table_name, f.\"table\" AS target, f.\"from\" AS column_name, coalesce(f.\"to\", 'id') AS target_column, f.on_delete, f.id, (SELECT count(*) FROM pragma_foreign_key_list(m.name) g WHERE g.id = f.id) AS width") +
             tables + "pragma_foreign_key_list(m.name) f" + of_tables,
         {}, [&](const Row& row) {
           if (row.integer("width") == 1)
             out.tables.at(row.text("table_name")).references.push_back({"", row.text("column_name"), row.text("target"), row.text("target_column"), rule(row.text("on_delete")), true});
         });
  c.each(std::string("SELECT m.name AS table_name, i.name, i.\"unique\" AS is_unique, i.origin, coalesce(s.sql, '') AS sql, (SELECT group_concat(coalesce(x.name, ''), char(31)) FROM pragma_index_info(i.name) x) AS columns") + tables +
             "pragma_index_list(m.name) i LEFT JOIN sqlite_master s ON s.type = 'index' AND s.name = i.name" + of_tables + " ORDER BY m.name, i.name",
         {}, [&](const Row& row) {
           FoundIndex index;
           index.name = row.text("name");
           index.unique = row.integer("is_unique") != 0;
           index.sql = row.text("sql");
           auto origin = row.text("origin");
           index.primary = origin == "pk";
           if (origin != "c") index.constraint = index.name;
           if (!index.sql.empty()) {
             auto text = read_create_index(index.sql);
             index.items = std::move(text.items);
             index.where = std::move(text.where);
           } else {
             auto columns = row.optional_text("columns").value_or("");
             for (std::size_t at = 0; at <= columns.size();) {
               auto end = std::min(columns.find('\x1f', at), columns.size());
               index.items.push_back(columns.substr(at, end - at));
               at = end + 1;
             }
           }
           out.tables.at(row.text("table_name")).indexes.push_back(std::move(index));
         });
  return out;
}

Catalogue postgres_catalogue(Connection& c) {
  Catalogue out;
  c.each("SELECT c.relname::text AS name, c.relkind::text AS kind, c.relpersistence::text AS persistence, EXISTS (SELECT 1 FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgisinternal AND g.tgenabled = 'D') AS off "
         "FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1",
         {}, [&](const Row& row) {
           auto& name = row.text("name");
           if (row.text("kind") != "r" && row.text("kind") != "p") {
             out.views.push_back(name);
             return;
           }
           auto& table = out.tables[name];
           table.name = name;
           table.logged = row.text("persistence") != "u";
           table.rules_on = !row.boolean("off");
         });
  auto of = [&](const Row& row) -> FoundTable& { return out.tables.at(row.text("table_name")); };
  c.each("SELECT c.relname::text AS table_name, a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS not_null, a.attidentity::text AS identity, a.attgenerated::text AS generated, "
         "pg_get_expr(d.adbin, d.adrelid) AS preset FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
         "WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum",
         {}, [&](const Row& row) {
           FoundColumn column;
           column.name = row.text("name");
           column.type = row.text("type");
           column.not_null = row.boolean("not_null");
           column.derived = !row.text("generated").empty();
           column.preset = column.derived ? std::nullopt : row.optional_text("preset");
           column.counts = !row.text("identity").empty() || (column.preset && column.preset->starts_with("nextval("));
           of(row).columns.push_back(std::move(column));
         });
  c.each("SELECT c.relname::text AS table_name, k.conname::text AS name, k.contype::text AS kind, k.convalidated AS valid, pg_get_expr(k.conbin, k.conrelid) AS expression, k.confdeltype::text AS on_delete, "
         "(SELECT t.relname::text FROM pg_class t WHERE t.oid = k.confrelid) AS target, array_length(k.conkey, 1) AS width, "
         "(SELECT string_agg(a.attname::text, E'\\x1f' ORDER BY p.place) FROM unnest(k.conkey) WITH ORDINALITY p(number, place) JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.number) AS columns, "
         "(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = k.confrelid AND a.attnum = k.confkey[1]) AS target_column "
         "FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND k.contype IN ('c', 'f', 'p') ORDER BY c.relname, k.conname",
         {}, [&](const Row& row) {
           auto& table = of(row);
           auto& kind = row.text("kind");
           auto& name = row.text("name");
           if (kind == "c") {
             table.checks.push_back({name, conditions(row.text("expression")), row.boolean("valid")});
           } else if (kind == "p") {
             auto columns = row.text("columns");
             for (std::size_t at = 0; at <= columns.size();) {
               auto end = std::min(columns.find('\x1f', at), columns.size());
               table.primary_key.push_back(columns.substr(at, end - at));
               at = end + 1;
             }
           } else if (row.integer("width") == 1) {
             static const std::map<std::string, std::string> rules{{"a", "restrict"}, {"r", "restrict"}, {"c", "cascade"}, {"n", "set-null"}, {"d", "set-default"}};
             table.references.push_back({name, row.text("columns"), row.text("target"), row.text("target_column"), rules.at(row.text("on_delete")), row.boolean("valid")});
           }
         });
  c.each("SELECT c.relname::text AS table_name, i.relname::text AS name, x.indisunique AS is_unique, x.indisprimary AS is_primary, x.indisvalid AND x.indisready AS valid, "
         "coalesce((to_jsonb(x)->>'indnullsnotdistinct')::boolean, false) AS nulls_equal, pg_get_expr(x.indpred, x.indrelid) AS part, "
         "(SELECT string_agg(pg_get_indexdef(x.indexrelid, n, true), E'\\x1f' ORDER BY n) FROM generate_series(1, x.indnkeyatts::int) n) AS items, "
         "(SELECT k.conname::text FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('u', 'p', 'x') LIMIT 1) AS rule_name "
         "FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname, i.relname",
         {}, [&](const Row& row) {
           FoundIndex index;
           index.name = row.text("name");
           index.constraint = row.optional_text("rule_name").value_or("");
           index.unique = row.boolean("is_unique");
           index.primary = row.boolean("is_primary");
           index.valid = row.boolean("valid");
           index.nulls_equal = row.boolean("nulls_equal");
           if (auto part = row.optional_text("part")) index.where = canonical(*part);
           auto items = row.optional_text("items").value_or("");
           for (std::size_t at = 0; at <= items.size();) {
             auto end = std::min(items.find('\x1f', at), items.size());
             index.items.push_back(canonical(items.substr(at, end - at)));
             at = end + 1;
           }
           of(row).indexes.push_back(std::move(index));
         });
  c.each("SELECT c.relname::text AS table_name, g.tgname::text AS name FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT g.tgisinternal ORDER BY 1, 2",
         {}, [&](const Row& row) { of(row).triggers.emplace_back(row.text("name"), ""); });
  return out;
}

}  // namespace

const FoundColumn* FoundTable::column(std::string_view wanted) const {
  for (auto& column : columns) if (column.name == wanted) return &column;
  return nullptr;
}

Catalogue read_catalogue(Connection& c) { return c.engine() == appdb::Engine::Sqlite ? sqlite_catalogue(c) : postgres_catalogue(c); }

}  // namespace basalt::upgrade
