#include "permissions/defaults.h"

namespace basalt::permissions {

void grant_new_database(appdb::Connection& connection, DatabaseId database) {
  connection.execute("DELETE FROM data_permission WHERE database_id = ?", {database});
  connection.insert_rows("data_permission", {"group_id", "database_id", "kind", "value"},
                         {{all_users, database, "create-queries", "query-builder-and-native"}, {all_users, database, "view-data", "unrestricted"}});
}

void grant_new_collection(appdb::Connection& connection, CollectionId collection, std::optional<CollectionId> parent) {
  std::vector<appdb::Parameters> rows;
  auto copy = [&](const appdb::Row& row) { rows.push_back({row.integer("group_id"), collection, row.text("value")}); };
  if (parent) connection.each("SELECT group_id, value FROM collection_permission WHERE collection_id = ?", {*parent}, copy);
  else connection.each("SELECT group_id, value FROM collection_permission WHERE collection_id IS NULL", {}, copy);
  if (!rows.empty()) connection.insert_rows("collection_permission", {"group_id", "collection_id", "value"}, rows);
}

void grant_new_store(appdb::Connection& connection) {
  if (connection.count("SELECT count(*) FROM collection_permission WHERE group_id = ? AND collection_id IS NULL", {all_users}) > 0) return;
  connection.insert("collection_permission", {{"group_id", all_users}, {"collection_id", nullptr}, {"value", "curate"}});
}

}  // namespace basalt::permissions
