// Routes for tables and fields.
#include <cstdlib>

#include "base/random.h"
#include "features/databases/catalog.h"
#include "features/databases/databases_api.h"
#include "features/databases/metadata_json.h"
#include "features/databases/sync.h"

namespace basalt::features {
namespace {


appdb::Row require_table(appdb::Connection& connection, const permissions::Rights& rights, TableId id) {
  auto row = connection.query_one("SELECT " + table_columns() + " FROM data_table WHERE id = ?", {id});
  if (!row || rights.table(row->id<DatabaseId>("database_id"), row->optional_text("schema_name"), id) == permissions::DataRight::None) throw not_found();
  return *row;
}

appdb::Row require_field(appdb::Connection& connection, const permissions::Rights& rights, FieldId id) {
  auto row = connection.query_one("SELECT " + field_columns() + " FROM data_field WHERE id = ?", {id});
  if (!row) throw not_found();
  require_table(connection, rights, row->id<TableId>("table_id"));
  if (row->text("visibility_type") == "sensitive" && !rights.is_administrator()) throw not_found();
  return *row;
}

// The whole field as GET /api/field/:id answers it: with its table, target and dimensions.
json::object full_field(Services& services, appdb::Connection& connection, const permissions::Rights& rights, FieldId id) {
  auto row = require_field(connection, rights, id);
  auto tables = tables_with_fields(services, connection, rights, {row.id<TableId>("table_id")}, Hidden::Include);
  auto field = field_json(row);
  if (!tables.empty()) {
    auto& table = tables[0].as_object();
    for (auto& candidate : table.at("fields").as_array())
      if (candidate.as_object().at("id").as_int64() == id.value) field = candidate.as_object();
    table.erase("fields");
    field["table"] = table;
  }
  if (!field.contains("target")) field["target"] = nullptr;
  if (!field.contains("dimensions")) field["dimensions"] = json::array();
  return field;
}

std::optional<CardId> virtual_card(const http::Request& request) {
  auto& text = request.path_value("id");
  if (!text.starts_with("card__")) return std::nullopt;
  auto id = std::atoll(text.c_str() + 6);
  if (id <= 0) throw not_found();
  return CardId(id);
}

json::object card_table(Services& services, const permissions::Rights& rights, CardId id) {
  auto row = services.store.read([&](appdb::Connection& c) {
    return c.query_one("SELECT c.id, c.name, c.description, c.kind, c.database_id, c.result_metadata, c.collection_id, col.name AS collection_name FROM card c LEFT JOIN collection col ON col.id = c.collection_id WHERE c.id = ?", {id});
  });
  if (!row || rights.collection(row->optional_id<CollectionId>("collection_id")) == permissions::CollectionRight::None) throw not_found();
  return card_table_json(*row, row->optional_text("collection_name").value_or("Everything else"), true);
}

json::object whole_table(Services& services, appdb::Connection& connection, const permissions::Rights& rights, TableId id, Hidden hidden) {
  require_table(connection, rights, id);
  auto tables = tables_with_fields(services, connection, rights, {id}, hidden);
  if (tables.empty()) throw not_found();
  return std::move(tables[0].as_object());
}

const char* known_table_visibility(const json::value& v) {
  for (auto* known : {"hidden", "technical", "cruft"}) if (v == json::value(known)) return nullptr;
  return "value must be null, hidden, technical or cruft.";
}
const char* known_field_visibility(const json::value& v) {
  for (auto* known : {"normal", "details-only", "hidden", "sensitive", "retired"}) if (v == json::value(known)) return nullptr;
  return "value must be normal, details-only, hidden, sensitive or retired.";
}
const char* known_values_choice(const json::value& v) {
  for (auto* known : {"list", "auto-list", "search", "none"}) if (v == json::value(known)) return nullptr;
  return "value must be list, auto-list, search or none.";
}
const char* type_name(const json::value& v) {
  return v.is_string() && v.get_string().starts_with("type/") && v.get_string().size() < 100 ? nullptr : "value must be a type name like type/Category.";
}
const char* coercion_name(const json::value& v) {
  return v.is_string() && v.get_string().starts_with("Coercion/") && v.get_string().size() < 100 ? nullptr : "value must be a coercion like Coercion/UNIXSeconds->DateTime.";
}

struct TableChange {
  Patch<std::string> display_name, description, caveats, points_of_interest, visibility_type, entity_type, field_order;
  Patch<bool> show_in_getting_started;
  static constexpr auto fields() {
    return json_fields(field("display_name", &TableChange::display_name, not_blank), field("description", &TableChange::description), field("caveats", &TableChange::caveats),
                       field("points_of_interest", &TableChange::points_of_interest), field("visibility_type", &TableChange::visibility_type, known_table_visibility),
                       field("entity_type", &TableChange::entity_type), field("field_order", &TableChange::field_order), field("show_in_getting_started", &TableChange::show_in_getting_started));
  }
};
struct TablesChange {
  std::vector<std::int64_t> ids;
  static constexpr auto fields() { return json_fields(field("ids", &TablesChange::ids)); }
};

std::vector<appdb::Assignment> table_changes(const TableChange& change, Timestamp now) {
  std::vector<appdb::Assignment> columns;
  auto set = [&](const char* column, const auto& patch) { if (patch) columns.emplace_back(column, appdb::Parameter(patch.value)); };
  if (change.display_name.value) columns.emplace_back("display_name", *change.display_name.value);
  set("description", change.description);
  set("caveats", change.caveats);
  set("points_of_interest", change.points_of_interest);
  set("visibility_type", change.visibility_type);
  set("entity_type", change.entity_type);
  if (change.field_order.value) columns.emplace_back("field_order", *change.field_order.value);
  if (change.show_in_getting_started.value) columns.emplace_back("show_in_getting_started", *change.show_in_getting_started.value);
  if (!columns.empty()) columns.emplace_back("updated_at", now);
  return columns;
}

struct FieldChange {
  Patch<std::string> display_name, description, caveats, points_of_interest, semantic_type, coercion_strategy, visibility_type, has_field_values;
  Patch<FieldId> fk_target_field_id;
  Patch<json::object> settings;
  static constexpr auto fields() {
    return json_fields(field("display_name", &FieldChange::display_name, not_blank), field("description", &FieldChange::description), field("caveats", &FieldChange::caveats),
                       field("points_of_interest", &FieldChange::points_of_interest), field("semantic_type", &FieldChange::semantic_type, type_name),
                       field("coercion_strategy", &FieldChange::coercion_strategy, coercion_name), field("visibility_type", &FieldChange::visibility_type, known_field_visibility),
                       field("has_field_values", &FieldChange::has_field_values, known_values_choice), field("fk_target_field_id", &FieldChange::fk_target_field_id),
                       field("settings", &FieldChange::settings));
  }
};

// The type a coerced column has: "Coercion/UNIXSeconds->DateTime" makes "type/DateTime" (an instant for UNIX numbers).
std::string coerced_type(const std::string& strategy) {
  auto arrow = strategy.find("->");
  auto target = arrow == std::string::npos ? std::string() : strategy.substr(arrow + 2);
  if (strategy.starts_with("Coercion/UNIX")) return "type/Instant";
  if (target == "Temporal") return "type/DateTime";
  if (target == "Float" || target == "Integer" || target == "Date" || target == "Time" || target == "DateTime") return "type/" + target;
  throw bad_field("coercion_strategy", "value must be a coercion like Coercion/UNIXSeconds->DateTime.");
}

struct DimensionBody {
  std::string type, name;
  std::optional<FieldId> human_readable_field_id;
  static constexpr auto fields() {
    return json_fields(field("type", &DimensionBody::type), field("name", &DimensionBody::name, not_blank), field("human_readable_field_id", &DimensionBody::human_readable_field_id));
  }
};
struct ValuesBody {
  json::array values;
  static constexpr auto fields() { return json_fields(field("values", &ValuesBody::values)); }
};

json::array query_rows(Services& services, const permissions::Rights& rights, DatabaseId database, json::object inner, std::size_t limit, std::stop_token gone) {
  pipeline::QueryRequest request;
  request.dataset_query = json::object{{"database", database.value}, {"type", "query"}, {"query", std::move(inner)}, {"middleware", json::object{{"disable-remaps?", true}}}};
  request.constraints = pipeline::Constraints::downloads();
  request.integers_as_text = false;
  request.gone = gone;
  return pipeline::query_rows(services.queries, rights, std::move(request), limit);
}

json::array ref(FieldId id) { return {"field", id.value, nullptr}; }

DatabaseId database_of(appdb::Connection& c, const appdb::Row& field) {
  return c.query_one("SELECT database_id FROM data_table WHERE id = ?", {field.integer("table_id")})->id<DatabaseId>("database_id");
}

}  // namespace

void add_table_routes(http::Routes& routes, Services& services) {
  routes.in_feature("tables");

  routes.get("/api/table", [&services](http::Request& request) -> json::value {
    auto rights = services.rights(request);
    auto term = request.query_value("term");
    json::array out;
    services.store.read([&](appdb::Connection& c) {
      std::map<std::int64_t, json::object> databases;
      c.each("SELECT " + database_columns() + " FROM \"database\"", {}, [&](const appdb::Row& row) { databases[row.integer("id")] = database_json(services, *rights, row); });
      c.each("SELECT " + table_columns() + " FROM data_table WHERE active = ? AND visibility_type IS NULL ORDER BY display_name, id", {true}, [&](const appdb::Row& row) {
        if (rights->table(row.id<DatabaseId>("database_id"), row.optional_text("schema_name"), row.id<TableId>("id")) == permissions::DataRight::None) return;
        if (term && row.text("display_name").find(*term) == std::string::npos && row.text("name").find(*term) == std::string::npos) return;
        auto table = table_json(row);
        table["db"] = databases[row.integer("database_id")];
        out.push_back(std::move(table));
      });
    });
    return out;
  }).summary("Every table that the caller may query.");

  routes.get("/api/table/:id", [&services](http::Request& request) -> json::value {
    auto rights = services.rights(request);
    if (auto card = virtual_card(request)) return card_table(services, *rights, *card);
    return services.store.read([&](appdb::Connection& c) -> json::value {
      auto table = whole_table(services, c, *rights, request.path_id<TableId>("id"), Hidden::Leave);
      table.erase("fields");
      return table;
    });
  }).summary("One table.");

  routes.get("/api/table/:id/query_metadata", [&services](http::Request& request) -> json::value {
    auto rights = services.rights(request);
    if (auto card = virtual_card(request)) return card_table(services, *rights, *card);
    auto hidden = request.query_flag("include_sensitive_fields") ? Hidden::Include : Hidden::Leave;
    return services.store.read([&](appdb::Connection& c) -> json::value {
      auto table = whole_table(services, c, *rights, request.path_id<TableId>("id"), hidden);
      auto& fields = table.at("fields").as_array();
      std::map<std::int64_t, std::pair<json::value, bool>> values;
      c.each("SELECT v.field_id, v.values_json, v.has_more_values FROM field_values v JOIN data_field f ON f.id = v.field_id WHERE f.table_id = ?", {request.path_id<TableId>("id")},
             [&](const appdb::Row& row) { values[row.integer("field_id")] = {row.json("values_json"), row.boolean("has_more_values")}; });
      for (auto& field : fields) {
        auto found = values.find(field.as_object().at("id").as_int64());
        if (found == values.end() || !found->second.first.is_array()) continue;
        json::array wrapped;
        for (auto& v : found->second.first.get_array()) wrapped.push_back(json::array{v});
        field.as_object()["values"] = std::move(wrapped);
      }
      return table;
    });
  }).summary("A table with its fields, as the query builder needs it.");

  routes.get("/api/table/:id/fks", [&services](http::Request& request) -> json::value {
    auto rights = services.rights(request);
    if (virtual_card(request)) return json::array();
    auto id = request.path_id<TableId>("id");
    return services.store.read([&](appdb::Connection& c) -> json::value {
      auto destination_table = table_json(require_table(c, *rights, id));
      json::array out;
      for (auto& origin : c.query("SELECT " + field_columns("f") + " FROM data_field f JOIN data_field target ON target.id = f.fk_target_field_id JOIN data_table t ON t.id = f.table_id "
                                  "WHERE target.table_id = ? AND f.active = ? AND t.active = ? ORDER BY f.id", {id, true, true})) {
        auto origin_table = c.query_one("SELECT " + table_columns() + " FROM data_table WHERE id = ?", {origin.integer("table_id")});
        if (!origin_table || rights->table(origin_table->id<DatabaseId>("database_id"), origin_table->optional_text("schema_name"), origin_table->id<TableId>("id")) == permissions::DataRight::None) continue;
        auto destination = c.query_one("SELECT " + field_columns() + " FROM data_field WHERE id = ?", {origin.integer("fk_target_field_id")});
        auto origin_json = field_json(origin), destination_json = field_json(*destination);
        origin_json["table"] = table_json(*origin_table);
        destination_json["table"] = destination_table;
        out.push_back(json::object{{"relationship", "Mt1"}, {"origin_id", origin.integer("id")}, {"origin", std::move(origin_json)},
                                   {"destination_id", destination->integer("id")}, {"destination", std::move(destination_json)}});
      }
      return out;
    });
  }).summary("Keys that point to this table.");

  routes.get("/api/table/:id/related", [&services](http::Request& request) -> json::value {
    auto rights = services.rights(request);
    services.store.read([&](appdb::Connection& c) { require_table(c, *rights, request.path_id<TableId>("id")); });
    return json::object{{"tables", json::array()}, {"segments", json::array()}, {"metrics", json::array()}, {"fields", json::array()}};
  }).summary("What belongs together with this table.");

  routes.put("/api/table/:id", [&services](http::Request& request, const TableChange& change) -> json::value {
    auto rights = services.rights(request);
    auto id = request.path_id<TableId>("id");
    auto result = services.store.write([&](appdb::Connection& c) -> json::value {
      require_table(c, *rights, id);
      c.update("data_table", table_changes(change, services.clock.now()), "id", id);
      return whole_table(services, c, *rights, id, Hidden::Leave);
    });
    services.metadata.forget();
    return result;
  }).administrator().summary("Change a table's description, name or visibility.");

  routes.put("/api/table", [&services](http::Request& request, const TablesChange& which) -> json::value {
    auto rights = services.rights(request);
    auto change = read_fields<TableChange>(request.json_body());
    require(which.ids.size() <= 1000, "At most 1,000 tables can be changed at once.");
    auto result = services.store.write([&](appdb::Connection& c) -> json::value {
      json::array out;
      for (auto id : which.ids) {
        require_table(c, *rights, TableId(id));
        c.update("data_table", table_changes(change, services.clock.now()), "id", id);
        out.push_back(table_json(require_table(c, *rights, TableId(id))));
      }
      return out;
    });
    services.metadata.forget();
    return result;
  }).administrator().summary("Change several tables at once.");

  routes.put("/api/table/:id/fields/order", [&services](http::Request& request) -> json::value {
    auto rights = services.rights(request);
    auto id = request.path_id<TableId>("id");
    auto body = request.json_body();
    require(body.is_array(), "The body must be an array of field ids.");
    services.store.write([&](appdb::Connection& c) {
      require_table(c, *rights, id);
      std::int64_t position = 0;
      for (auto& item : body.get_array()) {
        auto field = json::as_integer(item);
        require(field.has_value(), "The body must be an array of field ids.");
        c.execute("UPDATE data_field SET position = ?, custom_position = ? WHERE id = ? AND table_id = ?", {position, position, *field, id});
        ++position;
      }
      c.update("data_table", {{"field_order", "custom"}}, "id", id);
    });
    services.metadata.forget();
    return json::object{{"success", true}};
  }).administrator().summary("Put the fields of a table in order.");

  routes.post("/api/table/:id/rescan_values", [&services](http::Request& request) -> json::value {
    services.sync.scan_table(request.path_id<TableId>("id"));
    return json::object{{"status", "success"}};
  }).administrator().runs_on(http::Pool::Query).summary("Read the values of list filters again.");
  routes.post("/api/table/:id/discard_values", [&services](http::Request& request) -> json::value {
    services.store.write([&](appdb::Connection& c) { c.execute("DELETE FROM field_values WHERE field_id IN (SELECT id FROM data_field WHERE table_id = ?)", {request.path_id<TableId>("id")}); });
    return json::object{{"status", "success"}};
  }).administrator().summary("Forget the values of list filters.");
  routes.post("/api/table/:id/sync_schema", [&services](http::Request& request) -> json::value {
    auto rights = services.rights(request);
    auto row = services.store.read([&](appdb::Connection& c) { return require_table(c, *rights, request.path_id<TableId>("id")); });
    services.sync.start(row.id<DatabaseId>("database_id"), SyncDepth::SchemaOnly);
    return json::object{{"status", "ok"}};
  }).administrator().summary("Look for new columns now.");

  routes.get("/api/table/:id/data", [&services](http::Request& request) -> http::Response {
    auto rights = services.rights(request);
    auto row = services.store.read([&](appdb::Connection& c) { return require_table(c, *rights, request.path_id<TableId>("id")); });
    pipeline::QueryRequest query;
    query.dataset_query = json::object{{"database", row.integer("database_id")}, {"type", "query"}, {"query", json::object{{"source-table", row.integer("id")}, {"limit", 2000}}}};
    query.context = "table-grid";
    query.gone = request.gone;
    return http::Response::stream([&services, rights, query = std::move(query)](http::ResponseStream& out) {
      pipeline::run_query(services.queries, *rights, query, pipeline::Format::Api, "query_result", out);
    });
  }).runs_on(http::Pool::Query).summary("The first rows of a table.");
}

void add_field_routes(http::Routes& routes, Services& services) {
  routes.in_feature("fields");

  routes.get("/api/field/:id", [&services](http::Request& request) -> json::value {
    auto rights = services.rights(request);
    return services.store.read([&](appdb::Connection& c) -> json::value { return full_field(services, c, *rights, request.path_id<FieldId>("id")); });
  }).summary("One field.");

  routes.put("/api/field/:id", [&services](http::Request& request, const FieldChange& change) -> json::value {
    auto rights = services.rights(request);
    auto id = request.path_id<FieldId>("id");
    auto result = services.store.write([&](appdb::Connection& c) -> json::value {
      auto row = require_field(c, *rights, id);
      std::vector<appdb::Assignment> columns{{"updated_at", services.clock.now()}};
      auto set = [&](const char* column, const auto& patch) { if (patch) columns.emplace_back(column, appdb::Parameter(patch.value)); };
      if (change.display_name.value) columns.emplace_back("display_name", *change.display_name.value);
      set("description", change.description);
      set("caveats", change.caveats);
      set("points_of_interest", change.points_of_interest);
      set("semantic_type", change.semantic_type);
      set("has_field_values", change.has_field_values);
      set("settings", change.settings);
      if (change.visibility_type.value) columns.emplace_back("visibility_type", *change.visibility_type.value);
      if (change.coercion_strategy) {
        columns.emplace_back("coercion_strategy", change.coercion_strategy.value);
        columns.emplace_back("effective_type", change.coercion_strategy.value ? coerced_type(*change.coercion_strategy.value) : row.text("base_type"));
      }
      if (change.fk_target_field_id) {
        if (change.fk_target_field_id.value) {
          auto target = require_field(c, *rights, *change.fk_target_field_id.value);
          if (database_of(c, target) != database_of(c, row)) throw bad_field("fk_target_field_id", "The target must be a field of the same database.");
        }
        columns.emplace_back("fk_target_field_id", change.fk_target_field_id.value);
      } else if (change.semantic_type && change.semantic_type.value != "type/FK") {
        columns.emplace_back("fk_target_field_id", nullptr);
      }
      c.update("data_field", columns, "id", id);
      return full_field(services, c, *rights, id);
    });
    services.metadata.forget();
    return result;
  }).administrator().summary("Change a field's name, meaning or visibility.");

  routes.get("/api/field/:id/values", [&services](http::Request& request) -> json::value {
    auto rights = services.rights(request);
    auto id = request.path_id<FieldId>("id");
    return services.store.read([&](appdb::Connection& c) -> json::value {
      auto field = require_field(c, *rights, id);
      json::array values;
      bool more = false;
      auto row = c.query_one("SELECT values_json, human_readable_values, has_more_values FROM field_values WHERE field_id = ?", {id});
      auto kind = has_field_values(field);
      if (row && (kind == "list" || kind == "auto-list")) {
        more = row->boolean("has_more_values");
        auto stored = row->json("values_json"), labels = row->json("human_readable_values");
        if (auto* list = stored.if_array()) {
          for (std::size_t i = 0; i < list->size(); ++i) {
            json::array pair{(*list)[i]};
            if (labels.is_array() && i < labels.get_array().size() && !labels.get_array()[i].is_null()) pair.push_back(labels.get_array()[i]);
            values.push_back(std::move(pair));
          }
        }
      }
      return json::object{{"values", std::move(values)}, {"field_id", id.value}, {"has_more_values", more}, {"has_field_values", kind}};
    });
  }).summary("The values that a list filter offers.");

  routes.post("/api/field/:id/values", [&services](http::Request& request, const ValuesBody& body) -> json::value {
    auto rights = services.rights(request);
    auto id = request.path_id<FieldId>("id");
    require(body.values.size() <= 5000, "At most 5,000 values can be stored for a field.");
    json::array values, labels;
    for (auto& item : body.values) {
      if (!item.is_array() || item.get_array().empty()) throw bad_field("values", "value must be an array of [value] or [value, label] pairs.");
      auto& pair = item.get_array();
      values.push_back(pair[0]);
      labels.push_back(pair.size() > 1 ? pair[1] : pair[0].is_string() ? pair[0] : json::value(json::write(pair[0])));
    }
    auto now = services.clock.now();
    services.store.write([&](appdb::Connection& c) {
      require_field(c, *rights, id);
      if (!c.execute("UPDATE field_values SET values_json = ?, human_readable_values = ?, updated_at = ? WHERE field_id = ?", {values, labels, now, id}))
        c.insert("field_values", {{"field_id", id}, {"values_json", values}, {"human_readable_values", labels}, {"has_more_values", false}, {"kind", "full"}, {"created_at", now}, {"updated_at", now}});
    });
    services.metadata.forget();
    return json::object{{"status", "success"}};
  }).administrator().summary("Give labels to the values of a field.");

  routes.get("/api/field/:id/summary", [&services](http::Request& request) -> json::value {
    auto rights = services.rights(request);
    auto id = request.path_id<FieldId>("id");
    auto [database, table] = services.store.read([&](appdb::Connection& c) {
      auto field = require_field(c, *rights, id);
      return std::pair(database_of(c, field), field.id<TableId>("table_id"));
    });
    json::array aggregations{json::array{"count", ref(id)}, json::array{"distinct", ref(id)}};
    auto rows = query_rows(services, *rights, database, {{"source-table", table.value}, {"aggregation", std::move(aggregations)}}, 1, request.gone);
    auto& row = rows.at(0).as_array();
    return json::array{json::array{"count", row.at(0)}, json::array{"distincts", row.at(1)}};
  }).runs_on(http::Pool::Query).summary("How many values a field has.");

  routes.get("/api/field/:id/search/:search_id", [&services](http::Request& request) -> json::value {
    auto rights = services.rights(request);
    FieldId id = request.path_id<FieldId>("id"), shown = request.path_id<FieldId>("search_id");
    auto limit = std::clamp<std::int64_t>(request.query_integer("limit").value_or(100), 1, 1000);
    auto [database, table] = services.store.read([&](appdb::Connection& c) {
      auto field = require_field(c, *rights, id), search = require_field(c, *rights, shown);
      if (search.integer("table_id") != field.integer("table_id") && field.optional_integer("fk_target_field_id") == std::nullopt)
        throw bad_field("search_id", "The searched field must belong to the same table or to the table the key points to.");
      return std::pair(database_of(c, search), search.id<TableId>("table_id"));
    });
    // Values of the searched field, with the key when it is another field.
    json::array breakout{ref(shown)};
    json::object inner{{"source-table", table.value}, {"limit", limit}};
    bool pairs = id != shown;
    if (pairs) {
      auto key = services.store.read([&, table = table](appdb::Connection& c) {
        auto field = require_field(c, *rights, id);
        return field.id<TableId>("table_id") == table ? id : FieldId(field.optional_integer("fk_target_field_id").value_or(id.value));
      });
      breakout.insert(breakout.begin(), ref(key));
    }
    inner["breakout"] = std::move(breakout);
    if (auto wanted = request.query_value("value"); wanted && !wanted->empty())
      inner["filter"] = json::array{"contains", ref(shown), *wanted, json::object{{"case-sensitive", false}}};
    return query_rows(services, *rights, database, std::move(inner), static_cast<std::size_t>(limit), request.gone);
  }).runs_on(http::Pool::Query).summary("Values of a field that contain a text.");

  routes.get("/api/field/:id/remapping/:remapped_id", [&services](http::Request& request) -> json::value {
    auto rights = services.rights(request);
    FieldId id = request.path_id<FieldId>("id"), shown = request.path_id<FieldId>("remapped_id");
    auto wanted = request.query_value("value").value_or("");
    auto [database, table, key] = services.store.read([&](appdb::Connection& c) {
      auto field = require_field(c, *rights, id), target = require_field(c, *rights, shown);
      auto table_id = target.id<TableId>("table_id");
      return std::tuple(database_of(c, target), table_id, field.id<TableId>("table_id") == table_id ? id : FieldId(field.optional_integer("fk_target_field_id").value_or(id.value)));
    });
    auto rows = query_rows(services, *rights, database, {{"source-table", table.value}, {"fields", json::array{ref(key), ref(shown)}}, {"filter", json::array{"=", ref(key), wanted}}, {"limit", 1}}, 1, request.gone);
    return rows.empty() ? json::value(json::array()) : rows[0];
  }).runs_on(http::Pool::Query).summary("The label of one value.");

  routes.post("/api/field/:id/dimension", [&services](http::Request& request, const DimensionBody& body) -> json::value {
    auto rights = services.rights(request);
    auto id = request.path_id<FieldId>("id");
    if (body.type != "internal" && body.type != "external") throw bad_field("type", "value must be internal or external.");
    if (body.type == "external" && !body.human_readable_field_id) throw bad_field("human_readable_field_id", "An external dimension needs the field whose values are shown.");
    auto now = services.clock.now();
    auto result = services.store.write([&](appdb::Connection& c) -> json::value {
      require_field(c, *rights, id);
      if (body.human_readable_field_id) require_field(c, *rights, *body.human_readable_field_id);
      c.execute("DELETE FROM field_dimension WHERE field_id = ?", {id});
      auto eid = entity_id();
      auto made = c.insert("field_dimension", {{"field_id", id}, {"name", body.name}, {"kind", body.type}, {"human_readable_field_id", body.human_readable_field_id}, {"created_at", now}, {"updated_at", now}, {"entity_id", eid}});
      return json::object{{"id", made}, {"field_id", id.value}, {"name", body.name}, {"type", body.type}, {"human_readable_field_id", json::or_null(body.human_readable_field_id)}, {"entity_id", eid}, {"created_at", to_text(now)}, {"updated_at", to_text(now)}};
    });
    services.metadata.forget();
    return result;
  }).administrator().summary("Show another field, or labels, instead of this field's values.");
  routes.del("/api/field/:id/dimension", [&services](http::Request& request) {
    auto rights = services.rights(request);
    auto id = request.path_id<FieldId>("id");
    services.store.write([&](appdb::Connection& c) { require_field(c, *rights, id); c.execute("DELETE FROM field_dimension WHERE field_id = ?", {id}); });
    services.metadata.forget();
  }).administrator().summary("Show the field's own values again.");

  routes.post("/api/field/:id/rescan_values", [&services](http::Request& request) -> json::value {
    services.sync.scan_field(request.path_id<FieldId>("id"));
    return json::object{{"status", "success"}};
  }).administrator().runs_on(http::Pool::Query).summary("Read the values of this field again.");
  routes.post("/api/field/:id/discard_values", [&services](http::Request& request) -> json::value {
    services.store.write([&](appdb::Connection& c) { c.execute("DELETE FROM field_values WHERE field_id = ?", {request.path_id<FieldId>("id")}); });
    return json::object{{"status", "success"}};
  }).administrator().summary("Forget the values of this field.");
  routes.get("/api/field/:id/related", [&services](http::Request& request) -> json::value {
    auto rights = services.rights(request);
    services.store.read([&](appdb::Connection& c) { require_field(c, *rights, request.path_id<FieldId>("id")); });
    return json::object{{"fields", json::array()}};
  }).summary("What belongs together with this field.");
}

}  // namespace basalt::features
