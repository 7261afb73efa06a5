#include "permissions/grants.h"

namespace basalt::permissions {

std::optional<DataRight> data_right(std::string_view value) {
  if (value == "no") return DataRight::None;
  if (value == "query-builder") return DataRight::Builder;
  if (value == "query-builder-and-native") return DataRight::BuilderAndSql;
  return std::nullopt;
}

std::string_view to_text(DataRight right) {
  switch (right) {
    case DataRight::None: return "no";
    case DataRight::Builder: return "query-builder";
    case DataRight::BuilderAndSql: return "query-builder-and-native";
  }
  return "no";
}

template <class T>
void DataGrants::Levels<T>::set(const appdb::Row& row, T value) {
  if (auto id = row.optional_id<TableId>("table_id")) tables[*id] = value;
  else if (auto schema = row.optional_text("schema_name")) schemas[*schema] = value;
  else database = value;
}

template <class T>
std::optional<T> DataGrants::Levels<T>::at(const std::string& schema, TableId table) const {
  if (auto found = tables.find(table); found != tables.end()) return found->second;
  if (auto found = schemas.find(schema); found != schemas.end()) return found->second;
  return database;
}

template <class T>
template <class Visit>
void DataGrants::Levels<T>::each(Visit&& visit) const {
  for (auto& [schema, value] : schemas) visit(value);
  for (auto& [table, value] : tables) visit(value);
}

void DataGrants::add(const appdb::Row& row) {
  if (row.text("kind") == "view-data") return blocked_.set(row, row.text("value") == "blocked");
  // A word this version does not know grants nothing.
  query_.set(row, data_right(row.text("value")).value_or(DataRight::None));
}

DataRight DataGrants::table(const std::string& schema, TableId table) const {
  if (blocked_.at(schema, table).value_or(false)) return DataRight::None;
  return query_.at(schema, table).value_or(DataRight::None);
}

DataRight DataGrants::least() const {
  auto right = query_.database.value_or(DataRight::None);
  query_.each([&](DataRight one) { right = std::min(right, one); });
  bool blocked = blocked_.database.value_or(false);
  blocked_.each([&](bool one) { blocked = blocked || one; });
  return blocked ? DataRight::None : right;
}

DataRight DataGrants::most() const {
  auto right = query_.database.value_or(DataRight::None);
  query_.each([&](DataRight one) { right = std::max(right, one); });
  if (!blocked_.database.value_or(false)) return right;
  // The database is blocked: only what is opened again below counts.
  auto open = DataRight::None;
  for (auto& [schema, blocked] : blocked_.schemas) {
    if (!blocked) open = std::max(open, query_.at(schema, TableId(0)).value_or(DataRight::None));
  }
  for (auto& [table, blocked] : blocked_.tables) {
    if (!blocked) open = std::max(open, right);
  }
  return open;
}

}  // namespace basalt::permissions
