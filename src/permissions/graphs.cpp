#include "permissions/graphs.h"

#include <charconv>
#include <set>

#include "base/failure.h"
#include "permissions/defaults.h"
#include "permissions/grants.h"

namespace basalt::permissions {
namespace {

using appdb::Connection;
using appdb::Row;

std::int64_t revision(Connection& connection, std::string_view kind) {
  return connection.count("SELECT count(*) FROM permission_revision WHERE kind = ?", {kind});
}

[[noreturn]] void wrong(const std::string& sentence) { throw bad_field("groups", sentence); }

std::int64_t id_from(std::string_view text, const char* what) {
  std::int64_t id = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id <= 0) wrong("\"" + std::string(text) + "\" is no id of a " + what + ".");
  return id;
}

const json::object& object_at(const json::value& value, const std::string& what) {
  if (!value.is_object()) wrong(what + " must be a map.");
  return value.get_object();
}

std::set<std::int64_t> ids(Connection& connection, std::string_view sql, const appdb::Parameters& parameters = {}) {
  std::set<std::int64_t> found;
  connection.each(sql, parameters, [&](const Row& row) { found.insert(row.integer("id")); });
  return found;
}

void require_revision(Connection& connection, std::string_view kind, const GraphChange& change) {
  if (change.force) return;
  auto stated = json::integer(change.graph, "revision");
  if (!stated) throw bad_field("revision", "value must be the revision the change was made from.");
  if (*stated != revision(connection, kind)) {
    throw Failure(FailureKind::Conflict, "Looks like someone else edited the permissions and your data is out of date. Please fetch new data and try again.");
  }
}

const json::object& groups_of_change(const GraphChange& change) {
  auto* groups = json::find(change.graph, "groups");
  if (!groups) wrong("value must be a map of groups.");
  return object_at(*groups, "groups");
}

constexpr const char* kinds[] = {"view-data", "create-queries"};

// What one grant says at one level, as kept: absent for the words that stand for nothing stated.
std::optional<std::string> stored_value(std::string_view kind, std::string_view value, bool whole_database) {
  if (kind == "view-data") {
    if (value == "unrestricted" || value == "legacy-no-self-service") return "unrestricted";
    if (value == "blocked") return "blocked";
    wrong("view-data is \"unrestricted\" or \"blocked\", not \"" + std::string(value) + "\".");
  }
  if (!data_right(value)) wrong("create-queries is \"no\", \"query-builder\" or \"query-builder-and-native\", not \"" + std::string(value) + "\".");
  if (!whole_database && value == "query-builder-and-native") wrong("SQL reaches every table: \"query-builder-and-native\" holds for a whole database only.");
  return std::string(value);
}

// The rows of one kind for one group and database that a value of the graph stands for.
std::vector<appdb::Parameters> rows_of(GroupId group, DatabaseId database, const char* kind, const json::value& value) {
  std::vector<appdb::Parameters> rows;
  auto add = [&](std::optional<std::string> schema, std::optional<TableId> table, std::string_view text) {
    if (auto stored = stored_value(kind, text, !schema)) rows.push_back({group, database, schema, table, kind, *stored});
  };
  if (value.is_string()) {
    if (value.get_string() != "no") add({}, {}, value.get_string());
    return rows;
  }
  for (auto& [schema_name, schema_value] : object_at(value, kind)) {
    std::string schema(schema_name);
    if (schema_value.is_string()) { add(schema, {}, schema_value.get_string()); continue; }
    for (auto& [table, table_value] : object_at(schema_value, kind + (" of schema " + schema))) {
      if (!table_value.is_string()) wrong(std::string(kind) + " of a table is a text.");
      add(schema, TableId(id_from(table, "table")), table_value.get_string());
    }
  }
  return rows;
}

// Rows of one kind as the graph shows them: one text, or maps by schema and table.
struct Shown {
  std::optional<std::string> database;
  std::map<std::string, std::map<std::int64_t, std::string>> tables;
  std::map<std::string, std::string> schemas;
  void add(const Row& row) {
    auto schema = row.optional_text("schema_name");
    auto table = row.optional_integer("table_id");
    if (table) tables[schema.value_or("")][*table] = row.text("value");
    else if (schema) schemas[*schema] = row.text("value");
    else database = row.text("value");
  }
  json::value to_json(std::string_view otherwise) const {
    if (tables.empty() && schemas.empty()) return json::value(database.value_or(std::string(otherwise)));
    json::object map;
    for (auto& [schema, value] : schemas) map[schema] = value;
    for (auto& [schema, by_table] : tables) {
      json::object inner;
      for (auto& [table, value] : by_table) inner[std::to_string(table)] = value;
      map[schema] = std::move(inner);
    }
    return map;
  }
};

json::object data_groups(Connection& connection, std::optional<GroupId> group, std::optional<DatabaseId> database) {
  std::map<std::pair<std::int64_t, std::int64_t>, std::map<std::string, Shown>> stated;
  connection.each("SELECT group_id, database_id, schema_name, table_id, kind, value FROM data_permission", {}, [&](const Row& row) {
    stated[{row.integer("group_id"), row.integer("database_id")}][row.text("kind")].add(row);
  });
  auto databases = ids(connection, "SELECT id FROM \"database\"");
  json::object groups;
  for (auto group_id : ids(connection, "SELECT id FROM permission_group")) {
    if (group && group->value != group_id) continue;
    json::object entries;
    for (auto database_id : databases) {
      if (database && database->value != database_id) continue;
      json::object entry;
      if (GroupId(group_id) == administrators) {
        entry = {{"view-data", "unrestricted"}, {"create-queries", "query-builder-and-native"}, {"download", json::object{{"schemas", "full"}}},
                 {"data-model", json::object{{"schemas", "all"}}}, {"details", "yes"}};
      } else {
        auto& shown = stated[{group_id, database_id}];
        entry = {{"view-data", shown["view-data"].to_json("unrestricted")}, {"create-queries", shown["create-queries"].to_json("no")},
                 {"download", json::object{{"schemas", "full"}}}};
      }
      entries[std::to_string(database_id)] = std::move(entry);
    }
    groups[std::to_string(group_id)] = std::move(entries);
  }
  return groups;
}

// The non-personal collections of a name space that are not archived.
std::set<std::int64_t> shared_collections(Connection& connection, const std::optional<std::string>& name_space) {
  std::set<std::int64_t> personal, shared;
  std::vector<std::pair<std::int64_t, std::string>> all;
  connection.each("SELECT id, location, personal_owner_id, namespace, archived FROM collection", {}, [&](const Row& row) {
    if (!row.is_null("personal_owner_id")) personal.insert(row.integer("id"));
    else if (row.optional_text("namespace") == name_space && !row.boolean("archived")) all.emplace_back(row.integer("id"), row.text("location"));
  });
  for (auto& [id, location] : all) {
    auto top = location.size() > 2 ? std::atoll(location.c_str() + 1) : 0;
    if (!personal.contains(top)) shared.insert(id);
  }
  return shared;
}

json::object collection_groups(Connection& connection, const std::optional<std::string>& name_space) {
  std::map<std::pair<std::int64_t, std::int64_t>, std::string> stated;  // root: 0
  connection.each("SELECT group_id, collection_id, value FROM collection_permission", {}, [&](const Row& row) {
    stated[{row.integer("group_id"), row.optional_integer("collection_id").value_or(0)}] = row.text("value") == "curate" ? "write" : "read";
  });
  auto shared = shared_collections(connection, name_space);
  json::object groups;
  for (auto group : ids(connection, "SELECT id FROM permission_group")) {
    auto value_of = [&](std::int64_t collection) -> std::string {
      if (GroupId(group) == administrators) return "write";
      auto found = stated.find({group, collection});
      return found == stated.end() ? "none" : found->second;
    };
    json::object entries;
    if (!name_space) entries["root"] = value_of(0);
    for (auto collection : shared) entries[std::to_string(collection)] = value_of(collection);
    groups[std::to_string(group)] = std::move(entries);
  }
  return groups;
}

json::object answer(std::int64_t revision, bool skip_graph, const std::function<json::object()>& groups) {
  json::object out{{"revision", revision}};
  if (!skip_graph) out["groups"] = groups();
  return out;
}

}  // namespace

json::object Graphs::data(std::optional<GroupId> group, std::optional<DatabaseId> database) {
  return store_.read([&](Connection& connection) {
    return answer(revision(connection, "data"), false, [&] { return data_groups(connection, group, database); });
  });
}

json::object Graphs::change_data(const GraphChange& change) {
  auto& groups = groups_of_change(change);
  for (auto* paid : {"sandboxes", "impersonations"}) {
    auto* list = json::find(change.graph, paid);
    if (list && list->is_array() && !list->get_array().empty()) throw Failure(FailureKind::Unsupported, std::string("This server has no ") + paid + " yet.");
  }
  auto result = store_.write([&](Connection& connection) {
    require_revision(connection, "data", change);
    auto known_groups = ids(connection, "SELECT id FROM permission_group"), known_databases = ids(connection, "SELECT id FROM \"database\"");
    json::object before, after;
    auto all_before = data_groups(connection, {}, {});
    for (auto& [group_text, databases] : groups) {
      GroupId group(id_from(group_text, "group"));
      if (!known_groups.contains(group.value)) wrong("There is no group " + std::to_string(group.value) + ".");
      if (group == administrators) continue;
      for (auto& [database_text, entry] : object_at(databases, "Each group")) {
        DatabaseId database(id_from(database_text, "database"));
        if (!known_databases.contains(database.value)) wrong("There is no database " + std::to_string(database.value) + ".");
        object_at(entry, "Each database");
        for (auto* kind : kinds) {
          auto* value = json::find(entry, kind);
          if (!value) continue;
          auto rows = rows_of(group, database, kind, *value);
          connection.execute("DELETE FROM data_permission WHERE group_id = ? AND database_id = ? AND kind = ?", {group, database, kind});
          if (!rows.empty()) connection.insert_rows("data_permission", {"group_id", "database_id", "schema_name", "table_id", "kind", "value"}, rows);
        }
        auto group_key = std::to_string(group.value), database_key = std::to_string(database.value);
        if (!before.contains(group_key)) before[group_key] = after[group_key] = json::object();
        before[group_key].as_object()[database_key] = all_before.at(group_key).as_object().at(database_key);
        after[group_key].as_object()[database_key] = entry;
      }
    }
    connection.insert("permission_revision", {{"kind", "data"}, {"before", json::value(before)}, {"after", json::value(after)},
                                              {"person_id", change.by}, {"created_at", clock_.now()}});
    return answer(revision(connection, "data"), change.skip_graph, [&] { return data_groups(connection, {}, {}); });
  });
  permissions_.forget();
  return result;
}

json::object Graphs::collections(const std::optional<std::string>& name_space) {
  return store_.read([&](Connection& connection) {
    return answer(revision(connection, "collection"), false, [&] { return collection_groups(connection, name_space); });
  });
}

json::object Graphs::change_collections(const GraphChange& change, const std::optional<std::string>& name_space) {
  auto& groups = groups_of_change(change);
  auto result = store_.write([&](Connection& connection) {
    require_revision(connection, "collection", change);
    auto known_groups = ids(connection, "SELECT id FROM permission_group");
    auto shared = shared_collections(connection, name_space);
    auto all_before = collection_groups(connection, name_space);
    json::object before, after;
    for (auto& [group_text, collections] : groups) {
      GroupId group(id_from(group_text, "group"));
      if (!known_groups.contains(group.value)) wrong("There is no group " + std::to_string(group.value) + ".");
      if (group == administrators) continue;
      for (auto& [collection_text, value] : object_at(collections, "Each group")) {
        std::optional<CollectionId> collection;
        if (collection_text != "root") {
          collection = CollectionId(id_from(collection_text, "collection"));
          if (!shared.contains(collection->value)) wrong("Collection " + std::to_string(collection->value) + " is personal, archived or missing: its permissions cannot be set.");
        }
        std::string word = value.is_string() ? std::string(value.get_string()) : "";
        if (word != "none" && word != "read" && word != "write") wrong("The right on a collection is \"none\", \"read\" or \"write\".");
        connection.execute(collection ? "DELETE FROM collection_permission WHERE group_id = ? AND collection_id = ?" : "DELETE FROM collection_permission WHERE group_id = ? AND collection_id IS NULL",
                           collection ? appdb::Parameters{group, *collection} : appdb::Parameters{group});
        if (word != "none") connection.insert("collection_permission", {{"group_id", group}, {"collection_id", collection}, {"value", word == "write" ? "curate" : "view"}});
        auto group_key = std::to_string(group.value), collection_key = collection ? std::to_string(collection->value) : "root";
        if (!before.contains(group_key)) before[group_key] = after[group_key] = json::object();
        if (auto* old = all_before.at(group_key).as_object().if_contains(collection_key)) before[group_key].as_object()[collection_key] = *old;
        after[group_key].as_object()[collection_key] = word;
      }
    }
    connection.insert("permission_revision", {{"kind", "collection"}, {"before", json::value(before)}, {"after", json::value(after)},
                                              {"person_id", change.by}, {"created_at", clock_.now()}});
    return answer(revision(connection, "collection"), change.skip_graph, [&] { return collection_groups(connection, name_space); });
  });
  permissions_.forget();
  return result;
}

}  // namespace basalt::permissions
