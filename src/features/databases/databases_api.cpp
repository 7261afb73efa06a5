#include "features/databases/databases_api.h"

#include <cctype>
#include <cstdlib>

#include "base/log.h"
#include "base/random.h"
#include "features/databases/catalog.h"
#include "features/databases/metadata_json.h"
#include "features/databases/sync.h"
#include "features/queries/data_sources.h"
#include "permissions/defaults.h"

namespace basalt::features {
namespace {

constexpr std::int64_t saved_questions_id = -1337;  // the virtual database of saved questions

appdb::Row require_database(appdb::Connection& connection, DatabaseId id) {
  auto row = connection.query_one("SELECT " + database_columns() + " FROM \"database\" WHERE id = ?", {id});
  if (!row) throw not_found();
  return *row;
}

// The row when the person may query any of its tables; else as if it were not there.
appdb::Row readable_database(appdb::Connection& connection, const permissions::Rights& rights, DatabaseId id) {
  auto row = require_database(connection, id);
  if (!rights.any_table(id)) throw not_found();
  return row;
}

bool may_see(const permissions::Rights& rights, const appdb::Row& table) {
  return rights.table(table.id<DatabaseId>("database_id"), table.optional_text("schema_name"), table.id<TableId>("id")) != permissions::DataRight::None;
}

json::object saved_questions_database() {
  return {{"id", saved_questions_id}, {"name", "Saved Questions"}, {"is_saved_questions", true}, {"features", json::array{"basic-aggregations"}}};
}

bool is_saved_questions(const http::Request& request) { return request.path_value("id") == std::to_string(saved_questions_id); }

// Saved cards that may be a source, as virtual tables; `collection` narrows to one collection's name.
json::array saved_question_tables(Services& services, const permissions::Rights& rights, std::optional<std::string> collection, bool with_fields, const char* kind = nullptr) {
  json::array out;
  services.store.read([&](appdb::Connection& c) {
    std::string sql = "SELECT c.id, c.name, c.description, c.kind, c.database_id, c.result_metadata, c.collection_id, col.name AS collection_name FROM card c "
                      "LEFT JOIN collection col ON col.id = c.collection_id WHERE c.archived = ? AND c.result_metadata IS NOT NULL";
    appdb::Parameters parameters{false};
    if (kind) { sql += " AND c.kind = ?"; parameters.emplace_back(kind); }
    c.each(sql + " ORDER BY c.name, c.id LIMIT 5000", parameters, [&](const appdb::Row& row) {
      if (rights.collection(row.optional_id<CollectionId>("collection_id")) == permissions::CollectionRight::None) return;
      auto name = row.optional_text("collection_name").value_or("Everything else");
      if (collection && *collection != name) return;
      out.push_back(card_table_json(row, name, with_fields));
    });
  });
  return out;
}

json::array tables_of(Services& services, const permissions::Rights& rights, DatabaseId id, bool include_hidden, std::optional<std::optional<std::string>> schema = std::nullopt) {
  json::array out;
  services.store.read([&](appdb::Connection& c) {
    readable_database(c, rights, id);
    std::string sql = "SELECT " + table_columns() + " FROM data_table WHERE database_id = ? AND active = ?";
    if (!include_hidden) sql += " AND visibility_type IS NULL";
    c.each(sql + " ORDER BY display_name, id", {id, true}, [&](const appdb::Row& row) {
      if (schema && row.optional_text("schema_name").value_or("") != schema->value_or("")) return;
      if (may_see(rights, row)) out.push_back(table_json(row));
    });
  });
  return out;
}

// Encrypts details; a secret sent as the mask keeps the stored one.
std::string sealed_details(Services& services, const drivers::Driver& driver, json::object details, const json::object* stored) {
  for (auto& name : driver.secret_details()) {
    auto* value = details.if_contains(name);
    if (value && value->is_string() && value->get_string() == masked_secret) {
      auto* old = stored ? stored->if_contains(name) : nullptr;
      if (old) details[name] = *old;
      else details.erase(name);
    }
  }
  return services.seal_secret(json::write(details));
}

json::object opened_details(Services& services, const appdb::Row& row) {
  auto details = json::parse(services.open_secret(row.text("details")));
  return details.is_object() ? details.get_object() : json::object();
}

// What test_connection found, as the failure of a request: the database's own message, at the field to blame when one is.
Failure refused_connection(const json::object& tested) {
  Failure failure(FailureKind::Database, json::text(tested, "message").value_or("The connection failed."));
  auto& errors = tested.at("errors").as_object();
  for (auto& [name, sentence] : errors) (void)std::move(failure).with_field(std::string(name), std::string(sentence.as_string()));
  if (errors.empty()) (void)std::move(failure).with_field("details", failure.sentence());
  return failure;
}

struct DatabaseBody {
  std::string name, engine;
  json::object details;
  std::optional<bool> is_full_sync, is_on_demand, auto_run_queries;
  std::optional<std::int64_t> cache_ttl;
  static constexpr auto fields() {
    return json_fields(field("name", &DatabaseBody::name, not_blank), field("engine", &DatabaseBody::engine, not_blank), field("details", &DatabaseBody::details),
                       field("is_full_sync", &DatabaseBody::is_full_sync), field("is_on_demand", &DatabaseBody::is_on_demand),
                       field("auto_run_queries", &DatabaseBody::auto_run_queries), field("cache_ttl", &DatabaseBody::cache_ttl));
  }
};

struct DatabaseChange {
  Patch<std::string> name, engine, description, caveats, points_of_interest, metadata_sync_schedule, cache_field_values_schedule;
  Patch<json::object> details, settings, schedules;
  Patch<bool> is_full_sync, is_on_demand, auto_run_queries, refingerprint;
  Patch<std::int64_t> cache_ttl;
  static constexpr auto fields() {
    return json_fields(field("name", &DatabaseChange::name, not_blank), field("engine", &DatabaseChange::engine), field("description", &DatabaseChange::description),
                       field("caveats", &DatabaseChange::caveats), field("points_of_interest", &DatabaseChange::points_of_interest), field("details", &DatabaseChange::details),
                       field("settings", &DatabaseChange::settings), field("schedules", &DatabaseChange::schedules), field("is_full_sync", &DatabaseChange::is_full_sync),
                       field("is_on_demand", &DatabaseChange::is_on_demand), field("auto_run_queries", &DatabaseChange::auto_run_queries),
                       field("refingerprint", &DatabaseChange::refingerprint), field("cache_ttl", &DatabaseChange::cache_ttl));
  }
};

std::string cron_of(const json::object& schedule) {
  auto minute = json::integer(schedule, "schedule_minute").value_or(0);
  require(minute >= 0 && minute < 60, "schedule_minute must be between 0 and 59.");
  if (json::text(schedule, "schedule_type").value_or("hourly") == "hourly") return "0 " + std::to_string(minute) + " * * * ? *";
  auto hour = json::integer(schedule, "schedule_hour").value_or(0);
  require(hour >= 0 && hour < 24, "schedule_hour must be between 0 and 23.");
  return "0 " + std::to_string(minute) + " " + std::to_string(hour) + " * * ? *";
}

}  // namespace

json::object test_connection(Services& services, const std::string& engine, const json::object& details) {
  auto& driver = services.drivers.require(engine);
  try {
    auto connection = driver.connect(details);
    connection->version();
    return {{"valid", true}};
  } catch (const Failure& failure) {
    json::object errors;
    for (auto& [name, sentence] : failure.fields()) errors[name] = sentence;
    return {{"valid", false}, {"message", failure.sentence()}, {"errors", std::move(errors)}};
  }
}

DatabaseId add_database(Services& services, const NewDatabase& database) {
  auto& driver = services.drivers.require(database.engine);
  auto tested = test_connection(services, database.engine, database.details);
  if (!tested.at("valid").as_bool()) {
    throw refused_connection(tested);
  }
  auto now = services.clock.now();
  // Syncs are spread over the hour so that many databases do not start at once.
  auto minute = static_cast<unsigned char>(random_bytes(1)[0]) % 60;
  auto hour = static_cast<unsigned char>(random_bytes(1)[0]) % 24;
  auto id = services.store.write([&](appdb::Connection& c) {
    DatabaseId made(c.insert("database", {{"name", database.name}, {"engine", database.engine}, {"details", sealed_details(services, driver, database.details, nullptr)},
        {"is_sample", database.is_sample}, {"is_full_sync", database.is_full_sync}, {"is_on_demand", database.is_on_demand}, {"auto_run_queries", database.auto_run_queries},
        {"cache_ttl", database.cache_ttl}, {"metadata_sync_schedule", "0 " + std::to_string(minute) + " * * * ? *"},
        {"cache_field_values_schedule", "0 " + std::to_string(minute) + " " + std::to_string(hour) + " * * ? *"}, {"initial_sync_status", "incomplete"},
        {"creator_id", database.creator}, {"created_at", now}, {"updated_at", now}, {"entity_id", entity_id()}}));
    permissions::grant_new_database(c, made);
    return made;
  });
  services.permissions.forget();
  services.sync.start(id, database.is_full_sync ? SyncDepth::Everything : SyncDepth::SchemaOnly);
  return id;
}

void add_database_routes(http::Routes& routes, Services& services) {
  routes.in_feature("databases");

  routes.get("/api/database", [&services](http::Request& request) -> json::value {
    auto rights = services.rights(request);
    auto include = request.query_value("include").value_or("");
    bool with_tables = include == "tables" || request.query_flag("include_tables");
    json::array out;
    services.store.read([&](appdb::Connection& c) {
      std::map<std::int64_t, json::array> tables;
      if (with_tables) {
        c.each("SELECT " + table_columns() + " FROM data_table WHERE active = ? AND visibility_type IS NULL ORDER BY display_name, id", {true}, [&](const appdb::Row& row) {
          if (may_see(*rights, row)) tables[row.integer("database_id")].push_back(table_json(row));
        });
      }
      c.each("SELECT " + database_columns() + " FROM \"database\" ORDER BY lower(name), id", {}, [&](const appdb::Row& row) {
        if (!rights->any_table(row.id<DatabaseId>("id"))) return;
        auto database = database_json(services, *rights, row);
        database["sync_progress"] = services.sync.progress(row.id<DatabaseId>("id"));
        if (with_tables) database["tables"] = std::move(tables[row.integer("id")]);
        out.push_back(std::move(database));
      });
    });
    if (request.query_flag("saved") && !saved_question_tables(services, *rights, std::nullopt, false).empty()) out.push_back(saved_questions_database());
    auto total = out.size();
    return json::object{{"data", std::move(out)}, {"total", total}};
  }).summary("The databases that the caller may query.");

  routes.post("/api/database", [&services](http::Request& request, const DatabaseBody& body) -> json::value {
    services.drivers.require(body.engine);
    NewDatabase made{body.name, body.engine, body.details, false, body.is_full_sync.value_or(true), body.is_on_demand.value_or(false), body.auto_run_queries.value_or(true),
                     body.cache_ttl, request.caller().person};
    auto id = add_database(services, made);
    auto rights = services.rights(request);
    return services.store.read([&](appdb::Connection& c) { return json::value(database_json(services, *rights, require_database(c, id))); });
  }).administrator().runs_on(http::Pool::Query).summary("Connect a database; the connection is tested first.");

  routes.post("/api/database/validate", [&services](http::Request& request) -> json::value {
    auto body = request.json_body();
    auto* wrapped = json::sub_object(body, "details");
    auto engine = json::text(body, "engine");
    json::object details = wrapped ? *wrapped : json::object();
    if (!engine && wrapped) {
      engine = json::text(*wrapped, "engine");
      auto* inner = json::sub_object(*wrapped, "details");
      details = inner ? json::object(*inner) : json::object();
    }
    if (!engine) throw bad_field("engine", "value must be the name of an engine.");
    // Secrets of a stored database are tested as stored.
    if (auto id = json::integer(body, "id")) {
      auto stored = services.store.read([&](appdb::Connection& c) { return opened_details(services, require_database(c, DatabaseId(*id))); });
      for (auto& name : services.drivers.require(*engine).secret_details()) {
        if (json::text(details, name) == masked_secret) { if (auto* old = stored.if_contains(name)) details[name] = *old; }
      }
    }
    return test_connection(services, *engine, details);
  }).administrator().runs_on(http::Pool::Query).summary("Test a connection without storing it.");

  routes.get("/api/database/:id", [&services](http::Request& request) -> json::value {
    if (is_saved_questions(request)) return saved_questions_database();
    auto rights = services.rights(request);
    auto id = request.path_id<DatabaseId>("id");
    auto include = request.query_value("include").value_or("");
    return services.store.read([&](appdb::Connection& c) -> json::value {
      auto database = database_json(services, *rights, readable_database(c, *rights, id));
      database["sync_progress"] = services.sync.progress(id);
      auto error = c.query_one("SELECT sync_error, last_synced_at FROM \"database\" WHERE id = ?", {id});
      if (rights->is_administrator()) database["sync_error"] = json::or_null(error->optional_text("sync_error"));
      database["last_synced_at"] = json::or_null(error->optional_text("last_synced_at"));
      if (include.starts_with("tables")) {
        std::vector<TableId> ids;
        json::array plain;
        c.each("SELECT " + table_columns() + " FROM data_table WHERE database_id = ? AND active = ? AND visibility_type IS NULL ORDER BY display_name, id", {id, true}, [&](const appdb::Row& row) {
          if (!may_see(*rights, row)) return;
          ids.push_back(row.id<TableId>("id"));
          plain.push_back(table_json(row));
        });
        database["tables"] = include == "tables.fields" ? tables_with_fields(services, c, *rights, ids, Hidden::Leave) : std::move(plain);
      }
      return database;
    });
  }).summary("One database.");

  routes.put("/api/database/:id", [&services](http::Request& request, const DatabaseChange& change) -> json::value {
    auto id = request.path_id<DatabaseId>("id");
    auto row = services.store.read([&](appdb::Connection& c) { return require_database(c, id); });
    auto engine = change.engine.value.value_or(row.text("engine"));
    auto& driver = services.drivers.require(engine);
    std::vector<appdb::Assignment> columns{{"updated_at", services.clock.now()}};
    if (change.details && change.details.value) {
      auto stored = opened_details(services, row);
      auto sealed = sealed_details(services, driver, *change.details.value, &stored);
      auto tested = test_connection(services, engine, json::parse(services.open_secret(sealed)).as_object());
      if (!tested.at("valid").as_bool()) {
        throw refused_connection(tested);
      }
      columns.emplace_back("details", sealed);
      columns.emplace_back("engine", engine);
    }
    auto set = [&](const char* column, const auto& patch) { if (patch) columns.emplace_back(column, appdb::Parameter(patch.value)); };
    auto set_required = [&](const char* column, const auto& patch) { if (patch && patch.value) columns.emplace_back(column, appdb::Parameter(*patch.value)); };
    set_required("name", change.name);
    set("description", change.description);
    set("caveats", change.caveats);
    set("points_of_interest", change.points_of_interest);
    set("settings", change.settings);
    set("refingerprint", change.refingerprint);
    set("cache_ttl", change.cache_ttl);
    set_required("is_full_sync", change.is_full_sync);
    set_required("is_on_demand", change.is_on_demand);
    set_required("auto_run_queries", change.auto_run_queries);
    if (change.schedules && change.schedules.value) {
      if (auto* schedule = json::sub_object(*change.schedules.value, "metadata_sync")) columns.emplace_back("metadata_sync_schedule", cron_of(*schedule));
      if (auto* schedule = json::sub_object(*change.schedules.value, "cache_field_values")) columns.emplace_back("cache_field_values_schedule", cron_of(*schedule));
    }
    services.store.write([&](appdb::Connection& c) { c.update("database", columns, "id", id); });
    services.data_sources.drop(id);
    services.metadata.forget();
    auto rights = services.rights(request);
    return services.store.read([&](appdb::Connection& c) { return json::value(database_json(services, *rights, require_database(c, id))); });
  }).administrator().runs_on(http::Pool::Query).summary("Change a database; changed details are tested first.");

  routes.del("/api/database/:id", [&services](http::Request& request) {
    auto id = request.path_id<DatabaseId>("id");
    services.store.read([&](appdb::Connection& c) { require_database(c, id); });
    services.sync.cancel(id);
    services.store.write([&](appdb::Connection& c) { c.execute("DELETE FROM \"database\" WHERE id = ?", {id}); });
    services.data_sources.drop(id);
    services.metadata.forget();
    services.permissions.forget();
  }).administrator().summary("Remove a database with everything that was made on it.");

  routes.get("/api/database/:id/metadata", [&services](http::Request& request) -> json::value {
    auto rights = services.rights(request);
    if (is_saved_questions(request)) {
      auto database = saved_questions_database();
      database["tables"] = saved_question_tables(services, *rights, std::nullopt, false);
      return database;
    }
    auto id = request.path_id<DatabaseId>("id");
    bool include_hidden = request.query_flag("include_hidden"), skip_fields = request.query_flag("skip_fields");
    return services.store.read([&](appdb::Connection& c) -> json::value {
      auto database = database_json(services, *rights, readable_database(c, *rights, id));
      std::vector<TableId> ids;
      json::array plain;
      std::string sql = "SELECT " + table_columns() + " FROM data_table WHERE database_id = ? AND active = ?";
      if (!include_hidden) sql += " AND visibility_type IS NULL";
      c.each(sql + " ORDER BY display_name, id", {id, true}, [&](const appdb::Row& row) {
        if (!may_see(*rights, row)) return;
        ids.push_back(row.id<TableId>("id"));
        plain.push_back(table_json(row));
      });
      auto tables = skip_fields ? std::move(plain) : tables_with_fields(services, c, *rights, ids, include_hidden ? Hidden::Include : Hidden::Leave);
      for (auto& table : tables) {
        auto& object = table.as_object();
        object.erase("db");
        if (object.at("schema").is_null()) object["schema"] = "";
      }
      database["tables"] = std::move(tables);
      return database;
    });
  }).summary("A database with its tables and fields.");

  routes.get("/api/database/:id/schemas", [&services](http::Request& request) -> json::value {
    auto rights = services.rights(request);
    std::set<std::string> names;
    if (is_saved_questions(request)) {
      for (auto& table : saved_question_tables(services, *rights, std::nullopt, false)) names.insert(std::string(table.as_object().at("schema").as_string()));
    } else {
      for (auto& table : tables_of(services, *rights, request.path_id<DatabaseId>("id"), request.query_flag("include_hidden")))
        names.insert(json::text(table, "schema").value_or(""));
    }
    json::array out;
    for (auto& name : names) out.push_back(json::value(name));
    return out;
  }).summary("Names of the schemas that hold visible tables.");

  auto one_schema = [&services](http::Request& request, std::optional<std::string> schema) -> json::value {
    auto rights = services.rights(request);
    if (is_saved_questions(request)) return saved_question_tables(services, *rights, schema, false);
    auto tables = tables_of(services, *rights, request.path_id<DatabaseId>("id"), request.query_flag("include_hidden"), std::optional(schema));
    if (tables.empty()) throw not_found();
    return tables;
  };
  routes.get("/api/database/:id/schema", [one_schema](http::Request& request) -> json::value { return one_schema(request, std::nullopt); }).summary("Tables without a schema.");
  routes.get("/api/database/:id/schema/:schema", [one_schema](http::Request& request) -> json::value { return one_schema(request, request.path_value("schema")); }).summary("Tables of one schema.");

  for (const char* path : {"/api/database/:id/datasets", "/api/database/:id/datasets/:schema"}) {
    routes.get(path, [&services](http::Request& request) -> json::value {
      auto rights = services.rights(request);
      auto found = request.path_values.find("schema");
      auto tables = saved_question_tables(services, *rights, found == request.path_values.end() ? std::nullopt : std::optional(found->second), false, "model");
      if (found != request.path_values.end()) return tables;
      std::set<std::string> names;
      for (auto& table : tables) names.insert(std::string(table.as_object().at("schema").as_string()));
      json::array out;
      for (auto& name : names) out.push_back(json::value(name));
      return out;
    }).summary("Models as virtual tables.");
  }

  auto fields_of_database = [&services](http::Request& request, bool keys_only) -> json::value {
    auto rights = services.rights(request);
    auto id = request.path_id<DatabaseId>("id");
    json::array out;
    services.store.read([&](appdb::Connection& c) {
      readable_database(c, *rights, id);
      std::string sql = "SELECT f.id, f.name, f.display_name, f.base_type, f.semantic_type, t.id AS table_id, t.name AS table_name, t.schema_name, t.database_id, t.display_name AS table_display_name "
                        "FROM data_field f JOIN data_table t ON t.id = f.table_id WHERE t.database_id = ? AND t.active = ? AND f.active = ? AND t.visibility_type IS NULL AND f.visibility_type <> 'sensitive'";
      if (keys_only) sql += " AND f.semantic_type = 'type/PK'";
      c.each(sql + " ORDER BY t.name, f.position, f.id", {id, true, true}, [&](const appdb::Row& row) {
        if (rights->table(id, row.optional_text("schema_name"), row.id<TableId>("table_id")) == permissions::DataRight::None) return;
        json::object field{{"id", row.integer("id")}, {"name", row.text("name")}, {"display_name", row.text("display_name")}, {"table_name", row.text("table_display_name")},
                           {"schema", row.optional_text("schema_name").value_or("")}, {"base_type", row.text("base_type")}, {"semantic_type", json::or_null(row.optional_text("semantic_type"))}};
        if (keys_only) field["table"] = json::object{{"id", row.integer("table_id")}, {"name", row.text("table_name")}, {"display_name", row.text("table_display_name")}, {"schema", json::or_null(row.optional_text("schema_name"))}, {"db_id", id.value}};
        out.push_back(std::move(field));
      });
    });
    return out;
  };
  routes.get("/api/database/:id/fields", [fields_of_database](http::Request& request) { return fields_of_database(request, false); }).summary("Every field of a database.");
  routes.get("/api/database/:id/idfields", [fields_of_database](http::Request& request) { return fields_of_database(request, true); }).summary("The primary keys of a database.");

  routes.get("/api/database/:id/autocomplete_suggestions", [&services](http::Request& request) -> json::value {
    auto rights = services.rights(request);
    auto id = request.path_id<DatabaseId>("id");
    auto prefix = request.query_value("prefix"), substring = request.query_value("substring");
    std::string wanted = prefix ? *prefix : substring.value_or("");
    for (auto& ch : wanted) ch = static_cast<char>(std::tolower(static_cast<unsigned char>(ch)));
    std::string pattern;
    for (char ch : wanted) { if (ch == '%' || ch == '_' || ch == '\\') pattern += '\\'; pattern += ch; }
    pattern = (prefix ? "" : "%") + pattern + "%";
    json::array out;
    services.store.read([&](appdb::Connection& c) {
      readable_database(c, *rights, id);
      c.each("SELECT id, database_id, schema_name, name FROM data_table WHERE database_id = ? AND active = ? AND lower(name) LIKE ? ESCAPE '\\' ORDER BY name LIMIT 50", {id, true, pattern}, [&](const appdb::Row& row) {
        if (may_see(*rights, row)) out.push_back(json::array{row.text("name"), "Table"});
      });
      c.each("SELECT f.name, f.base_type, f.semantic_type, t.name AS table_name, t.schema_name, t.id AS table_id FROM data_field f JOIN data_table t ON t.id = f.table_id "
             "WHERE t.database_id = ? AND t.active = ? AND f.active = ? AND f.visibility_type <> 'sensitive' AND lower(f.name) LIKE ? ESCAPE '\\' ORDER BY f.name LIMIT 50", {id, true, true, pattern}, [&](const appdb::Row& row) {
        if (rights->table(id, row.optional_text("schema_name"), row.id<TableId>("table_id")) == permissions::DataRight::None) return;
        auto note = row.text("table_name") + " :" + row.text("base_type");
        if (auto meaning = row.optional_text("semantic_type")) note += " :" + *meaning;
        out.push_back(json::array{row.text("name"), note});
      });
    });
    return out;
  }).summary("Names of tables and columns for the SQL editor.");

  routes.get("/api/database/:id/card_autocomplete_suggestions", [&services](http::Request& request) -> json::value {
    auto rights = services.rights(request);
    auto wanted = request.query_value("query").value_or("");
    json::array out;
    for (auto& table : saved_question_tables(services, *rights, std::nullopt, false)) {
      if (out.size() >= 50) break;
      auto name = json::text(table, "display_name").value_or("");
      auto id = json::text(table, "id").value_or("").substr(6);
      if (!wanted.empty() && name.find(wanted) == std::string::npos && !id.starts_with(wanted)) continue;
      if (json::integer(table, "db_id") != request.path_integer("id")) continue;
      out.push_back(json::object{{"id", std::atoll(id.c_str())}, {"name", name}, {"type", json::text(table, "type").value_or("question")}, {"collection_name", json::text(table, "schema").value_or("")}});
    }
    return out;
  }).summary("Saved questions for the SQL editor.");

  routes.post("/api/database/:id/sync_schema", [&services](http::Request& request) -> json::value {
    auto id = request.path_id<DatabaseId>("id");
    services.store.read([&](appdb::Connection& c) { require_database(c, id); });
    if (!services.sync.start(id, SyncDepth::Everything)) throw Failure(FailureKind::Unavailable, "Too many syncs are waiting; try again in a minute.");
    return json::object{{"status", "ok"}};
  }).administrator().summary("Look for new tables and columns now.");
  routes.post("/api/database/:id/rescan_values", [&services](http::Request& request) -> json::value {
    auto id = request.path_id<DatabaseId>("id");
    services.store.read([&](appdb::Connection& c) { require_database(c, id); });
    services.sync.start(id, SyncDepth::ValuesOnly);
    return json::object{{"status", "ok"}};
  }).administrator().summary("Read the values of list filters again.");
  routes.post("/api/database/:id/discard_values", [&services](http::Request& request) -> json::value {
    auto id = request.path_id<DatabaseId>("id");
    services.store.write([&](appdb::Connection& c) {
      require_database(c, id);
      c.execute("DELETE FROM field_values WHERE field_id IN (SELECT f.id FROM data_field f JOIN data_table t ON t.id = f.table_id WHERE t.database_id = ?)", {id});
    });
    return json::object{{"status", "ok"}};
  }).administrator().summary("Forget the values of list filters.");
  routes.post("/api/database/:id/dismiss_spinner", [&services](http::Request& request) -> json::value {
    auto id = request.path_id<DatabaseId>("id");
    services.store.write([&](appdb::Connection& c) { require_database(c, id); c.update("database", {{"initial_sync_status", "complete"}}, "id", id); });
    return json::object{{"status", "ok"}};
  }).administrator().summary("Mark the first sync as done.");

  routes.get("/api/database/:id/healthcheck", [&services](http::Request& request) -> json::value {
    auto row = services.store.read([&](appdb::Connection& c) { return require_database(c, request.path_id<DatabaseId>("id")); });
    auto tested = test_connection(services, row.text("engine"), opened_details(services, row));
    if (tested.at("valid").as_bool()) return json::object{{"status", "ok"}};
    return json::object{{"status", "error"}, {"message", tested.at("message")}, {"errors", tested.at("errors")}};
  }).administrator().runs_on(http::Pool::Query).summary("Can the database be reached now?");

  routes.get("/api/database/:id/usage_info", [&services](http::Request& request) -> json::value {
    auto id = request.path_id<DatabaseId>("id");
    return services.store.read([&](appdb::Connection& c) -> json::value {
      require_database(c, id);
      auto count = [&](const char* kind) { return c.count("SELECT count(*) FROM card WHERE database_id = ? AND kind = ?", {id, kind}); };
      return json::object{{"question", count("question")}, {"dataset", count("model")}, {"metric", count("metric")}, {"segment", 0}};
    });
  }).administrator().summary("How much was made on this database.");

  routes.get("/api/database/:id/syncable_schemas", [&services](http::Request& request) -> json::value {
    auto row = services.store.read([&](appdb::Connection& c) { return require_database(c, request.path_id<DatabaseId>("id")); });
    auto connection = services.drivers.require(row.text("engine")).connect(opened_details(services, row));
    json::array out;
    for (auto& name : connection->schemas()) out.push_back(json::value(name));
    return out;
  }).administrator().runs_on(http::Pool::Query).summary("Schemas in the database itself.");
  routes.get("/api/database/:id/settings-available", [](http::Request&) -> json::value { return json::object{{"settings", json::object()}}; }).administrator().summary("Settings of one database.");
}

}  // namespace basalt::features
