#include "features/cards/cards_api.h"

#include <algorithm>

#include "features/activity/views.h"
#include "features/cards/card_queries.h"
#include "features/content/parameter_values.h"
#include "features/content/public_links.h"
#include "features/databases/metadata_json.h"

namespace basalt::features {
namespace {

using appdb::Connection;
using appdb::Row;
using http::Request;
using http::Response;
using permissions::CollectionRight;
using permissions::Rights;

CardId card_id(Connection& connection, const Request& request) { return CardId(object_id(connection, "card", request.path_value("id"))); }
CardId card_id(Services& services, const Request& request) { return CardId(id_in_path(services.store, "card", request.path_value("id"))); }

// Which of the stored cards are listed: the WHERE of GET /api/card.
struct Listing {
  std::string where;
  appdb::Parameters parameters;
};

Listing listing(const Request& request, PersonId person) {
  auto filter = request.query_value("f").value_or("all");
  auto model = request.query_integer("model_id");
  auto need_model = [&] {
    if (!model) throw bad_field("model_id", "model_id is a required parameter when filter mode is '" + filter + "'");
    return *model;
  };
  if (filter == "all") return {"c.archived = FALSE", {}};
  if (filter == "mine") return {"c.archived = FALSE AND c.creator_id = ?", {person}};
  if (filter == "archived") return {"c.archived = TRUE", {}};
  if (filter == "bookmarked") return {"c.archived = FALSE AND c.id IN (SELECT model_id FROM bookmark WHERE model = 'card' AND person_id = ?)", {person}};
  if (filter == "database") return {"c.archived = FALSE AND c.database_id = ?", {need_model()}};
  if (filter == "table") return {"c.archived = FALSE AND c.table_id = ?", {need_model()}};
  if (filter == "using_model") return {"c.archived = FALSE AND c.source_card_id = ?", {need_model()}};
  if (filter == "using_segment") { need_model(); return {"1 = 0", {}}; }  // there are no segments
  throw bad_field("f", "value must be one of all, mine, bookmarked, database, table, archived, using_model, using_segment.");
}

json::array list_cards(Services& services, const Request& request) {
  auto rights = services.rights(request);
  auto chosen = listing(request, rights->person());
  return services.store.read([&](Connection& connection) {
    Collections collections(connection);
    json::array out;
    chosen.parameters.emplace_back(list_cap);
    connection.each(select_cards() + " WHERE " + chosen.where + " ORDER BY lower(c.name), c.id LIMIT ?", chosen.parameters, [&](const Row& row) {
      if (card_right(row, *rights) != CollectionRight::None) out.push_back(card_row_json(row, *rights, collections));
    });
    return out;
  });
}

json::object get_card(Services& services, const Request& request) {
  auto rights = services.rights(request);
  auto id = card_id(services, request);
  auto out = card_json(services, *rights, id);
  if (!request.query_flag("ignore_view")) note_view(services, rights->person(), "card", id.value);
  return out;
}

struct Ran {
  Row card;
  json::array parameters;
  bool own_targets = true;
};
Ran to_run(Services& services, const Rights& rights, const Request& request, const json::value& body) {
  auto given = parameters_from(body);
  auto id = card_id(services, request);
  return services.store.read([&](Connection& connection) {
    auto row = require_card(connection, rights, id);
    auto declared = card_parameters(array_or_empty(row, "parameters").get_array(), row.json("dataset_query"));
    auto parameters = merged_card_parameters(declared, given);
    bool own_targets = targets_are_declared(declared, parameters);
    return Ran{std::move(row), std::move(parameters), own_targets};
  });
}

Response query_card(Services& services, const Request& request, bool pivot = false) {
  auto rights = services.rights(request);
  auto body = request.json_body();
  auto ran = to_run(services, *rights, request, body);
  CardRun run{std::move(ran.parameters), json::boolean(body, "collection_preview").value_or(false) ? "collection" : "question", std::nullopt, pipeline::Format::Api, pivot, ran.own_targets};
  return run_card(services, request, rights, ran.card, std::move(run));
}

Response export_card(Services& services, const Request& request) {
  auto rights = services.rights(request);
  auto format = format_from(request.path_value("format"));
  auto ran = to_run(services, *rights, request, request.json_body());
  return run_card(services, request, rights, ran.card, {std::move(ran.parameters), "question", std::nullopt, format, false, ran.own_targets});
}

json::object query_metadata(Services& services, const Request& request) {
  auto rights = services.rights(request);
  auto row = services.store.read([&](Connection& c) { return require_card(c, *rights, card_id(c, request)); });
  UsedThings used;
  used.add(services, row.json("dataset_query"));
  // A model offers its own columns as a table.
  if (row.text("kind") == "model") used.cards.insert(row.id<CardId>("id"));
  return services.store.read([&](Connection& c) { return query_metadata_json(services, c, *rights, used.tables, used.databases, used.fields, used.cards); });
}

// ---- values of a card's filters

ParameterQuestion parameter_question(Services& services, const Rights& rights, const Request& request) {
  auto id = card_id(services, request);
  return services.store.read([&](Connection& connection) { return card_parameter_question(require_card(connection, rights, id), request.path_value("key")); });
}

// ---- series: cards that can be laid over this one

bool is_series_display(const std::string& display) {
  static const std::set<std::string> displays{"line", "area", "bar", "combo", "scalar"};
  return displays.contains(display);
}

json::array series(Services& services, const Request& request) {
  auto rights = services.rights(request);
  auto excluded = request.query_values("exclude_ids");
  auto after = request.query_integer("last_cursor");
  auto limit = std::clamp<std::int64_t>(request.query_integer("limit").value_or(50), 1, 200);
  auto name = request.query_value("query");
  return services.store.read([&](Connection& connection) {
    auto card = require_card(connection, *rights, card_id(connection, request));
    auto display = card.text("display");
    if (!is_series_display(display)) refuse("A card shown as " + display + " cannot have others laid over it; line, area, bar, combo and scalar can.");
    std::string where = display == "scalar" ? "c.display = 'scalar'" : "c.display IN ('line', 'area', 'bar', 'combo')";
    appdb::Parameters parameters{card.integer("id")};
    if (name && !name->empty()) { where += " AND lower(c.name) LIKE ? ESCAPE '\\'"; parameters.emplace_back(contains_pattern(lower_ascii(*name))); }
    if (after) { where += " AND c.id < ?"; parameters.emplace_back(*after); }
    parameters.emplace_back(list_cap);
    json::array out;
    connection.each(select_cards() + " WHERE c.archived = FALSE AND c.kind = 'question' AND c.id <> ? AND " + where + " ORDER BY c.id DESC LIMIT ?", parameters, [&](const Row& row) {
      if (static_cast<std::int64_t>(out.size()) >= limit || card_right(row, *rights) == CollectionRight::None) return;
      if (std::find(excluded.begin(), excluded.end(), std::to_string(row.integer("id"))) != excluded.end()) return;
      // A chart needs a dimension and a number; a scalar just the number.
      auto metadata = array_or_empty(row, "result_metadata");
      if (display != "scalar" && metadata.get_array().size() < 2) return;
      out.push_back(card_columns_json(row, *rights));
    });
    return out;
  });
}

// ---- where a card is used, and moving many at once

json::array dashboards_of(Connection& connection, const Rights& rights, CardId id) {
  json::array out;
  connection.each("SELECT DISTINCT d.id, d.name, d.description, d.collection_id FROM dashboard d JOIN dashcard dc ON dc.dashboard_id = d.id WHERE dc.card_id = ? AND d.archived = FALSE ORDER BY d.name, d.id",
                  {id}, [&](const Row& row) {
                    if (rights.collection(row.optional_id<CollectionId>("collection_id")) == CollectionRight::None) return;
                    out.push_back(json::object{{"id", row.integer("id")}, {"name", row.text("name")}, {"description", text_or_null(row, "description")}, {"collection_id", integer_or_null(row, "collection_id")}});
                  });
  return out;
}

struct CardList {
  std::vector<CardId> card_ids;
  Patch<json::value> collection_id;
  std::optional<DashboardId> dashboard_id;
  static constexpr auto fields() {
    return json_fields(field("card_ids", &CardList::card_ids), field("collection_id", &CardList::collection_id), field("dashboard_id", &CardList::dashboard_id));
  }
};

json::object move_many(Services& services, const Request& request, const CardList& wanted) {
  if (wanted.card_ids.size() > 10'000) throw bad_field("card_ids", "At most 10,000 cards can be moved at once.");
  auto rights = services.rights(request);
  if (wanted.dashboard_id) {
    for (auto id : wanted.card_ids) {
      CardChange change;
      change.dashboard_id.present = true;
      change.dashboard_id.value = *wanted.dashboard_id;
      change_card(services, *rights, id, change, OldDashcards::Keep);
    }
  } else {
    auto to = services.store.read([&](Connection& c) { return collection_from(c, wanted.collection_id.value.value_or(nullptr)); });
    move_cards(services, *rights, wanted.card_ids, to);
  }
  return {{"status", "ok"}};
}

}  // namespace

void add_card_routes(http::Routes& routes, Services& services) {
  routes.in_feature("card");
  add_public_link_routes(routes, services, "card");
  routes.get("/api/card", [&services](Request& r) { return list_cards(services, r); }).summary("Cards the person sees.");
  routes.get("/api/card/:id", [&services](Request& r) { return get_card(services, r); }).summary("One card, by number or entity id.");
  // Saving may look at the queried database for the columns of native SQL.
  routes.post("/api/card", [&services](Request& r, const NewCard& body) {
    auto rights = services.rights(r);
    return card_json(services, *rights, create_card(services, *rights, body));
  }).runs_on(http::Pool::Query).summary("Save a card.");
  routes.put("/api/card/:id", [&services](Request& r, const CardChange& body) {
    auto rights = services.rights(r);
    auto id = card_id(services, r);
    change_card(services, *rights, id, body, r.query_flag("delete_old_dashcards") ? OldDashcards::Delete : OldDashcards::Keep);
    return card_json(services, *rights, id);
  }).runs_on(http::Pool::Query).summary("Change, move, throw away or bring back a card.");
  routes.del("/api/card/:id", [&services](Request& r) { delete_card(services, *services.rights(r), card_id(services, r)); }).summary("Delete a card for good.");
  routes.post("/api/card/:id/copy", [&services](Request& r) {
    auto rights = services.rights(r);
    return card_json(services, *rights, copy_card(services, *rights, card_id(services, r)));
  }).summary("Copy a card beside itself.");
  routes.post("/api/card/:id/query", [&services](Request& r) { return query_card(services, r); }).summary("Run a card.");
  routes.post("/api/card/pivot/:id/query", [&services](Request& r) { return query_card(services, r, true); }).summary("Run a card with the subtotals of its pivot table.");
  routes.post("/api/card/:id/query/:format", [&services](Request& r) { return export_card(services, r); }).summary("Run a card and download the result.");
  routes.get("/api/card/:id/query_metadata", [&services](Request& r) { return query_metadata(services, r); }).summary("Tables, fields and databases a card uses.");
  add_parameter_value_routes(routes, services, "/api/card/:id", "Values a filter of the card offers.", [&services](const Rights& rights, const Request& r) { return parameter_question(services, rights, r); });
  routes.get("/api/card/:id/series", [&services](Request& r) { return series(services, r); }).summary("Cards that can be laid over this one.");
  routes.get("/api/card/:id/dashboards", [&services](Request& r) {
    auto rights = services.rights(r);
    return services.store.read([&](Connection& c) {
      auto id = card_id(c, r);
      require_card(c, *rights, id);
      return dashboards_of(c, *rights, id);
    });
  }).summary("Dashboards a card is on.");
  routes.get("/api/card/:id/timelines", [&services](Request& r) {
    auto rights = services.rights(r);
    services.store.read([&](Connection& c) { require_card(c, *rights, card_id(c, r)); });
    return json::array();  // there is no way to make a timeline yet
  });
  routes.post("/api/cards/dashboards", [&services](Request& r, const CardList& body) {
    auto rights = services.rights(r);
    return services.store.read([&](Connection& c) {
      json::array out;
      for (auto id : body.card_ids) {
        require_card(c, *rights, id);
        out.push_back(json::object{{"card_id", id.value}, {"dashboards", dashboards_of(c, *rights, id)}});
      }
      return out;
    });
  }).summary("Dashboards that several cards are on.");
  routes.post("/api/card/collections", [&services](Request& r, const CardList& body) { return move_many(services, r, body); }).summary("Move several cards to a collection.");
  routes.post("/api/cards/move", [&services](Request& r, const CardList& body) { return move_many(services, r, body); }).summary("Move several cards to a collection or a dashboard.");
}

}  // namespace basalt::features
