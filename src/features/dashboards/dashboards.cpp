#include "features/dashboards/dashboards.h"

#include <algorithm>

#include "base/random.h"
#include "features/databases/metadata_json.h"
#include "features/revisions/revisions.h"

namespace basalt::features {
namespace {

using appdb::Connection;
using appdb::Row;
using permissions::CollectionRight;
using permissions::Rights;

void check_parameters(const json::array& parameters) {
  if (parameters.size() > 200) throw bad_field("parameters", "A dashboard has at most 200 filters.");
  std::set<std::string> seen;
  for (auto& parameter : parameters) {
    auto id = json::text(parameter, "id");
    if (!id || id->empty() || !json::text(parameter, "type")) throw bad_field("parameters", "value must be an array of maps with id, type, name and slug.");
    if (!seen.insert(*id).second) throw bad_field("parameters", "Two filters have the id \"" + *id + "\"; each needs its own.");
  }
}

void check_width(const std::optional<std::string>& width) {
  if (width && *width != "fixed" && *width != "full") throw bad_field("width", "value must be fixed or full.");
}

void require_place(Connection& connection, const Rights& rights, const std::optional<CollectionId>& place) {
  rights.require_curate(place);
  if (!place) return;
  auto collection = find_collection(connection, *place);
  if (!collection) throw not_found();
  if (collection->archived) throw bad_field("collection_id", "This collection is in the trash; choose one that is not.");
  if (collection->name_space) throw bad_field("collection_id", "This collection is for snippets; choose another one.");
}

Row row_of(Connection& connection, DashboardId id) {
  auto row = connection.query_one(select_dashboards() + " WHERE d.id = ?", {id});
  if (!row) throw not_found();
  return std::move(*row);
}

json::object state_of(Connection& connection, DashboardId id) { return dashboard_state(row_of(connection, id), read_content(connection, id)); }

void keep_revision(Connection& connection, PersonId person, DashboardId id, const json::object* before, RevisionKind kind, Timestamp now) {
  auto after = state_of(connection, id);
  add_revision(connection, {"dashboard", id.value, person, kind, before, &after}, now);
}

void touch(Connection& connection, PersonId person, DashboardId id, Timestamp now) {
  connection.update("dashboard", {{"last_editor_id", person}, {"last_edited_at", now}, {"updated_at", now}}, "id", id);
}

// Rows of the given cards by id, with the columns of card_columns.
std::map<std::int64_t, Row> cards_by_id(Connection& connection, const std::set<std::int64_t>& wanted) {
  std::map<std::int64_t, Row> out;
  if (wanted.empty()) return out;
  std::vector<std::int64_t> ids(wanted.begin(), wanted.end());
  connection.each("SELECT " + card_columns("c") + " FROM card c WHERE c.id IN (" + appdb::placeholders(ids.size()) + ")", id_parameters(ids),
                  [&](const Row& row) { out.emplace(row.integer("id"), row); });
  return out;
}

std::set<std::int64_t> card_ids(const DashboardContent& content) {
  std::set<std::int64_t> ids;
  for (auto& d : content.dashcards) {
    if (d.card) ids.insert(d.card->value);
    for (auto card : d.series) ids.insert(card.value);
  }
  return ids;
}

std::map<std::string, std::vector<FieldId>> fields_of_parameters(const json::array& parameters, const DashboardContent& content, const std::map<std::int64_t, Row>& cards) {
  struct Known { json::value query, metadata; };
  std::map<std::int64_t, Known> known;  // parsed once, and only for cards that are mapped
  std::map<std::string, std::vector<FieldId>> out;
  for (auto& parameter : parameters) {
    if (auto id = json::text(parameter, "id")) out[*id];
  }
  for (auto& d : content.dashcards) {
    for (auto& mapping : d.parameter_mappings.get_array()) {
      auto id = json::text(mapping, "parameter_id");
      auto* target = json::find(mapping, "target");
      auto card = json::integer(mapping, "card_id").value_or(d.card ? d.card->value : 0);
      auto found = id ? out.find(*id) : out.end();
      auto row = cards.find(card);
      if (found == out.end() || !target || row == cards.end()) continue;
      if (!known.contains(card)) known[card] = {row->second.json("dataset_query"), row->second.json("result_metadata")};
      auto field = target_field(*target, known[card].query, known[card].metadata);
      if (field && std::find(found->second.begin(), found->second.end(), *field) == found->second.end()) found->second.push_back(*field);
    }
  }
  return out;
}

json::object param_fields(Connection& connection, const std::map<std::string, std::vector<FieldId>>& fields) {
  json::object out;
  std::set<std::int64_t> all;
  for (auto& [parameter, ids] : fields) { for (auto id : ids) all.insert(id.value); }
  std::map<std::int64_t, json::object> described;
  if (!all.empty()) {
    std::vector<std::int64_t> ids(all.begin(), all.end());
    connection.each("SELECT " + field_columns("") + " FROM data_field WHERE id IN (" + appdb::placeholders(ids.size()) + ")", id_parameters(ids), [&](const Row& row) {
      auto full = field_json(row);
      json::object slim;
      for (auto key : {"id", "name", "display_name", "table_id", "base_type", "effective_type", "semantic_type", "has_field_values", "fk_target_field_id", "settings"}) {
        if (auto* value = full.if_contains(key)) slim[key] = *value;
      }
      slim["has_field_values"] = has_field_values(row);
      slim["dimensions"] = json::array();
      slim["name_field"] = nullptr;
      described[row.integer("id")] = std::move(slim);
    });
  }
  for (auto& [parameter, ids] : fields) {
    json::array list;
    for (auto id : ids) { if (described.contains(id.value)) list.push_back(described[id.value]); }
    if (!list.empty()) out[parameter] = std::move(list);
  }
  return out;
}

struct Size { std::int64_t x, y; };
Size usual_size(std::string_view display) {
  if (display == "scalar" || display == "smartscalar" || display == "progress" || display == "gauge") return {6, 3};
  if (display == "table" || display == "pivot" || display == "map") return {12, 9};
  return {12, 6};
}

}  // namespace

std::string select_dashboards() {
  return "SELECT d.id, d.entity_id, d.name, d.description, d.parameters, d.width, d.auto_apply_filters, d.collection_id, d.collection_position, d.archived, d.archived_directly, "
         "d.caveats, d.points_of_interest, d.show_in_getting_started, d.position, d.cache_ttl, d.enable_embedding, d.embedding_params, d.public_uuid, d.made_public_by_id, "
         "d.creator_id, d.last_editor_id, d.last_edited_at, d.view_count, d.last_viewed_at, d.created_at, d.updated_at, " + person_columns("creator") + ", " + person_columns("editor") +
         " FROM dashboard d LEFT JOIN person creator ON creator.id = d.creator_id LEFT JOIN person editor ON editor.id = d.last_editor_id";
}

json::object dashboard_columns_json(const Row& row, const Rights& rights) {
  bool curates = rights.collection(row.optional_id<CollectionId>("collection_id")) == CollectionRight::Curate;
  bool archived = row.boolean("archived"), directly = row.boolean("archived_directly");
  return {{"id", row.integer("id")}, {"entity_id", text_or_null(row, "entity_id")}, {"name", row.text("name")}, {"description", text_or_null(row, "description")},
          {"collection_id", integer_or_null(row, "collection_id")}, {"collection_position", integer_or_null(row, "collection_position")}, {"collection_authority_level", nullptr},
          {"archived", archived}, {"archived_directly", directly}, {"creator_id", integer_or_null(row, "creator_id")}, {"creator", person_json(row, "creator")},
          {"parameters", array_or_empty(row, "parameters")}, {"width", row.text("width")}, {"auto_apply_filters", row.boolean("auto_apply_filters")},
          {"cache_ttl", integer_or_null(row, "cache_ttl")}, {"enable_embedding", row.boolean("enable_embedding")}, {"embedding_params", json_or(row, "embedding_params", nullptr)},
          {"public_uuid", text_or_null(row, "public_uuid")}, {"made_public_by_id", integer_or_null(row, "made_public_by_id")}, {"can_write", curates},
          {"can_restore", curates && archived && directly}, {"can_delete", curates && archived}, {"can_set_cache_policy", rights.is_administrator()},
          {"last-edit-info", edit_json(row, "editor", "last_edited_at")}, {"moderation_reviews", json::array()}, {"show_in_getting_started", row.boolean("show_in_getting_started")},
          {"caveats", text_or_null(row, "caveats")}, {"points_of_interest", text_or_null(row, "points_of_interest")}, {"position", integer_or_null(row, "position")},
          {"initially_published_at", nullptr}, {"is_remote_synced", false}, {"dependency_analysis_version", 0}, {"view_count", row.integer("view_count")},
          {"last_viewed_at", text_or_null(row, "last_viewed_at")}, {"created_at", row.text("created_at")}, {"updated_at", row.text("updated_at")}};
}

json::object dashboard_row_json(const Row& row, const Rights& rights, const Collections& collections) {
  auto out = dashboard_columns_json(row, rights);
  auto place = row.optional_id<CollectionId>("collection_id");
  auto* collection = place ? collections.find(*place) : nullptr;
  out["collection"] = collection_summary(collection, collection && collections.is_personal(*collection), rights,
                                         row.boolean("archived") && row.boolean("archived_directly") ? InTrash::Yes : InTrash::No);
  return out;
}

json::object dashboard_state(const Row& row, const DashboardContent& content) {
  return {{"name", row.text("name")}, {"description", text_or_null(row, "description")}, {"parameters", array_or_empty(row, "parameters")}, {"width", row.text("width")},
          {"auto_apply_filters", row.boolean("auto_apply_filters")}, {"collection_id", integer_or_null(row, "collection_id")},
          {"collection_position", integer_or_null(row, "collection_position")}, {"archived", row.boolean("archived")}, {"cache_ttl", integer_or_null(row, "cache_ttl")},
          {"enable_embedding", row.boolean("enable_embedding")}, {"embedding_params", json_or(row, "embedding_params", nullptr)}, {"tabs", tabs_state(content)},
          {"dashcards", dashcards_state(content)}};
}

Row require_dashboard(Connection& connection, const Rights& rights, DashboardId id) {
  auto row = row_of(connection, id);
  rights.require_view(row.optional_id<CollectionId>("collection_id"));
  return row;
}

std::map<std::string, std::vector<FieldId>> parameter_fields(Connection& connection, const json::array& parameters, const DashboardContent& content) {
  return fields_of_parameters(parameters, content, cards_by_id(connection, card_ids(content)));
}

json::object dashboard_json(Services& services, const Rights& rights, DashboardId id) {
  return services.store.read([&](Connection& connection) {
    auto row = require_dashboard(connection, rights, id);
    auto out = dashboard_columns_json(row, rights);
    out["collection"] = collection_summary(connection, row.optional_id<CollectionId>("collection_id"), rights,
                                           row.boolean("archived") && row.boolean("archived_directly") ? InTrash::Yes : InTrash::No);
    auto content = read_content(connection, id);
    auto cards = cards_by_id(connection, card_ids(content));
    auto shown = [&](CardId card) -> json::value {
      auto found = cards.find(card.value);
      if (found == cards.end()) return nullptr;
      if (card_right(found->second, rights) == CollectionRight::None) return json::object{{"id", card.value}};
      auto one = card_columns_json(found->second, rights);
      one["query_average_duration"] = json::or_null(found->second.optional_real("average_query_time"));
      return one;
    };
    json::array tabs, dashcards;
    for (auto& tab : content.tabs) tabs.push_back(tab_json(tab, id));
    for (auto& d : content.dashcards) {
      if (d.card && cards.contains(d.card->value) && cards.at(d.card->value).boolean("archived")) continue;  // in the trash
      auto one = dashcard_columns_json(d, id);
      one["card"] = d.card ? shown(*d.card) : json::value(nullptr);
      json::array series;
      for (auto card : d.series) {
        if (cards.contains(card.value) && !cards.at(card.value).boolean("archived")) series.push_back(shown(card));
      }
      one["series"] = std::move(series);
      dashcards.push_back(std::move(one));
    }
    out["tabs"] = std::move(tabs);
    out["dashcards"] = std::move(dashcards);
    auto parameters = array_or_empty(row, "parameters");
    out["param_fields"] = parameters.get_array().empty() ? json::object() : param_fields(connection, fields_of_parameters(parameters.get_array(), content, cards));
    json::object last_values;
    if (!parameters.get_array().empty()) {
      std::set<std::string> known;
      for (auto& parameter : parameters.get_array()) known.insert(json::text(parameter, "id").value_or(""));
      connection.each("SELECT parameter_id, value FROM parameter_value WHERE person_id = ? AND dashboard_id = ?", {rights.person(), id}, [&](const Row& value) {
        if (known.contains(value.text("parameter_id"))) last_values[value.text("parameter_id")] = value.json("value");
      });
    }
    out["last_used_param_values"] = std::move(last_values);
    return out;
  });
}

DashboardId create_dashboard(Connection& connection, const Rights& rights, const NewDashboard& wanted, Timestamp now) {
  auto place = collection_from(connection, wanted.collection_id.value.value_or(nullptr));
  require_place(connection, rights, place);
  auto parameters = wanted.parameters.value_or(json::array());
  check_parameters(parameters);
  auto description = wanted.description && wanted.description->empty() ? std::nullopt : wanted.description;
  auto id = DashboardId(connection.insert("dashboard", {{"name", wanted.name}, {"description", description}, {"parameters", parameters}, {"width", "fixed"},
      {"auto_apply_filters", true}, {"collection_id", place}, {"collection_position", wanted.collection_position}, {"archived", false}, {"archived_directly", false},
      {"show_in_getting_started", false}, {"cache_ttl", wanted.cache_ttl}, {"enable_embedding", false}, {"creator_id", rights.person()}, {"last_editor_id", rights.person()},
      {"last_edited_at", now}, {"view_count", 0}, {"last_viewed_at", now}, {"created_at", now}, {"updated_at", now}, {"entity_id", entity_id()}}));
  keep_revision(connection, rights.person(), id, nullptr, RevisionKind::Creation, now);
  return id;
}

void change_dashboard(Connection& connection, const Rights& rights, DashboardId id, const DashboardChange& change, Timestamp now) {
  auto row = require_dashboard(connection, rights, id);
  auto place = row.optional_id<CollectionId>("collection_id");
  rights.require_curate(place);
  auto before = dashboard_state(row, read_content(connection, id));
  check_width(change.width);
  std::vector<appdb::Assignment> values;
  auto set = [&](std::string_view column, appdb::Parameter value) { values.emplace_back(column, std::move(value)); };
  auto text = [](const Patch<std::string>& patch) { return patch.value && patch.value->empty() ? std::nullopt : patch.value; };
  if (change.name) set("name", *change.name);
  if (change.description) set("description", text(change.description));
  if (change.caveats) set("caveats", text(change.caveats));
  if (change.points_of_interest) set("points_of_interest", text(change.points_of_interest));
  if (change.show_in_getting_started) set("show_in_getting_started", *change.show_in_getting_started);
  if (change.width) set("width", *change.width);
  if (change.auto_apply_filters) set("auto_apply_filters", *change.auto_apply_filters);
  if (change.position) set("position", change.position.value);
  if (change.collection_position) set("collection_position", change.collection_position.value);
  if (change.cache_ttl) set("cache_ttl", change.cache_ttl.value);
  // Clients send the whole object back: only a real change of the embedding needs an administrator.
  bool embeds = change.enable_embedding && *change.enable_embedding != row.boolean("enable_embedding");
  bool embeds_other = change.embedding_params && (change.embedding_params.value ? json::value(*change.embedding_params.value) : json::value(nullptr)) != row.json("embedding_params");
  if (embeds || embeds_other) rights.require_administrator();
  if (embeds) set("enable_embedding", *change.enable_embedding);
  if (embeds_other) set("embedding_params", change.embedding_params.value);
  if (change.parameters) {
    check_parameters(*change.parameters);
    set("parameters", *change.parameters);
  }
  if (change.collection_id) {
    auto to = collection_from(connection, change.collection_id.value.value_or(nullptr));
    if (to != place) {
      require_place(connection, rights, to);
      set("collection_id", to);
      connection.execute("UPDATE card SET collection_id = ?, updated_at = ? WHERE dashboard_id = ?", {to, now, id});  // its own questions lie where it lies
      place = to;
    }
  }
  if (change.archived && *change.archived != row.boolean("archived")) {
    bool archived = *change.archived;
    if (!archived && place) {
      auto collection = find_collection(connection, *place);
      if (collection && collection->archived) refuse("The collection it lay in is in the trash; choose another place with collection_id.");
    }
    set("archived", archived);
    set("archived_directly", archived);
    connection.execute("UPDATE card SET archived = ?, updated_at = ? WHERE dashboard_id = ? AND archived_directly = FALSE", {archived, now, id});
    if (archived) connection.execute("DELETE FROM bookmark WHERE model = 'dashboard' AND model_id = ?", {id});
  }
  if (!values.empty()) connection.update("dashboard", values, "id", id);
  if (change.tabs || change.dashcards) {
    replace_content(connection, rights, id, change.tabs ? std::optional(tabs_from(*change.tabs)) : std::nullopt,
                    change.dashcards ? std::optional(dashcards_from(*change.dashcards)) : std::nullopt, now);
  }
  touch(connection, rights.person(), id, now);
  keep_revision(connection, rights.person(), id, &before, RevisionKind::Change, now);
}

void delete_dashboard(Connection& connection, const Rights& rights, DashboardId id) {
  auto row = require_dashboard(connection, rights, id);
  rights.require_curate(row.optional_id<CollectionId>("collection_id"));
  connection.execute("DELETE FROM revision WHERE model = 'card' AND model_id IN (SELECT id FROM card WHERE dashboard_id = ?)", {id});
  for (auto table : {"revision", "bookmark", "recent_view"}) connection.execute(std::string("DELETE FROM ") + table + " WHERE model = 'dashboard' AND model_id = ?", {id});
  connection.execute("DELETE FROM dashcard WHERE dashboard_id = ?", {id});
  connection.execute("DELETE FROM card WHERE dashboard_id = ?", {id});
  connection.execute("DELETE FROM dashboard WHERE id = ?", {id});
}

CopiedDashboard copy_dashboard(Connection& connection, const Rights& rights, DashboardId from, const DashboardCopy& wanted, Timestamp now) {
  auto row = require_dashboard(connection, rights, from);
  auto place = wanted.collection_id ? collection_from(connection, wanted.collection_id.value.value_or(nullptr)) : row.optional_id<CollectionId>("collection_id");
  require_place(connection, rights, place);
  auto person = rights.person();
  auto content = read_content(connection, from);
  auto cards = cards_by_id(connection, card_ids(content));
  auto description = wanted.description ? wanted.description : row.optional_text("description");
  auto id = DashboardId(connection.insert("dashboard", {{"name", wanted.name.value_or("Copy of " + row.text("name"))}, {"description", description},
      {"parameters", array_or_empty(row, "parameters")}, {"width", row.text("width")}, {"auto_apply_filters", row.boolean("auto_apply_filters")}, {"collection_id", place},
      {"collection_position", wanted.collection_position}, {"archived", false}, {"archived_directly", false}, {"show_in_getting_started", false},
      {"cache_ttl", row.optional_integer("cache_ttl")}, {"enable_embedding", false}, {"creator_id", person}, {"last_editor_id", person}, {"last_edited_at", now},
      {"view_count", 0}, {"last_viewed_at", now}, {"created_at", now}, {"updated_at", now}, {"entity_id", entity_id()}}));

  // Which card stands for which: the dashboard's own questions are always copied, others in a deep copy, models never.
  CopiedDashboard copied{id, {}};
  std::map<std::int64_t, std::optional<CardId>> stands_for;
  for (auto& [card_id, card] : cards) {
    if (card_right(card, rights) == CollectionRight::None) {
      copied.uncopied.push_back(json::object{{"id", card_id}});
      stands_for[card_id] = std::nullopt;
    } else if (card.boolean("archived")) {
      stands_for[card_id] = std::nullopt;
    } else if (!card.is_null("dashboard_id")) {
      stands_for[card_id] = insert_card_copy(connection, person, card, card.text("name"), place, id, now);
    } else if (wanted.is_deep_copy.value_or(false) && card.text("kind") == "question") {
      stands_for[card_id] = insert_card_copy(connection, person, card, card.text("name"), place, std::nullopt, now);
    } else {
      stands_for[card_id] = CardId(card_id);
    }
  }
  std::map<std::int64_t, std::int64_t> tabs;
  for (auto& tab : content.tabs)
    tabs[tab.id.value] = connection.insert("dashboard_tab", {{"dashboard_id", id}, {"name", tab.name}, {"position", tab.position}, {"created_at", now}, {"updated_at", now}, {"entity_id", entity_id()}});
  for (auto& d : content.dashcards) {
    auto card = d.card ? stands_for[d.card->value] : std::nullopt;
    if (d.card && !card) continue;
    auto mappings = d.parameter_mappings;
    for (auto& mapping : mappings.get_array()) {
      auto old = json::integer(mapping, "card_id");
      if (old && stands_for.contains(*old) && stands_for[*old]) mapping.get_object()["card_id"] = stands_for[*old]->value;
    }
    auto dashcard = connection.insert("dashcard", {{"dashboard_id", id}, {"dashboard_tab_id", d.tab ? std::optional(tabs[d.tab->value]) : std::nullopt}, {"card_id", card},
        {"action_id", d.action}, {"row_position", d.row}, {"column_position", d.column}, {"size_x", d.size_x}, {"size_y", d.size_y}, {"parameter_mappings", mappings},
        {"inline_parameters", d.inline_parameters.is_null() ? appdb::Parameter(nullptr) : appdb::Parameter(d.inline_parameters)},
        {"visualization_settings", d.visualization_settings}, {"created_at", now}, {"updated_at", now}, {"entity_id", entity_id()}});
    std::int64_t position = 0;
    for (auto series : d.series) {
      if (stands_for[series.value]) connection.insert("dashcard_series", {{"dashcard_id", dashcard}, {"card_id", *stands_for[series.value]}, {"position", position++}});
    }
  }
  keep_revision(connection, person, id, nullptr, RevisionKind::Creation, now);
  return copied;
}

void revert_dashboard(Connection& connection, const Rights& rights, DashboardId id, RevisionId revision, Timestamp now) {
  auto row = require_dashboard(connection, rights, id);
  rights.require_curate(row.optional_id<CollectionId>("collection_id"));
  auto content = read_content(connection, id);
  auto before = dashboard_state(row, content);
  const json::value state = revision_state(connection, "dashboard", id.value, revision);
  auto* parameters = json::sub_array(state, "parameters");
  connection.update("dashboard", {{"name", json::text(state, "name").value_or(row.text("name"))}, {"description", json::text(state, "description")},
      {"parameters", parameters ? *parameters : json::array()}, {"width", json::text(state, "width").value_or("fixed")},
      {"auto_apply_filters", json::boolean(state, "auto_apply_filters").value_or(true)}, {"archived", false}, {"archived_directly", false}}, "id", id);
  auto* tabs = json::sub_array(state, "tabs");
  auto* kept = json::sub_array(state, "dashcards");
  // Cards that are gone, or out of this person's sight, cannot come back.
  std::vector<WantedDashcard> dashcards;
  if (kept) {
    std::set<std::int64_t> on_it = card_ids(content);
    for (auto& d : dashcards_from(*kept)) {
      if (d.card && !on_it.contains(*d.card)) {
        auto card = connection.query_one("SELECT collection_id FROM card WHERE id = ?", {*d.card});
        if (!card || rights.collection(card->optional_id<CollectionId>("collection_id")) == CollectionRight::None) continue;
      }
      d.series.reset();
      dashcards.push_back(std::move(d));
    }
    // A dashboard's own questions went to the trash when they were taken off.
    for (auto& d : dashcards) {
      if (d.card) connection.execute("UPDATE card SET archived = FALSE, archived_directly = FALSE, updated_at = ? WHERE id = ? AND dashboard_id = ?", {now, *d.card, id});
    }
  }
  replace_content(connection, rights, id, tabs_from(tabs ? *tabs : json::array()), dashcards, now);
  touch(connection, rights.person(), id, now);
  keep_revision(connection, rights.person(), id, &before, RevisionKind::Reversion, now);
}

DashcardId append_dashcard(Connection& connection, PersonId person, DashboardId dashboard, std::optional<DashboardTabId> tab, CardId card, std::string_view display,
                           std::optional<std::int64_t> size_x, std::optional<std::int64_t> size_y, Timestamp now) {
  auto content = read_content(connection, dashboard);
  auto before = dashboard_state(row_of(connection, dashboard), content);
  if (content.dashcards.size() >= dashcards_at_most) throw bad_field("dashboard_id", "This dashboard is full.");
  if (tab && std::none_of(content.tabs.begin(), content.tabs.end(), [&](auto& t) { return t.id == *tab; })) throw bad_field("dashboard_tab_id", "There is no such tab on this dashboard.");
  if (!tab && !content.tabs.empty()) tab = content.tabs.front().id;
  auto size = usual_size(display);
  auto width = std::min<std::int64_t>(size_x.value_or(size.x), 24), height = size_y.value_or(size.y);
  std::vector<Dashcard> beside;
  for (auto& d : content.dashcards) { if (d.tab == tab) beside.push_back(d); }
  auto place = free_place(beside, width, height);
  auto id = DashcardId(connection.insert("dashcard", {{"dashboard_id", dashboard}, {"dashboard_tab_id", tab}, {"card_id", card}, {"row_position", place.row},
      {"column_position", place.column}, {"size_x", width}, {"size_y", height}, {"parameter_mappings", json::array()}, {"visualization_settings", json::object()},
      {"created_at", now}, {"updated_at", now}, {"entity_id", entity_id()}}));
  touch(connection, person, dashboard, now);
  keep_revision(connection, person, dashboard, &before, RevisionKind::Change, now);
  return id;
}

ParameterQuestion dashboard_parameter_question(Connection& connection, const Row& dashboard, const http::Request& request) {
  auto declared = array_or_empty(dashboard, "parameters").get_array();
  auto fields = parameter_fields(connection, declared, read_content(connection, dashboard.id<DashboardId>("id")));
  auto& key = request.path_value("key");
  ParameterQuestion question;
  question.parameter = require_parameter(declared, key);
  question.fields = fields[key];
  for (auto& [name, value] : request.query) {
    if (name == key || value.empty() || name == "value") continue;
    for (auto& other : declared) {
      if (json::text(other, "id") != name) continue;
      auto values = request.query_values(name);
      json::array list;
      for (auto& one : values) list.push_back(json::value(one));
      auto type = json::text(other, "type").value_or("category");
      // Dates and their like are one text; everything else is a list.
      bool single = type.starts_with("date/") || type == "temporal-unit";
      bool repeated = std::any_of(question.others.begin(), question.others.end(), [&, name = name](auto& o) { return o.fields == fields[name] && o.type == type; });
      if (!repeated) question.others.push_back({fields[name], type, single ? json::value(values.front()) : json::value(list)});
    }
  }
  return question;
}

}  // namespace basalt::features
