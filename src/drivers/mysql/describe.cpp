// What the catalogue of a server says about its databases, tables, columns and keys.
#include <map>
#include <set>

#include "base/failure.h"
#include "drivers/mysql/connection.h"

namespace basalt::drivers::mysql {
namespace {

constexpr const char* own_schemas = "('information_schema', 'performance_schema', 'mysql', 'sys')";

// Many thousands of tables take the server minutes; one that stands still is not waited for.
constexpr std::chrono::minutes catalog_time{20};

std::optional<std::string> text_or_none(const char* value) {
  if (!value || !*value) return std::nullopt;
  return std::string(value);
}

}  // namespace

std::vector<std::string> MysqlConnection::schemas() {
  std::vector<std::string> names;
  if (filter_.type == SchemaFilter::Type::Own) return names;
  allow(catalog_time);
  ask_each(std::string("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE LOWER(SCHEMA_NAME) NOT IN ") + own_schemas + " ORDER BY SCHEMA_NAME", [&](MYSQL_ROW row) {
    if (row[0] && filter_.wants(row[0])) names.emplace_back(row[0]);
  });
  return names;
}

std::string MysqlConnection::wanted_databases() {
  if (filter_.type == SchemaFilter::Type::Own) return " = DATABASE()";
  std::string list;
  for (auto& name : schemas()) list += (list.empty() ? " IN (" : ", ") + quoted(name);
  return list.empty() ? " IN (NULL)" : list + ")";
}

void MysqlConnection::describe(std::stop_token stop, const std::function<void(DescribedTable)>& table) {
  allow(catalog_time);
  bool own = filter_.type == SchemaFilter::Type::Own;
  auto wanted = wanted_databases();
  // Joining the two in the server would open each table twice.
  using Name = std::pair<std::string, std::string>;
  std::map<Name, DescribedTable> tables;
  ask_each("SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, TABLE_COMMENT, TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA" + wanted, [&](MYSQL_ROW row) {
    if (stop.stop_requested()) throw Failure(FailureKind::Cancelled, "The sync was stopped.");
    std::string_view type = row[2] ? row[2] : "";
    if (type == "SEQUENCE") return;
    DescribedTable found;
    if (!own) found.schema = row[0];
    found.name = row[1];
    found.is_view = type == "VIEW" || type == "SYSTEM VIEW";
    if (!found.is_view) {
      found.comment = text_or_none(row[3]);
      if (row[4]) found.estimated_rows = std::strtoll(row[4], nullptr, 10);
    }
    tables.emplace(Name{row[0], row[1]}, std::move(found));
  });
  // MariaDB's JSON is a long text with a check.
  std::set<std::pair<Name, std::string>> documents;
  if (is_mariadb_) {
    ask_each("SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME FROM information_schema.CHECK_CONSTRAINTS WHERE CHECK_CLAUSE = CONCAT('json_valid(`', CONSTRAINT_NAME, '`)') AND CONSTRAINT_SCHEMA" + wanted,
             [&](MYSQL_ROW row) { documents.emplace(Name{row[0], row[1]}, row[2]); });
  }
  ask_each("SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, EXTRA, COLUMN_KEY, COLUMN_COMMENT FROM information_schema.COLUMNS WHERE TABLE_SCHEMA" +
               wanted + " ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION",
           [&](MYSQL_ROW row) {
             if (stop.stop_requested()) throw Failure(FailureKind::Cancelled, "The sync was stopped.");
             auto found = tables.find(Name{row[0], row[1]});
             if (found == tables.end()) return;
             auto& columns = found->second.columns;
             DescribedColumn column;
             column.name = row[2];
             auto type = documents.contains({found->first, column.name}) ? catalog_type("json", "json") : catalog_type(row[3], row[4] ? row[4] : "");
             column.database_type = std::move(type.database_type);
             column.base_type = std::move(type.base_type);
             column.position = static_cast<int>(columns.size());
             column.nullable = std::string_view(row[5]) == "YES";
             if (row[6] && std::string_view(row[6]) != "NULL") column.default_value = row[6];
             std::string_view extra = row[7] ? row[7] : "";
             column.auto_increment = extra.find("auto_increment") != std::string_view::npos;
             bool generated = extra.find("GENERATED") != std::string_view::npos && extra.find("DEFAULT_GENERATED") == std::string_view::npos;
             column.required = !column.nullable && !column.default_value && !column.auto_increment && !generated;
             column.is_primary_key = row[8] && std::string_view(row[8]) == "PRI";
             column.comment = text_or_none(row[9]);
             columns.push_back(std::move(column));
           });
  for (auto& [name, described] : tables) table(std::move(described));
}

std::vector<DescribedForeignKey> MysqlConnection::foreign_keys() {
  allow(catalog_time);
  bool own = filter_.type == SchemaFilter::Type::Own;
  auto wanted = wanted_databases();
  std::vector<DescribedForeignKey> keys;
  ask_each("SELECT TABLE_SCHEMA, TABLE_NAME, MIN(COLUMN_NAME), MIN(REFERENCED_TABLE_SCHEMA), MIN(REFERENCED_TABLE_NAME), MIN(REFERENCED_COLUMN_NAME) "
           "FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_NAME IS NOT NULL AND TABLE_SCHEMA" + wanted + " AND REFERENCED_TABLE_SCHEMA" + wanted +
               " GROUP BY TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME HAVING COUNT(*) = 1 ORDER BY 1, 2, 3",
           [&](MYSQL_ROW row) {
             auto schema = [&](const char* name) { return own ? std::optional<std::string>() : std::optional<std::string>(name); };
             keys.push_back({schema(row[0]), row[1], row[2], schema(row[3]), row[4], row[5]});
           });
  return keys;
}

}  // namespace basalt::drivers::mysql
