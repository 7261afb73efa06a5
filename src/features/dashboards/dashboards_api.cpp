#include "features/dashboards/dashboards_api.h"

#include <algorithm>

#include "features/activity/views.h"
#include "features/cards/card_queries.h"
#include "features/collections/collection_items.h"
#include "features/content/parameter_values.h"
#include "features/content/public_links.h"
#include "features/dashboards/dashboard_parameters.h"
#include "features/dashboards/dashboards.h"
#include "features/dashboards/public_api.h"
#include "features/databases/metadata_json.h"
#include "features/revisions/revisions.h"

namespace basalt::features {
namespace {

using appdb::Connection;
using appdb::Row;
using http::Request;
using http::Response;
using permissions::CollectionRight;
using permissions::Rights;

DashboardId dashboard_id(Connection& connection, const Request& request) { return DashboardId(object_id(connection, "dashboard", request.path_value("id"))); }
DashboardId dashboard_id(Services& services, const Request& request) { return DashboardId(id_in_path(services.store, "dashboard", request.path_value("id"))); }

json::array list_dashboards(Services& services, const Request& request) {
  auto rights = services.rights(request);
  auto filter = request.query_value("f").value_or("all");
  std::string where = "d.archived = FALSE";
  appdb::Parameters parameters;
  if (filter == "mine") { where += " AND d.creator_id = ?"; parameters.emplace_back(rights->person()); }
  else if (filter == "archived") where = "d.archived = TRUE";
  else if (filter != "all") throw bad_field("f", "value must be one of all, mine, archived.");
  parameters.emplace_back(list_cap);
  return services.store.read([&](Connection& connection) {
    Collections collections(connection);
    json::array out;
    connection.each(select_dashboards() + " WHERE " + where + " ORDER BY lower(d.name), d.id LIMIT ?", parameters, [&](const Row& row) {
      if (rights->collection(row.optional_id<CollectionId>("collection_id")) != CollectionRight::None) out.push_back(dashboard_row_json(row, *rights, collections));
    });
    return out;
  });
}

json::object get_dashboard(Services& services, const Request& request) {
  auto rights = services.rights(request);
  auto id = dashboard_id(services, request);
  auto out = dashboard_json(services, *rights, id);
  note_view(services, rights->person(), "dashboard", id.value);
  return out;
}

// ---- running one card of a dashboard

// Keeps what the person chose, so that the dashboard opens with it next time. Writes only what differs.
void keep_parameter_values(Services& services, PersonId person, DashboardId dashboard, const json::array& declared, const json::array& given) {
  std::map<std::string, json::value> wanted;
  for (auto& one : given) {
    auto id = json::text(one, "id");
    if (!id || !one.is_object()) continue;
    bool known = std::any_of(declared.begin(), declared.end(), [&](auto& parameter) { return json::text(parameter, "id") == id; });
    auto* value = one.get_object().if_contains("value");
    if (known && value) wanted[*id] = *value;
  }
  if (wanted.empty()) return;
  auto stored = services.store.read([&](Connection& connection) {
    std::map<std::string, json::value> values;
    connection.each("SELECT parameter_id, value FROM parameter_value WHERE person_id = ? AND dashboard_id = ?", {person, dashboard},
                    [&](const Row& row) { values[row.text("parameter_id")] = row.json("value"); });
    return values;
  });
  std::erase_if(wanted, [&](auto& entry) {
    auto found = stored.find(entry.first);
    return found == stored.end() ? entry.second.is_null() : found->second == entry.second;
  });
  if (wanted.empty()) return;
  try {
    services.store.write([&](Connection& connection) {
      for (auto& [id, value] : wanted) {
        if (value.is_null()) {
          connection.execute("DELETE FROM parameter_value WHERE person_id = ? AND dashboard_id = ? AND parameter_id = ?", {person, dashboard, id});
        } else if (!connection.execute("UPDATE parameter_value SET value = ? WHERE person_id = ? AND dashboard_id = ? AND parameter_id = ?", {value, person, dashboard, id})) {
          connection.insert("parameter_value", {{"person_id", person}, {"dashboard_id", dashboard}, {"parameter_id", id}, {"value", value}});
        }
      }
    });
  } catch (const Failure& failure) {
    // Two cards of one dashboard may store the same choice at the same moment; the query matters more.
    if (failure.kind() != FailureKind::Conflict && failure.kind() != FailureKind::Unavailable) throw;
  }
}

Response run_dashcard(Services& services, const Request& request, pipeline::Format format, bool pivot = false) {
  auto rights = services.rights(request);
  auto given = parameters_from(request.json_body());
  struct Found { Row card; DashboardId dashboard; json::array declared, parameters; };
  auto id = dashboard_id(services, request);
  auto card_id = request.path_id<CardId>("card-id");
  auto dashcard_id = request.path_id<DashcardId>("dashcard-id");
  // A dashboard asks this once per card: one statement.
  auto found = services.store.read([&](Connection& connection) {
    auto card = connection.query_one("SELECT c.id, c.name, c.kind, c.dataset_query, c.result_metadata, c.visualization_settings, c.collection_id, d.collection_id AS dashboard_place, d.parameters AS declared, "
                                     "dc.parameter_mappings AS mappings FROM dashcard dc JOIN dashboard d ON d.id = dc.dashboard_id JOIN card c ON c.id = ? WHERE dc.id = ? AND d.id = ? AND "
                                     "(dc.card_id = c.id OR EXISTS (SELECT 1 FROM dashcard_series s WHERE s.dashcard_id = dc.id AND s.card_id = c.id))", {card_id, dashcard_id, id});
    if (!card) throw not_found();
    rights->require_view(card->optional_id<CollectionId>("dashboard_place"));
    if (card_right(*card, *rights) == CollectionRight::None) throw forbidden();  // the dashboard shows that it is there
    auto declared = array_or_empty(*card, "declared").get_array();
    auto parameters = dashcard_parameters(declared, array_or_empty(*card, "mappings").get_array(), card_id, given);
    return Found{std::move(*card), id, std::move(declared), std::move(parameters)};
  });
  keep_parameter_values(services, rights->person(), found.dashboard, found.declared, given);
  return run_card(services, request, rights, found.card, {std::move(found.parameters), "dashboard", found.dashboard, format, pivot});
}

json::object query_metadata(Services& services, const Request& request) {
  auto rights = services.rights(request);
  struct Read { std::vector<json::value> queries; std::set<CardId> models; std::set<FieldId> fields; };
  auto read = services.store.read([&](Connection& connection) {
    auto row = require_dashboard(connection, *rights, dashboard_id(connection, request));
    auto id = row.id<DashboardId>("id");
    Read out;
    connection.each("SELECT c.id, c.kind, c.dataset_query, c.collection_id FROM card c WHERE c.archived = FALSE AND (c.id IN (SELECT card_id FROM dashcard WHERE dashboard_id = ?) OR c.id IN "
                    "(SELECT s.card_id FROM dashcard_series s JOIN dashcard d ON d.id = s.dashcard_id WHERE d.dashboard_id = ?))", {id, id}, [&](const Row& card) {
                      if (rights->collection(card.optional_id<CollectionId>("collection_id")) == CollectionRight::None) return;
                      out.queries.push_back(card.json("dataset_query"));
                      if (card.text("kind") == "model") out.models.insert(card.id<CardId>("id"));
                    });
    for (auto& [parameter, fields] : parameter_fields(connection, array_or_empty(row, "parameters").get_array(), read_content(connection, id))) out.fields.insert(fields.begin(), fields.end());
    return out;
  });
  UsedThings used;
  used.cards = read.models;
  used.fields = read.fields;
  for (auto& query : read.queries) used.add(services, query);
  auto out = services.store.read([&](Connection& c) { return query_metadata_json(services, c, *rights, used.tables, used.databases, used.fields, used.cards); });
  out["dashboards"] = json::array();
  return out;
}

// ---- values of a dashboard's filters

ParameterQuestion parameter_question(Services& services, const Rights& rights, const Request& request) {
  auto id = dashboard_id(services, request);
  return services.store.read([&](Connection& connection) { return dashboard_parameter_question(connection, require_dashboard(connection, rights, id), request); });
}

// Which of the `filtering` fields can narrow which of the `filtered` ones: same table, or joined by a foreign key.
json::object valid_filter_fields(Services& services, const Request& request) {
  services.rights(request);
  auto ids = [&](const char* name) {
    std::vector<std::int64_t> out;
    for (auto& text : request.query_values(name)) {
      auto id = json::try_parse(text);
      auto number = id ? json::as_integer(*id) : std::nullopt;
      if (!number || *number <= 0) throw bad_field(name, "value must be an integer greater than zero.");
      out.push_back(*number);
    }
    return out;
  };
  auto filtered = ids("filtered"), filtering = ids("filtering");
  if (filtered.empty()) throw bad_field("filtered", "value must be one or more field ids.");
  auto catalog = services.queries.catalog();
  auto rights = services.rights(request);
  auto visible = [&](std::int64_t id) -> const query::Field* {
    auto* field = catalog->field(FieldId(id));
    auto* table = field ? catalog->table(field->table) : nullptr;
    return table && rights->table(table->database, table->schema, table->id) != permissions::DataRight::None ? field : nullptr;
  };
  auto linked = [&](TableId a, TableId b) {
    for (auto* key : catalog->fields_of(a)) {
      auto* target = key->fk_target ? catalog->field(*key->fk_target) : nullptr;
      if (target && target->table == b) return true;
    }
    return false;
  };
  json::object out;
  for (auto id : filtered) {
    json::array usable;
    if (auto* field = visible(id)) {
      for (auto other_id : filtering) {
        auto* other = visible(other_id);
        if (other && (other->table == field->table || linked(field->table, other->table) || linked(other->table, field->table))) usable.push_back(json::value(other_id));
      }
    }
    out[std::to_string(id)] = std::move(usable);
  }
  return out;
}

// ---- the old endpoints around dashcards

struct OldCards {
  json::array cards;
  std::optional<json::array> tabs, ordered_tabs;
  static constexpr auto fields() { return json_fields(field("cards", &OldCards::cards), field("tabs", &OldCards::tabs), field("ordered_tabs", &OldCards::ordered_tabs)); }
};

json::object put_cards(Services& services, const Request& request, const OldCards& body) {
  auto rights = services.rights(request);
  DashboardChange change;
  change.dashcards = body.cards;
  change.tabs = body.tabs ? body.tabs : body.ordered_tabs;
  auto id = services.store.write([&](Connection& c) {
    auto id = dashboard_id(c, request);
    change_dashboard(c, *rights, id, change, services.clock.now());
    return id;
  });
  auto full = dashboard_json(services, *rights, id);
  return {{"cards", std::move(full["dashcards"])}, {"tabs", std::move(full["tabs"])}};
}

json::value add_card(Services& services, const Request& request) {
  auto rights = services.rights(request);
  auto body = request.json_body();
  auto card = json::integer(body, "cardId");
  if (!card) card = json::integer(body, "card_id");
  if (!card || *card <= 0) throw bad_field("cardId", "value must be an integer greater than zero.");
  auto [id, dashcard] = services.store.write([&](Connection& connection) {
    auto dashboard = require_dashboard(connection, *rights, dashboard_id(connection, request));
    rights->require_curate(dashboard.optional_id<CollectionId>("collection_id"));
    auto row = require_card(connection, *rights, CardId(*card));
    auto id = dashboard.id<DashboardId>("id");
    auto tab = json::integer(body, "dashboard_tab_id");
    return std::pair(id, append_dashcard(connection, rights->person(), id, tab ? std::optional(DashboardTabId(*tab)) : std::nullopt, CardId(*card), row.text("display"),
                                         json::integer(body, "size_x"), json::integer(body, "size_y"), services.clock.now()));
  });
  auto full = dashboard_json(services, *rights, id);
  for (auto& one : full["dashcards"].get_array()) {
    if (json::integer(one, "id") == dashcard.value) return one;
  }
  throw not_found();
}

void remove_card(Services& services, const Request& request) {
  auto rights = services.rights(request);
  auto dashcard = request.query_integer("dashcardId");
  if (!dashcard) throw bad_field("dashcardId", "value must be an integer greater than zero.");
  services.store.write([&](Connection& connection) {
    auto dashboard = require_dashboard(connection, *rights, dashboard_id(connection, request));
    auto content = read_content(connection, dashboard.id<DashboardId>("id"));
    json::array rest;
    for (auto& entry : dashcards_state(content)) { if (json::integer(entry, "id") != *dashcard) rest.push_back(entry); }
    if (rest.size() == content.dashcards.size()) throw not_found();
    DashboardChange change;
    change.dashcards = std::move(rest);
    change_dashboard(connection, *rights, dashboard.id<DashboardId>("id"), change, services.clock.now());
  });
}

json::object items(Services& services, const Request& request) {
  auto rights = services.rights(request);
  return services.store.read([&](Connection& connection) {
    auto row = require_dashboard(connection, *rights, dashboard_id(connection, request));
    Collections collections(connection);
    json::array data;
    connection.each(select_cards() + " WHERE c.dashboard_id = ? AND c.archived = FALSE ORDER BY lower(c.name), c.id LIMIT ?", {row.id<DashboardId>("id"), list_cap}, [&](const Row& card) {
      auto one = card_row_json(card, *rights, collections);
      json::object item{{"model", "card"}, {"last-edit-info", one["last-edit-info"]}, {"moderated_status", nullptr}, {"can_restore", false}, {"can_delete", false}};
      for (auto key : {"id", "name", "description", "entity_id", "collection_id", "collection_position", "collection_preview", "display", "database_id", "dashboard_id", "archived", "can_write", "last_used_at", "type"})
        item[key] = one[key];
      data.push_back(std::move(item));
    });
    auto total = static_cast<std::int64_t>(data.size());
    json::array models;
    if (total) models.push_back("card");
    return json::object{{"data", std::move(data)}, {"total", total}, {"limit", nullptr}, {"offset", nullptr}, {"models", std::move(models)}};
  });
}

struct Reversion {
  RevisionId revision_id;
  static constexpr auto fields() { return json_fields(field("revision_id", &Reversion::revision_id)); }
};

}  // namespace

void add_dashboard_routes(http::Routes& routes, Services& services) {
  routes.in_feature("dashboard");
  add_public_link_routes(routes, services, "dashboard");
  add_public_routes(routes, services);
  routes.in_feature("dashboard");
  routes.get("/api/dashboard", [&services](Request& r) { return list_dashboards(services, r); }).summary("Dashboards the person sees, without their cards.");
  routes.get("/api/dashboard/params/valid-filter-fields", [&services](Request& r) { return valid_filter_fields(services, r); }).summary("Which fields can narrow the values of which others.");
  routes.get("/api/dashboard/:id", [&services](Request& r) { return get_dashboard(services, r); }).summary("One dashboard with tabs and cards, by number or entity id.");
  routes.post("/api/dashboard", [&services](Request& r, const NewDashboard& body) {
    auto rights = services.rights(r);
    return dashboard_json(services, *rights, services.store.write([&](Connection& c) { return create_dashboard(c, *rights, body, services.clock.now()); }));
  }).summary("Make an empty dashboard.");
  routes.put("/api/dashboard/:id", [&services](Request& r, const DashboardChange& body) {
    auto rights = services.rights(r);
    auto id = services.store.write([&](Connection& c) {
      auto id = dashboard_id(c, r);
      change_dashboard(c, *rights, id, body, services.clock.now());
      return id;
    });
    return dashboard_json(services, *rights, id);
  }).summary("Change a dashboard; dashcards and tabs are complete lists. All or nothing.");
  routes.del("/api/dashboard/:id", [&services](Request& r) {
    auto rights = services.rights(r);
    services.store.write([&](Connection& c) { delete_dashboard(c, *rights, dashboard_id(c, r)); });
  }).summary("Delete a dashboard for good.");
  routes.post("/api/dashboard/:id/copy", [&services](Request& r, const DashboardCopy& body) {
    auto rights = services.rights(r);
    auto copied = services.store.write([&](Connection& c) { return copy_dashboard(c, *rights, dashboard_id(c, r), body, services.clock.now()); });
    auto out = dashboard_json(services, *rights, copied.id);
    if (!copied.uncopied.empty()) out["uncopied"] = std::move(copied.uncopied);
    return out;
  }).summary("Copy a dashboard, with its cards when is_deep_copy is true.");
  routes.put("/api/dashboard/:id/cards", [&services](Request& r, const OldCards& body) { return put_cards(services, r, body); }).summary("Deprecated: the complete list of dashcards.");
  routes.post("/api/dashboard/:id/cards", [&services](Request& r) { return add_card(services, r); }).summary("Deprecated: add one card.");
  routes.del("/api/dashboard/:id/cards", [&services](Request& r) { remove_card(services, r); }).summary("Deprecated: remove one dashcard.");
  routes.post("/api/dashboard/:id/dashcard/:dashcard-id/card/:card-id/query", [&services](Request& r) { return run_dashcard(services, r, pipeline::Format::Api); })
      .summary("Run a card of a dashboard with the dashboard's filters.");
  routes.post("/api/dashboard/pivot/:id/dashcard/:dashcard-id/card/:card-id/query", [&services](Request& r) { return run_dashcard(services, r, pipeline::Format::Api, true); })
      .summary("The same with the subtotals of its pivot table.");
  routes.post("/api/dashboard/:id/dashcard/:dashcard-id/card/:card-id/query/:format", [&services](Request& r) { return run_dashcard(services, r, format_from(r.path_value("format"))); })
      .summary("The same as a download.");
  routes.get("/api/dashboard/:id/query_metadata", [&services](Request& r) { return query_metadata(services, r); }).summary("Tables, fields and databases that its cards use.");
  add_parameter_value_routes(routes, services, "/api/dashboard/:id", "Values a filter offers, narrowed by other filters in the query.", [&services](const Rights& rights, const Request& r) { return parameter_question(services, rights, r); });
  routes.get("/api/dashboard/:id/items", [&services](Request& r) { return items(services, r); }).summary("Questions that belong to the dashboard.");
  routes.get("/api/dashboard/:id/revisions", [&services](Request& r) {
    auto rights = services.rights(r);
    return services.store.read([&](Connection& c) { return revisions_json(c, "dashboard", require_dashboard(c, *rights, dashboard_id(c, r)).integer("id")); });
  }).summary("Deprecated: its history.");
  routes.post("/api/dashboard/:id/revert", [&services](Request& r, const Reversion& body) {
    auto rights = services.rights(r);
    return services.store.write([&](Connection& c) {
      auto id = dashboard_id(c, r);
      revert_dashboard(c, *rights, id, body.revision_id, services.clock.now());
      return revisions_json(c, "dashboard", id.value).at(0).as_object();
    });
  }).summary("Deprecated: go back to an earlier state.");
}

}  // namespace basalt::features
