#include "features/databases/metadata_json.h"

#include <charconv>

#include "features/segments/segments_api.h"
#include "features/services.h"

namespace basalt::features {
namespace {

constexpr const char* database_names[] = {"id", "entity_id", "name", "description", "engine", "details", "settings", "is_sample", "is_full_sync", "is_on_demand",
    "auto_run_queries", "refingerprint", "cache_ttl", "caveats", "points_of_interest", "metadata_sync_schedule", "cache_field_values_schedule", "timezone",
    "initial_sync_status", "dbms_version", "creator_id", "created_at", "updated_at"};
constexpr const char* table_names[] = {"id", "entity_id", "database_id", "schema_name", "name", "display_name", "description", "caveats", "points_of_interest",
    "entity_type", "visibility_type", "field_order", "active", "initial_sync_status", "estimated_row_count", "view_count", "show_in_getting_started",
    "deactivated_at", "created_at", "updated_at"};
constexpr const char* field_names[] = {"id", "entity_id", "table_id", "name", "display_name", "description", "database_type", "base_type", "effective_type",
    "semantic_type", "coercion_strategy", "fk_target_field_id", "visibility_type", "has_field_values", "active", "position", "custom_position",
    "database_position", "preview_display", "parent_id", "settings", "fingerprint", "fingerprint_version", "last_analyzed", "caveats", "points_of_interest",
    "database_is_pk", "database_required", "database_is_auto_increment", "database_is_nullable", "database_default", "created_at", "updated_at"};

template <std::size_t N>
std::string column_list(const char* const (&names)[N], std::string_view alias) {
  std::string out;
  for (auto* name : names) {
    if (!out.empty()) out += ", ";
    if (!alias.empty()) { out += alias; out += '.'; }
    out += name;
  }
  return out;
}

// A cron text of the API from the stored one, as {"schedule_type": …}. Ours are hourly or daily.
json::value schedule_json(const std::string& cron) {
  // "0 11 * * * ? *": second minute hour …
  std::vector<std::string> parts(1);
  for (char c : cron) { if (c == ' ') parts.emplace_back(); else parts.back() += c; }
  if (parts.size() < 3) return nullptr;
  auto number = [](const std::string& text) -> json::value {
    std::int64_t out = 0;
    auto read = std::from_chars(text.data(), text.data() + text.size(), out);
    return read.ec == std::errc() ? json::value(out) : json::value(nullptr);
  };
  if (parts[2] == "*") return json::object{{"schedule_type", "hourly"}, {"schedule_minute", number(parts[1])}, {"schedule_hour", nullptr}, {"schedule_day", nullptr}, {"schedule_frame", nullptr}};
  return json::object{{"schedule_type", "daily"}, {"schedule_minute", number(parts[1])}, {"schedule_hour", number(parts[2])}, {"schedule_day", nullptr}, {"schedule_frame", nullptr}};
}

template <class Ids>
appdb::Parameters parameters_of(const Ids& ids) {
  appdb::Parameters out;
  for (auto id : ids) out.emplace_back(id);
  return out;
}

}  // namespace

std::string database_columns() { return column_list(database_names, ""); }
std::string table_columns(std::string_view alias) { return column_list(table_names, alias); }
std::string field_columns(std::string_view alias) { return column_list(field_names, alias); }

json::object masked_details(const drivers::Driver& driver, json::object details) {
  for (auto& name : driver.secret_details()) {
    if (json::find(details, name)) details[name] = masked_secret;
  }
  return details;
}

json::object database_json(Services& services, const permissions::Rights& rights, const appdb::Row& row) {
  DatabaseId id = row.id<DatabaseId>("id");
  auto engine = row.text("engine");
  auto* driver = services.drivers.find(engine);
  json::array features;
  if (driver) for (auto& name : driver->features()) features.push_back(json::value(name));
  json::object out{
      {"id", id.value}, {"entity_id", json::or_null(row.optional_text("entity_id"))}, {"name", row.text("name")}, {"engine", engine},
      {"description", json::or_null(row.optional_text("description"))}, {"caveats", json::or_null(row.optional_text("caveats"))},
      {"points_of_interest", json::or_null(row.optional_text("points_of_interest"))}, {"features", std::move(features)},
      {"timezone", json::or_null(row.optional_text("timezone"))}, {"is_full_sync", row.boolean("is_full_sync")}, {"is_on_demand", row.boolean("is_on_demand")},
      {"is_sample", row.boolean("is_sample")}, {"is_audit", false}, {"is_attached_dwh", false}, {"auto_run_queries", row.boolean("auto_run_queries")},
      {"refingerprint", json::or_null(row.optional_boolean("refingerprint"))}, {"cache_ttl", json::or_null(row.optional_integer("cache_ttl"))},
      {"settings", row.json("settings")}, {"creator_id", json::or_null(row.optional_integer("creator_id"))}, {"provider_name", nullptr},
      {"metadata_sync_schedule", row.text("metadata_sync_schedule")}, {"cache_field_values_schedule", row.text("cache_field_values_schedule")},
      {"initial_sync_status", row.text("initial_sync_status")}, {"dbms_version", row.json("dbms_version")}, {"uploads_enabled", false},
      {"uploads_schema_name", nullptr}, {"uploads_table_prefix", nullptr}, {"can_upload", false}, {"router_database_id", nullptr}, {"router_user_attribute", nullptr},
      {"native_permissions", rights.whole_database(id) == permissions::DataRight::BuilderAndSql ? "write" : "none"},
      {"can-manage", rights.is_administrator()}, {"created_at", row.text("created_at")}, {"updated_at", row.text("updated_at")},
      {"schedules", json::object{{"metadata_sync", schedule_json(row.text("metadata_sync_schedule"))}, {"cache_field_values", schedule_json(row.text("cache_field_values_schedule"))}}}};
  if (rights.is_administrator()) {
    json::object details;
    if (driver) {
      try {
        auto opened = json::try_parse(services.open_secret(row.text("details")));
        if (opened && opened->is_object()) details = masked_details(*driver, opened->get_object());
      } catch (const Failure&) {
        // A wrong key: the rest of the database is still worth showing, and the connection itself will say what is wrong.
      }
    }
    out["details"] = std::move(details);
  }
  return out;
}

json::object table_json(const appdb::Row& row) {
  return {{"id", row.integer("id")}, {"entity_id", json::or_null(row.optional_text("entity_id"))}, {"db_id", row.integer("database_id")},
          {"name", row.text("name")}, {"display_name", row.text("display_name")}, {"schema", json::or_null(row.optional_text("schema_name"))},
          {"description", json::or_null(row.optional_text("description"))}, {"caveats", json::or_null(row.optional_text("caveats"))},
          {"points_of_interest", json::or_null(row.optional_text("points_of_interest"))}, {"entity_type", json::or_null(row.optional_text("entity_type"))},
          {"visibility_type", json::or_null(row.optional_text("visibility_type"))}, {"active", row.boolean("active")}, {"field_order", row.text("field_order")},
          {"initial_sync_status", row.text("initial_sync_status")}, {"is_upload", false}, {"is_writable", false},
          {"show_in_getting_started", row.boolean("show_in_getting_started")}, {"estimated_row_count", json::or_null(row.optional_integer("estimated_row_count"))},
          {"view_count", row.integer("view_count")}, {"data_authority", "unconfigured"}, {"database_require_filter", nullptr},
          {"deactivated_at", json::or_null(row.optional_text("deactivated_at"))}, {"archived_at", nullptr}, {"created_at", row.text("created_at")},
          {"updated_at", row.text("updated_at")}};
}

std::string has_field_values(const appdb::Row& field) {
  if (auto stored = field.optional_text("has_field_values")) return *stored;
  auto base = field.text("base_type");
  if (base == "type/Text" || base == "type/TextLike" || base == "type/PostgresEnum") return "search";
  return "none";
}

json::object field_json(const appdb::Row& row) {
  auto base = row.text("base_type");
  return {{"id", row.integer("id")}, {"entity_id", json::or_null(row.optional_text("entity_id"))}, {"table_id", row.integer("table_id")},
          {"name", row.text("name")}, {"display_name", row.text("display_name")}, {"description", json::or_null(row.optional_text("description"))},
          {"base_type", base}, {"effective_type", row.optional_text("effective_type").value_or(base)},
          {"semantic_type", json::or_null(row.optional_text("semantic_type"))}, {"database_type", row.text("database_type")},
          {"coercion_strategy", json::or_null(row.optional_text("coercion_strategy"))}, {"fk_target_field_id", json::or_null(row.optional_integer("fk_target_field_id"))},
          {"visibility_type", row.text("visibility_type")}, {"has_field_values", has_field_values(row)}, {"active", row.boolean("active")},
          {"position", row.integer("position")}, {"custom_position", row.integer("custom_position")}, {"database_position", row.integer("database_position")},
          {"preview_display", row.boolean("preview_display")}, {"parent_id", json::or_null(row.optional_integer("parent_id"))}, {"nfc_path", nullptr},
          {"json_unfolding", false}, {"settings", row.json("settings")}, {"fingerprint", row.json("fingerprint")},
          {"fingerprint_version", row.integer("fingerprint_version")}, {"last_analyzed", json::or_null(row.optional_text("last_analyzed"))},
          {"caveats", json::or_null(row.optional_text("caveats"))}, {"points_of_interest", json::or_null(row.optional_text("points_of_interest"))},
          {"database_is_pk", row.boolean("database_is_pk")}, {"database_required", row.boolean("database_required")},
          {"database_is_auto_increment", row.boolean("database_is_auto_increment")}, {"database_is_nullable", row.boolean("database_is_nullable")},
          {"database_is_generated", false}, {"database_indexed", nullptr}, {"database_partitioned", nullptr},
          {"database_default", json::or_null(row.optional_text("database_default"))}, {"created_at", row.text("created_at")}, {"updated_at", row.text("updated_at")}};
}

json::object card_table_json(const appdb::Row& card, std::string_view collection_name, bool with_fields) {
  auto id = "card__" + std::to_string(card.integer("id"));
  json::object out{{"id", id}, {"db_id", card.integer("database_id")}, {"name", card.text("name")}, {"display_name", card.text("name")},
                   {"schema", std::string(collection_name)}, {"description", json::or_null(card.optional_text("description"))},
                   {"type", card.text("kind")}, {"moderated_status", nullptr}, {"entity_type", nullptr}, {"visibility_type", nullptr}, {"active", true}};
  if (with_fields) {
    json::array fields;
    auto metadata = card.json("result_metadata");
    if (auto* columns = metadata.if_array()) {
      for (auto& column : *columns) {
        if (!column.is_object()) continue;
        json::object field = column.get_object();
        field["table_id"] = id;
        if (!json::find(field, "id")) {
          json::array reference{"field", json::text(column, "name").value_or("")};
          reference.push_back(json::object{{"base-type", json::text(column, "base_type").value_or("type/*")}});
          field["id"] = std::move(reference);
        }
        if (!field.contains("semantic_type")) field["semantic_type"] = nullptr;
        if (!field.contains("fk_target_field_id")) field["fk_target_field_id"] = nullptr;
        fields.push_back(std::move(field));
      }
    }
    out["fields"] = std::move(fields);
    out["metrics"] = json::array();
    out["segments"] = json::array();
    out["dimension_options"] = json::object();
  }
  return out;
}

namespace {

// Metrics built on these tables, as far as the person sees their collections.
std::map<std::int64_t, json::array> metrics_of(appdb::Connection& connection, const permissions::Rights& rights, const std::vector<TableId>& tables) {
  std::map<std::int64_t, json::array> out;
  for (std::size_t from = 0; from < tables.size(); from += 500) {
    std::vector<TableId> some(tables.begin() + static_cast<std::ptrdiff_t>(from), tables.begin() + static_cast<std::ptrdiff_t>(std::min(tables.size(), from + 500)));
    connection.each("SELECT id, name, description, table_id, database_id, collection_id, dataset_query, entity_id, created_at, updated_at FROM card WHERE kind = 'metric' AND archived = FALSE AND table_id IN (" +
                        appdb::placeholders(some.size()) + ") ORDER BY lower(name), id", parameters_of(some), [&](const appdb::Row& row) {
      if (rights.collection(row.optional_id<CollectionId>("collection_id")) == permissions::CollectionRight::None) return;
      out[row.integer("table_id")].push_back(json::object{{"id", row.integer("id")}, {"name", row.text("name")}, {"description", json::or_null(row.optional_text("description"))}, {"type", "metric"},
          {"table_id", row.integer("table_id")}, {"database_id", row.integer("database_id")}, {"collection_id", json::or_null(row.optional_integer("collection_id"))}, {"archived", false},
          {"dataset_query", row.json("dataset_query")}, {"entity_id", row.text("entity_id")}, {"created_at", row.text("created_at")}, {"updated_at", row.text("updated_at")}});
    });
  }
  return out;
}

}  // namespace

json::array tables_with_fields(Services& services, appdb::Connection& connection, const permissions::Rights& rights,
                               const std::vector<TableId>& tables, Hidden hidden) {
  json::array out;
  if (tables.empty()) return out;
  std::map<std::int64_t, json::object> databases;
  std::vector<json::object> shown;
  std::map<std::int64_t, json::array> fields;
  std::vector<TableId> readable;
  for (std::size_t from = 0; from < tables.size(); from += 500) {  // an IN list stays below every engine's limit of parameters
    std::vector<TableId> some(tables.begin() + static_cast<std::ptrdiff_t>(from), tables.begin() + static_cast<std::ptrdiff_t>(std::min(tables.size(), from + 500)));
    auto in_list = appdb::placeholders(some.size());
    connection.each("SELECT " + table_columns() + " FROM data_table WHERE id IN (" + in_list + ") ORDER BY display_name, id", parameters_of(some), [&](const appdb::Row& row) {
      if (rights.table(row.id<DatabaseId>("database_id"), row.optional_text("schema_name"), row.id<TableId>("id")) == permissions::DataRight::None) return;
      shown.push_back(table_json(row));
      readable.push_back(row.id<TableId>("id"));
      databases[row.integer("database_id")];
    });
  }
  if (readable.empty()) return out;
  {
    std::vector<DatabaseId> ids;
    for (auto& [id, unused] : databases) ids.emplace_back(id);
    connection.each("SELECT " + database_columns() + " FROM \"database\" WHERE id IN (" + appdb::placeholders(ids.size()) + ")", parameters_of(ids),
                    [&](const appdb::Row& row) { databases[row.integer("id")] = database_json(services, rights, row); });
  }
  std::map<std::int64_t, json::object> targets;
  std::map<std::int64_t, json::array> dimensions;
  for (std::size_t from = 0; from < readable.size(); from += 500) {
    std::vector<TableId> some(readable.begin() + static_cast<std::ptrdiff_t>(from), readable.begin() + static_cast<std::ptrdiff_t>(std::min(readable.size(), from + 500)));
    auto in_list = appdb::placeholders(some.size());
    // Foreign-key targets, as far as the person may see their table.
    connection.each("SELECT " + field_columns("f") + ", tt.database_id AS target_database, tt.schema_name AS target_schema FROM data_field f JOIN data_table tt ON tt.id = f.table_id WHERE f.active = " +
                        "? AND f.id IN (SELECT fk_target_field_id FROM data_field WHERE table_id IN (" + in_list + ") AND fk_target_field_id IS NOT NULL)",
                    [&] { auto p = parameters_of(some); p.insert(p.begin(), appdb::Parameter(true)); return p; }(), [&](const appdb::Row& row) {
                      if (rights.table(row.id<DatabaseId>("target_database"), row.optional_text("target_schema"), row.id<TableId>("table_id")) != permissions::DataRight::None)
                        targets[row.integer("id")] = field_json(row);
                    });
    connection.each("SELECT d.id, d.field_id, d.name, d.kind, d.human_readable_field_id, d.entity_id, d.created_at, d.updated_at FROM field_dimension d JOIN data_field f ON f.id = d.field_id WHERE f.table_id IN (" + in_list + ")",
                    parameters_of(some), [&](const appdb::Row& row) {
                      dimensions[row.integer("field_id")].push_back(json::object{{"id", row.integer("id")}, {"field_id", row.integer("field_id")}, {"name", row.text("name")}, {"type", row.text("kind")},
                          {"human_readable_field_id", json::or_null(row.optional_integer("human_readable_field_id"))}, {"entity_id", json::or_null(row.optional_text("entity_id"))},
                          {"created_at", row.text("created_at")}, {"updated_at", row.text("updated_at")}});
                    });
    auto parameters = parameters_of(some);
    parameters.insert(parameters.begin(), appdb::Parameter(true));
    connection.each("SELECT " + field_columns() + " FROM data_field WHERE active = ? AND table_id IN (" + in_list + ") ORDER BY table_id, position, name", parameters, [&](const appdb::Row& row) {
      auto visibility = row.text("visibility_type");
      if (hidden == Hidden::Leave && (visibility == "sensitive" || visibility == "retired")) return;
      auto field = field_json(row);
      auto target = row.optional_integer("fk_target_field_id");
      field["target"] = target && targets.contains(*target) ? json::value(targets[*target]) : json::value(nullptr);
      auto found = dimensions.find(row.integer("id"));
      field["dimensions"] = found != dimensions.end() ? found->second : json::array();
      field["name_field"] = nullptr;
      fields[row.integer("table_id")].push_back(std::move(field));
    });
  }
  auto segments = definitions_of(connection, "segment", readable), measures = definitions_of(connection, "measure", readable);
  std::map<std::int64_t, json::array> metrics = metrics_of(connection, rights, readable);
  for (auto& table : shown) {
    auto id = table.at("id").as_int64();
    auto& own = fields[id];
    for (auto& field : own) {
      if (field.at("semantic_type") == json::value("type/PK")) { table["pk_field"] = field.at("id"); break; }
    }
    if (!table.contains("pk_field")) table["pk_field"] = nullptr;
    table["db"] = databases[table.at("db_id").as_int64()];
    table["fields"] = std::move(own);
    table["segments"] = std::move(segments[id]);
    table["measures"] = std::move(measures[id]);
    table["metrics"] = std::move(metrics[id]);
    table["dimension_options"] = json::object();
    out.push_back(std::move(table));
  }
  return out;
}

json::object query_metadata_json(Services& services, appdb::Connection& connection, const permissions::Rights& rights, const std::set<TableId>& tables,
                                 const std::set<DatabaseId>& databases, const std::set<FieldId>& fields, const std::set<CardId>& cards) {
  std::set<TableId> all_tables = tables;
  if (!fields.empty()) {
    for (auto& row : connection.query("SELECT DISTINCT table_id FROM data_field WHERE id IN (" + appdb::placeholders(fields.size()) + ")", parameters_of(fields)))
      all_tables.insert(row.id<TableId>("table_id"));
  }
  // Tables that foreign keys lead to come along: the builder offers their columns.
  if (!all_tables.empty()) {
    for (auto& row : connection.query("SELECT DISTINCT target.table_id FROM data_field f JOIN data_field target ON target.id = f.fk_target_field_id WHERE f.table_id IN (" +
                                          appdb::placeholders(all_tables.size()) + ")", parameters_of(all_tables)))
      all_tables.insert(row.id<TableId>("table_id"));
  }
  auto described = tables_with_fields(services, connection, rights, std::vector<TableId>(all_tables.begin(), all_tables.end()), Hidden::Leave);
  json::array shown_databases, shown_fields, shown_cards;
  if (!databases.empty()) {
    for (auto& row : connection.query("SELECT " + database_columns() + " FROM \"database\" WHERE id IN (" + appdb::placeholders(databases.size()) + ")", parameters_of(databases))) {
      if (rights.any_table(row.id<DatabaseId>("id"))) shown_databases.push_back(database_json(services, rights, row));
    }
  }
  for (auto& table : described) {
    for (auto& field : table.at("fields").as_array()) {
      if (fields.contains(FieldId(field.at("id").as_int64()))) shown_fields.push_back(field);
    }
  }
  if (!cards.empty()) {
    for (auto& row : connection.query("SELECT c.id, c.name, c.description, c.kind, c.database_id, c.result_metadata, c.collection_id, col.name AS collection_name FROM card c LEFT JOIN collection col ON col.id = c.collection_id WHERE c.id IN (" +
                                          appdb::placeholders(cards.size()) + ")", parameters_of(cards))) {
      if (rights.collection(row.optional_id<CollectionId>("collection_id")) == permissions::CollectionRight::None) continue;
      described.push_back(card_table_json(row, row.optional_text("collection_name").value_or("Everything else"), true));
      shown_cards.push_back(json::object{{"id", row.integer("id")}, {"name", row.text("name")}, {"type", row.text("kind")}});
    }
  }
  return {{"tables", std::move(described)}, {"databases", std::move(shown_databases)}, {"fields", std::move(shown_fields)}, {"cards", std::move(shown_cards)}, {"snippets", json::array()}};
}

}  // namespace basalt::features
