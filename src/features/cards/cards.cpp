#include "features/cards/cards.h"

#include <algorithm>

#include "base/log.h"
#include "base/random.h"
#include "base/version.h"
#include "features/cards/card_queries.h"
#include "features/dashboards/dashboards.h"
#include "features/revisions/revisions.h"

namespace basalt::features {
namespace {

using appdb::Connection;
using appdb::Row;
using permissions::CollectionRight;
using permissions::Rights;

std::string kind_from(const std::optional<std::string>& type, const std::optional<bool>& dataset) {
  if (!type) return dataset.value_or(false) ? "model" : "question";
  if (*type != "question" && *type != "model" && *type != "metric") throw bad_field("type", "value must be question, model or metric.");
  return *type;
}

// A metric is one number: its query must have exactly one aggregation, in its last stage.
void check_metric(const std::string& kind, const json::value& query) {
  if (kind != "metric") return;
  const json::array* aggregations = nullptr;
  if (auto* stages = json::sub_array(query, "stages"); stages && !stages->empty()) aggregations = json::sub_array(stages->back(), "aggregation");
  else if (auto* inner = json::find(query, "query")) aggregations = json::sub_array(*inner, "aggregation");
  bool one = aggregations && !aggregations->empty() && (aggregations->size() == 1 || (*aggregations)[0].is_string());
  if (!one) throw bad_field("dataset_query", "A metric needs a query with exactly one aggregation.");
}

struct StoredQuery {
  std::string query_type;
  DatabaseId database;
  std::optional<TableId> table;
  std::optional<CardId> source_card;
};

// Database and table of a query, looking through saved cards it starts from.
StoredQuery stored_query(Services& services, const json::value& query) {
  auto facts = query_facts(query);
  return services.store.read([&](Connection& connection) {
    StoredQuery out{facts.native ? "native" : "query", facts.database.value_or(DatabaseId()), facts.table, facts.source_card};
    if (facts.source_card) {
      auto card = connection.query_one("SELECT database_id, table_id FROM card WHERE id = ?", {*facts.source_card});
      if (!card) throw bad_field("dataset_query", "The saved question this query starts from is gone.");
      out.database = card->id<DatabaseId>("database_id");
      out.table = card->optional_id<TableId>("table_id");
    }
    if (!connection.count("SELECT count(*) FROM \"database\" WHERE id = ?", {out.database}))
      throw bad_field("dataset_query", "There is no such database.");
    if (out.table && !connection.count("SELECT count(*) FROM data_table WHERE id = ?", {*out.table})) out.table.reset();
    return out;
  });
}

// Columns of the result, or null when the query cannot tell them now (a card with a wrong query may still be saved).
json::value computed_metadata(Services& services, const Rights& rights, const json::value& query) {
  try {
    pipeline::QueryRequest request;
    request.dataset_query = query;
    return pipeline::result_metadata(services.queries, rights, request);
  } catch (const Failure& failure) {
    log::info("result_metadata_unknown", {{"reason", failure.error_type()}});
    return nullptr;
  }
}

CollectionRight right_on(const Row& row, const Rights& rights) { return rights.collection(row.optional_id<CollectionId>("collection_id")); }

Row row_of(Connection& connection, CardId id) {
  auto row = connection.query_one(select_cards() + " WHERE c.id = ?", {id});
  if (!row) throw not_found();
  return std::move(*row);
}

void keep_revision(Connection& connection, PersonId person, CardId id, const json::object* before, RevisionKind kind, Timestamp now) {
  auto after = card_state(row_of(connection, id));
  add_revision(connection, {"card", id.value, person, kind, before, &after}, now);
}

void require_place(Connection& connection, const Rights& rights, const std::optional<CollectionId>& place) {
  rights.require_curate(place);
  if (!place) return;
  auto collection = find_collection(connection, *place);
  if (!collection) throw not_found();
  if (collection->archived) throw bad_field("collection_id", "This collection is in the trash; choose one that is not.");
  if (collection->name_space) throw bad_field("collection_id", "This collection is for snippets; choose another one.");
}

// Where a dashboard keeps its own cards: beside itself. The right to change the dashboard is asked for.
std::optional<CollectionId> place_of_dashboard(Connection& connection, const Rights& rights, DashboardId dashboard) {
  auto row = connection.query_one("SELECT collection_id, archived FROM dashboard WHERE id = ?", {dashboard});
  if (!row) throw bad_field("dashboard_id", "There is no such dashboard.");
  auto place = row->optional_id<CollectionId>("collection_id");
  rights.require_curate(place);
  if (row->boolean("archived")) throw bad_field("dashboard_id", "This dashboard is in the trash.");
  return place;
}

json::value parsed_state(const json::object& state, std::string_view key, json::value otherwise) {
  auto* found = state.if_contains(key);
  return found && !found->is_null() ? *found : otherwise;
}

}  // namespace

std::string card_columns(std::string_view alias) {
  static constexpr std::string_view names[] = {
      "id", "entity_id", "name", "description", "kind", "display", "dataset_query", "query_type", "database_id", "table_id", "source_card_id",
      "visualization_settings", "parameters", "parameter_mappings", "result_metadata", "collection_id", "collection_position",
      "collection_preview", "dashboard_id", "archived", "archived_directly", "enable_embedding", "embedding_params", "public_uuid",
      "made_public_by_id", "cache_ttl", "creator_id", "last_editor_id", "last_edited_at", "view_count", "last_used_at", "average_query_time",
      "saved_by_version", "created_at", "updated_at"};
  std::string out;
  for (auto name : names) {
    if (!out.empty()) out += ", ";
    out += std::string(alias) + "." + std::string(name);
  }
  return out;
}

std::string select_cards() {
  return "SELECT " + card_columns("c") + ", owner.name AS dashboard_name, " + person_columns("creator") + ", " + person_columns("editor") +
         " FROM card c LEFT JOIN dashboard owner ON owner.id = c.dashboard_id LEFT JOIN person creator ON creator.id = c.creator_id"
         " LEFT JOIN person editor ON editor.id = c.last_editor_id";
}

json::object card_columns_json(const Row& row, const Rights& rights) {
  bool archived = row.boolean("archived");
  return {{"id", row.integer("id")}, {"entity_id", text_or_null(row, "entity_id")}, {"name", row.text("name")}, {"description", text_or_null(row, "description")},
          {"type", row.text("kind")}, {"display", row.text("display")}, {"dataset_query", object_or_empty(row, "dataset_query")},
          {"query_type", row.text("query_type")}, {"database_id", integer_or_null(row, "database_id")}, {"table_id", integer_or_null(row, "table_id")},
          {"source_card_id", integer_or_null(row, "source_card_id")}, {"visualization_settings", object_or_empty(row, "visualization_settings")},
          {"parameters", array_or_empty(row, "parameters")}, {"parameter_mappings", array_or_empty(row, "parameter_mappings")},
          {"result_metadata", json_or(row, "result_metadata", nullptr)}, {"collection_id", integer_or_null(row, "collection_id")},
          {"collection_position", integer_or_null(row, "collection_position")}, {"collection_preview", row.boolean("collection_preview")},
          {"dashboard_id", integer_or_null(row, "dashboard_id")}, {"document_id", nullptr}, {"archived", archived},
          {"archived_directly", row.boolean("archived_directly")}, {"enable_embedding", row.boolean("enable_embedding")},
          {"embedding_params", json_or(row, "embedding_params", nullptr)}, {"public_uuid", text_or_null(row, "public_uuid")},
          {"made_public_by_id", integer_or_null(row, "made_public_by_id")}, {"cache_ttl", integer_or_null(row, "cache_ttl")},
          {"cache_invalidated_at", nullptr}, {"creator_id", integer_or_null(row, "creator_id")}, {"can_write", right_on(row, rights) == CollectionRight::Curate},
          {"moderation_reviews", json::array()}, {"view_count", row.integer("view_count")}, {"last_used_at", text_or_null(row, "last_used_at")},
          {"initially_published_at", nullptr}, {"metabase_version", text_or_null(row, "saved_by_version")}, {"card_schema", 22},
          {"dependency_analysis_version", 0}, {"created_at", row.text("created_at")}, {"updated_at", row.text("updated_at")}};
}

namespace {

void add_people(json::object& card, const Row& row) {
  card["creator"] = person_json(row, "creator");
  card["last-edit-info"] = edit_json(row, "editor", "last_edited_at");
  card["average_query_time"] = json::or_null(row.optional_real("average_query_time"));
  if (row.is_null("dashboard_id")) card["dashboard"] = nullptr;
  else card["dashboard"] = json::object{{"id", row.integer("dashboard_id")}, {"name", text_or_null(row, "dashboard_name")}, {"moderation_status", nullptr}};
  card["is_remote_synced"] = false;
}

}  // namespace

json::object card_row_json(const Row& row, const Rights& rights, const Collections& collections) {
  auto out = card_columns_json(row, rights);
  add_people(out, row);
  auto place = row.optional_id<CollectionId>("collection_id");
  auto* collection = place ? collections.find(*place) : nullptr;
  out["collection"] = collection_summary(collection, collection && collections.is_personal(*collection), rights,
                                         row.boolean("archived_directly") && row.boolean("archived") ? InTrash::Yes : InTrash::No);
  return out;
}

json::object card_state(const Row& row) {
  return {{"name", row.text("name")}, {"description", text_or_null(row, "description")}, {"type", row.text("kind")}, {"display", row.text("display")},
          {"dataset_query", object_or_empty(row, "dataset_query")}, {"query_type", row.text("query_type")}, {"database_id", integer_or_null(row, "database_id")},
          {"table_id", integer_or_null(row, "table_id")}, {"source_card_id", integer_or_null(row, "source_card_id")},
          {"visualization_settings", object_or_empty(row, "visualization_settings")}, {"parameters", array_or_empty(row, "parameters")},
          {"parameter_mappings", array_or_empty(row, "parameter_mappings")}, {"result_metadata", json_or(row, "result_metadata", nullptr)},
          {"collection_id", integer_or_null(row, "collection_id")}, {"collection_position", integer_or_null(row, "collection_position")},
          {"collection_preview", row.boolean("collection_preview")}, {"dashboard_id", integer_or_null(row, "dashboard_id")}, {"archived", row.boolean("archived")},
          {"cache_ttl", integer_or_null(row, "cache_ttl")}, {"enable_embedding", row.boolean("enable_embedding")},
          {"embedding_params", json_or(row, "embedding_params", nullptr)}};
}

CollectionRight card_right(const Row& row, const Rights& rights) { return right_on(row, rights); }

Row require_card(Connection& connection, const Rights& rights, CardId id) {
  auto row = row_of(connection, id);
  rights.require_view(row.optional_id<CollectionId>("collection_id"));
  return row;
}

json::object card_json(Services& services, const Rights& rights, CardId id) {
  struct Read { json::object card; json::value query; DatabaseId database; };
  auto read = services.store.read([&](Connection& connection) {
    auto row = require_card(connection, rights, id);
    auto card = card_columns_json(row, rights);
    add_people(card, row);
    bool archived = row.boolean("archived"), directly = row.boolean("archived_directly");
    bool curates = right_on(row, rights) == CollectionRight::Curate;
    auto place = row.optional_id<CollectionId>("collection_id");
    card["collection"] = collection_summary(connection, place, rights, archived && directly ? InTrash::Yes : InTrash::No);
    card["dashboard_count"] = connection.count("SELECT count(DISTINCT dashboard_id) FROM dashcard WHERE card_id = ?", {id});
    card["parameter_usage_count"] = 0;
    card["last_query_start"] = text_or_null(row, "last_used_at");
    card["can_restore"] = curates && archived && directly && !(place && [&] { auto c = find_collection(connection, *place); return c && c->archived; }());
    card["can_delete"] = curates && archived;
    card["param_fields"] = json::object();
    auto query = row.json("dataset_query");
    auto parameters = array_or_empty(row, "parameters");
    if (parameters.get_array().empty()) card["parameters"] = card_parameters({}, query);
    return Read{std::move(card), std::move(query), DatabaseId(row.optional_integer("database_id").value_or(0))};
  });
  read.card["can_run_adhoc_query"] = may_run(services, rights, read.query);
  read.card["can_manage_db"] = rights.is_administrator();
  return std::move(read.card);
}

CardId create_card(Services& services, const Rights& rights, const NewCard& wanted) {
  auto kind = kind_from(wanted.type, wanted.dataset);
  auto stored = stored_query(services, wanted.dataset_query);
  check_metric(kind, wanted.dataset_query);
  auto place = services.store.read([&](Connection& connection) {
    if (wanted.dashboard_id) return place_of_dashboard(connection, rights, *wanted.dashboard_id);
    auto place = collection_from(connection, wanted.collection_id.value.value_or(nullptr));
    require_place(connection, rights, place);
    return place;
  });
  require_query_rights(services, rights, wanted.dataset_query);
  if (wanted.entity_id && !is_entity_id(*wanted.entity_id)) throw bad_field("entity_id", "value must be 21 characters of letters, digits, _ and -.");
  if (wanted.dashboard_id && kind != "question") throw bad_field("type", "Only a question can belong to a dashboard.");
  json::value metadata = wanted.result_metadata ? json::value(*wanted.result_metadata) : computed_metadata(services, rights, wanted.dataset_query);
  return services.store.write([&](Connection& connection) {
    auto now = services.clock.now();
    if (wanted.dashboard_id) place = place_of_dashboard(connection, rights, *wanted.dashboard_id);
    else require_place(connection, rights, place);
    auto id = CardId(connection.insert("card", {{"name", wanted.name}, {"description", wanted.description}, {"kind", kind},
        {"display", kind == "model" ? std::string("table") : wanted.display}, {"dataset_query", wanted.dataset_query}, {"query_type", stored.query_type},
        {"database_id", stored.database}, {"table_id", stored.table}, {"source_card_id", stored.source_card}, {"visualization_settings", wanted.visualization_settings},
        {"parameters", wanted.parameters.value_or(json::array())}, {"parameter_mappings", wanted.parameter_mappings.value_or(json::array())},
        {"result_metadata", metadata.is_null() ? appdb::Parameter(nullptr) : appdb::Parameter(metadata)}, {"collection_id", place},
        {"collection_position", wanted.collection_position}, {"collection_preview", true}, {"dashboard_id", wanted.dashboard_id}, {"archived", false},
        {"archived_directly", false}, {"enable_embedding", false}, {"cache_ttl", wanted.cache_ttl}, {"creator_id", rights.person()},
        {"last_editor_id", rights.person()}, {"last_edited_at", now}, {"view_count", 0}, {"last_used_at", now}, {"saved_by_version", std::string(api_level)},
        {"created_at", now}, {"updated_at", now}, {"entity_id", wanted.entity_id.value_or(entity_id())}}));
    keep_revision(connection, rights.person(), id, nullptr, RevisionKind::Creation, now);
    if (wanted.dashboard_id) {
      auto size = wanted.size.value_or(CardSize());
      append_dashcard(connection, rights.person(), *wanted.dashboard_id, wanted.dashboard_tab_id, id, wanted.display, size.size_x, size.size_y, now);
    }
    return id;
  });
}

namespace {

// A card that becomes a dashboard's own may lie on no other one.
void leave_other_dashboards(Connection& connection, CardId id, DashboardId keep, OldDashcards old_dashcards) {
  auto elsewhere = connection.count("SELECT count(*) FROM dashcard WHERE card_id = ? AND dashboard_id <> ?", {id, keep});
  if (elsewhere && old_dashcards == OldDashcards::Keep)
    refuse("This question is on other dashboards too; it can only belong to one. Repeat with delete_old_dashcards=true to take it off them.");
  if (elsewhere) connection.execute("DELETE FROM dashcard WHERE card_id = ? AND dashboard_id <> ?", {id, keep});
}

}  // namespace

void change_card(Services& services, const Rights& rights, CardId id, const CardChange& change, OldDashcards old_dashcards) {
  // First what may need the queried database or the catalogue, outside of the write transaction.
  auto old_query = services.store.read([&](Connection& connection) {
    auto row = require_card(connection, rights, id);
    rights.require_curate(row.optional_id<CollectionId>("collection_id"));
    return row.json("dataset_query");
  });
  std::optional<json::value> query;
  std::optional<StoredQuery> stored;
  std::optional<json::value> metadata;
  if (change.dataset_query && json::value(*change.dataset_query) != old_query) {
    query = json::value(*change.dataset_query);
    stored = stored_query(services, *query);
    require_query_rights(services, rights, *query);
    if (!change.result_metadata || !change.result_metadata.value) metadata = computed_metadata(services, rights, *query);
  }
  if (!metadata && change.result_metadata) metadata = change.result_metadata.value ? json::value(*change.result_metadata.value) : json::value(nullptr);

  services.store.write([&](Connection& connection) {
    auto now = services.clock.now();
    auto row = row_of(connection, id);
    auto place = row.optional_id<CollectionId>("collection_id");
    rights.require_curate(place);
    auto before = card_state(row);
    std::vector<appdb::Assignment> values;
    auto set = [&](std::string_view column, appdb::Parameter value) { values.emplace_back(column, std::move(value)); };
    if (change.name) set("name", *change.name);
    if (change.description) set("description", change.description.value && change.description.value->empty() ? std::nullopt : change.description.value);
    std::string kind = row.text("kind");
    if (change.type || change.dataset) kind = kind_from(change.type, change.dataset);
    if (kind != row.text("kind")) set("kind", kind);
    if (query || kind != row.text("kind")) check_metric(kind, query ? *query : row.json("dataset_query"));
    if (kind == "model") { if (row.text("display") != "table") set("display", "table"); }
    else if (change.display) set("display", *change.display);
    if (query) {
      set("dataset_query", *query);
      set("query_type", stored->query_type);
      set("database_id", stored->database);
      set("table_id", stored->table);
      set("source_card_id", stored->source_card);
    }
    if (metadata) set("result_metadata", metadata->is_null() ? appdb::Parameter(nullptr) : appdb::Parameter(*metadata));
    if (change.visualization_settings) set("visualization_settings", *change.visualization_settings);
    if (change.parameters) set("parameters", *change.parameters);
    if (change.parameter_mappings) set("parameter_mappings", *change.parameter_mappings);
    if (change.collection_position) set("collection_position", change.collection_position.value);
    if (change.collection_preview) set("collection_preview", *change.collection_preview);
    if (change.cache_ttl) set("cache_ttl", change.cache_ttl.value);
    if (change.enable_embedding || change.embedding_params) rights.require_administrator();
    if (change.enable_embedding) set("enable_embedding", *change.enable_embedding);
    if (change.embedding_params) set("embedding_params", change.embedding_params.value);

    auto owner = row.optional_id<DashboardId>("dashboard_id");
    bool changes_owner = change.dashboard_id && change.dashboard_id.value != owner;
    if (changes_owner && change.dashboard_id.value) {
      if (kind != "question") throw bad_field("dashboard_id", "Only a question can belong to a dashboard.");
      auto to = *change.dashboard_id.value;
      set("collection_id", place_of_dashboard(connection, rights, to));
      set("dashboard_id", to);
      leave_other_dashboards(connection, id, to, old_dashcards);
    } else {
      if (changes_owner) set("dashboard_id", nullptr);
      if (change.collection_id) {
        auto to = collection_from(connection, change.collection_id.value.value_or(nullptr));
        if (to != place) {
          if (owner && !changes_owner) throw bad_field("collection_id", "This question belongs to a dashboard and lies where that one lies; take it out with dashboard_id null.");
          require_place(connection, rights, to);
          set("collection_id", to);
          place = to;
        }
      }
    }
    if (change.archived && *change.archived != row.boolean("archived")) {
      if (!*change.archived && place) {
        auto collection = find_collection(connection, *place);
        if (collection && collection->archived) refuse("The collection it lay in is in the trash; choose another place with collection_id.");
      }
      set("archived", *change.archived);
      set("archived_directly", *change.archived);
      if (*change.archived) connection.execute("DELETE FROM bookmark WHERE model = 'card' AND model_id = ?", {id});
    }
    if (values.empty()) return;
    set("last_editor_id", rights.person());
    set("last_edited_at", now);
    set("updated_at", now);
    set("saved_by_version", std::string(api_level));
    connection.update("card", values, "id", id);
    if (changes_owner && change.dashboard_id.value && !connection.count("SELECT count(*) FROM dashcard WHERE card_id = ? AND dashboard_id = ?", {id, *change.dashboard_id.value}))
      append_dashcard(connection, rights.person(), *change.dashboard_id.value, std::nullopt, id, row.text("display"), std::nullopt, std::nullopt, now);
    keep_revision(connection, rights.person(), id, &before, RevisionKind::Change, now);
  });
}

CardId insert_card_copy(Connection& connection, PersonId person, const Row& card, const std::string& name, std::optional<CollectionId> collection,
                        std::optional<DashboardId> dashboard, Timestamp now) {
  auto raw = [&](std::string_view column) { return appdb::Parameter(card.optional_text(column)); };
  auto id = CardId(connection.insert("card", {{"name", name}, {"description", raw("description")}, {"kind", card.text("kind")}, {"display", card.text("display")},
      {"dataset_query", raw("dataset_query")}, {"query_type", card.text("query_type")}, {"database_id", card.optional_integer("database_id")},
      {"table_id", card.optional_integer("table_id")}, {"source_card_id", card.optional_integer("source_card_id")},
      {"visualization_settings", raw("visualization_settings")}, {"parameters", raw("parameters")}, {"parameter_mappings", raw("parameter_mappings")},
      {"result_metadata", raw("result_metadata")}, {"collection_id", collection}, {"collection_preview", card.boolean("collection_preview")},
      {"dashboard_id", dashboard}, {"archived", false}, {"archived_directly", false}, {"enable_embedding", false}, {"cache_ttl", card.optional_integer("cache_ttl")},
      {"creator_id", person}, {"last_editor_id", person}, {"last_edited_at", now}, {"view_count", 0}, {"last_used_at", now},
      {"saved_by_version", std::string(api_level)}, {"created_at", now}, {"updated_at", now}, {"entity_id", entity_id()}}));
  keep_revision(connection, person, id, nullptr, RevisionKind::Creation, now);
  return id;
}

CardId copy_card(Services& services, const Rights& rights, CardId id) {
  auto query = services.store.read([&](Connection& c) { return require_card(c, rights, id).json("dataset_query"); });
  require_query_rights(services, rights, query);
  return services.store.write([&](Connection& connection) {
    auto row = require_card(connection, rights, id);
    auto place = row.optional_id<CollectionId>("collection_id");
    rights.require_curate(place);
    auto name = "Copy of " + row.text("name");
    if (name.size() > 254) name = row.text("name");
    auto now = services.clock.now();
    auto dashboard = row.optional_id<DashboardId>("dashboard_id");
    auto copy = insert_card_copy(connection, rights.person(), row, name, place, dashboard, now);
    if (dashboard) append_dashcard(connection, rights.person(), *dashboard, std::nullopt, copy, row.text("display"), std::nullopt, std::nullopt, now);
    return copy;
  });
}

void delete_card(Services& services, const Rights& rights, CardId id) {
  services.store.write([&](Connection& connection) {
    auto row = require_card(connection, rights, id);
    rights.require_curate(row.optional_id<CollectionId>("collection_id"));
    connection.execute("DELETE FROM dashcard WHERE card_id = ?", {id});
    for (auto table : {"revision", "bookmark", "recent_view"}) connection.execute(std::string("DELETE FROM ") + table + " WHERE model = 'card' AND model_id = ?", {id});
    connection.execute("DELETE FROM card WHERE id = ?", {id});
  });
}

void move_cards(Services& services, const Rights& rights, const std::vector<CardId>& cards, std::optional<CollectionId> to) {
  services.store.write([&](Connection& connection) {
    require_place(connection, rights, to);
    auto now = services.clock.now();
    for (auto id : cards) {
      auto row = require_card(connection, rights, id);
      auto from = row.optional_id<CollectionId>("collection_id");
      rights.require_curate(from);
      if (from == to && row.is_null("dashboard_id")) continue;
      auto before = card_state(row);
      connection.update("card", {{"collection_id", to}, {"dashboard_id", nullptr}, {"last_editor_id", rights.person()}, {"last_edited_at", now}, {"updated_at", now}}, "id", id);
      keep_revision(connection, rights.person(), id, &before, RevisionKind::Change, now);
    }
  });
}

void revert_card(Services& services, const Rights& rights, CardId id, RevisionId revision) {
  auto state = services.store.read([&](Connection& connection) {
    auto row = require_card(connection, rights, id);
    rights.require_curate(row.optional_id<CollectionId>("collection_id"));
    return revision_state(connection, "card", id.value, revision);
  });
  auto query = parsed_state(state, "dataset_query", json::object());
  require_query_rights(services, rights, query);
  auto stored = stored_query(services, query);
  services.store.write([&](Connection& connection) {
    auto now = services.clock.now();
    auto row = row_of(connection, id);
    auto before = card_state(row);
    auto text = [&](std::string_view key, const char* otherwise) { return std::string(parsed_state(state, key, otherwise).as_string()); };
    // The place stays as it is: rights may have changed since. Name, query, display and settings come back.
    connection.update("card", {{"name", text("name", "Untitled")}, {"description", json::text(state, "description")}, {"kind", text("type", "question")},
        {"display", text("display", "table")}, {"dataset_query", query}, {"query_type", stored.query_type}, {"database_id", stored.database}, {"table_id", stored.table},
        {"source_card_id", stored.source_card}, {"visualization_settings", parsed_state(state, "visualization_settings", json::object())},
        {"parameters", parsed_state(state, "parameters", json::array())}, {"parameter_mappings", parsed_state(state, "parameter_mappings", json::array())},
        {"result_metadata", json::find(state, "result_metadata") ? appdb::Parameter(*json::find(state, "result_metadata")) : appdb::Parameter(nullptr)},
        {"archived", false}, {"archived_directly", false}, {"last_editor_id", rights.person()}, {"last_edited_at", now}, {"updated_at", now},
        {"saved_by_version", std::string(api_level)}}, "id", id);
    keep_revision(connection, rights.person(), id, &before, RevisionKind::Reversion, now);
  });
}

}  // namespace basalt::features
