// What the catalogue of a PostgreSQL server says about its schemas, tables, columns and keys.
#include "base/failure.h"
#include "drivers/postgres/connection.h"

namespace basalt::drivers::postgres {
namespace {

std::optional<std::string> text_or_none(const PGresult* result, int row, int column) {
  if (PQgetisnull(result, row, column)) return std::nullopt;
  return std::string(PQgetvalue(result, row, column));
}
bool flag(const PGresult* result, int row, int column) { return PQgetvalue(result, row, column)[0] == 't'; }

// Tables, views, materialized views, foreign tables and partitioned tables that we may read; the partitions themselves are
// left out, their parent shows their rows. One row per column, a table's rows together.
constexpr const char* describe_sql = R"(
SELECT n.nspname, c.relname, c.relkind IN ('v', 'm') AS is_view, obj_description(c.oid, 'pg_class') AS table_comment,
       CASE WHEN c.relkind = 'v' OR c.reltuples < 0 THEN NULL ELSE c.reltuples::bigint END AS estimated_rows,
       a.attname, coalesce(b.typname, t.typname) AS type_name, coalesce(b.typtype, t.typtype) AS type_kind,
       coalesce(b.typcategory, t.typcategory) AS type_category, a.attnotnull OR t.typnotnull AS not_null,
       a.attidentity <> '' AS is_identity, pg_get_expr(d.adbin, d.adrelid) AS default_value, a.attgenerated <> '' AS is_generated,
       coalesce(a.attnum = ANY (p.indkey), false) AS is_primary_key, col_description(c.oid, a.attnum) AS column_comment
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
LEFT JOIN pg_catalog.pg_index p ON p.indrelid = c.oid AND p.indisprimary
WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND NOT c.relispartition
  AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
  AND has_schema_privilege(n.oid, 'USAGE')
  AND (has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT'))
ORDER BY n.nspname, c.relname, a.attnum)";

constexpr const char* foreign_keys_sql = R"(
SELECT n.nspname, c.relname, a.attname, tn.nspname, tc.relname, ta.attname
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class tc ON tc.oid = k.confrelid
JOIN pg_catalog.pg_namespace tn ON tn.oid = tc.relnamespace
CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS pair (source_number, target_number)
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = pair.source_number
JOIN pg_catalog.pg_attribute ta ON ta.attrelid = tc.oid AND ta.attnum = pair.target_number
WHERE k.contype = 'f' AND NOT c.relispartition AND NOT tc.relispartition AND cardinality(k.conkey) = 1
  AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
ORDER BY 1, 2, 3, k.oid)";

}  // namespace

std::vector<std::string> PostgresConnection::schemas() {
  auto result = ask(
      "SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' "
      "AND has_schema_privilege(oid, 'USAGE') ORDER BY nspname");
  std::vector<std::string> names;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    if (std::string name = PQgetvalue(result.get(), row, 0); filter_.wants(name)) names.push_back(std::move(name));
  }
  return names;
}

void PostgresConnection::describe(std::stop_token stop, const std::function<void(DescribedTable)>& table) {
  DescribedTable current;
  bool any = false;
  auto hand_over = [&] {
    if (any && filter_.wants(current.schema.value_or(""))) table(std::move(current));
    current = {};
  };
  ask_each(describe_sql, [&](const PGresult* row) {
    if (stop.stop_requested()) throw Failure(FailureKind::Cancelled, "The sync was stopped.");
    std::string schema = PQgetvalue(row, 0, 0), name = PQgetvalue(row, 0, 1);
    if (!any || current.schema != schema || current.name != name) {
      hand_over();
      any = true;
      current.schema = std::move(schema);
      current.name = std::move(name);
      current.is_view = flag(row, 0, 2);
      current.comment = text_or_none(row, 0, 3);
      if (auto rows = text_or_none(row, 0, 4)) current.estimated_rows = std::strtoll(rows->c_str(), nullptr, 10);
    }
    if (PQgetisnull(row, 0, 5)) return;  // a table without columns
    DescribedColumn column;
    column.name = PQgetvalue(row, 0, 5);
    column.database_type = PQgetvalue(row, 0, 6);
    column.base_type = base_type_of(column.database_type, PQgetvalue(row, 0, 7)[0], PQgetvalue(row, 0, 8)[0]);
    column.position = static_cast<int>(current.columns.size());
    column.nullable = !flag(row, 0, 9);
    column.default_value = text_or_none(row, 0, 11);
    bool from_sequence = column.default_value && column.default_value->starts_with("nextval(");
    column.auto_increment = flag(row, 0, 10) || from_sequence;
    column.required = !column.nullable && !column.default_value && !column.auto_increment && !flag(row, 0, 12);
    column.is_primary_key = flag(row, 0, 13);
    column.comment = text_or_none(row, 0, 14);
    current.columns.push_back(std::move(column));
  });
  hand_over();
}

std::vector<DescribedForeignKey> PostgresConnection::foreign_keys() {
  std::vector<DescribedForeignKey> keys;
  ask_each(foreign_keys_sql, [&](const PGresult* row) {
    auto text = [&](int column) { return std::string(PQgetvalue(row, 0, column)); };
    if (filter_.wants(text(0)) && filter_.wants(text(3))) keys.push_back({text(0), text(1), text(2), text(3), text(4), text(5)});
  });
  return keys;
}

}  // namespace basalt::drivers::postgres
