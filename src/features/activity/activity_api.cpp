#include "features/activity/activity_api.h"

#include <algorithm>

#include "features/activity/views.h"
#include "features/collections/collections.h"
#include "features/dashboards/dashboards.h"

namespace basalt::features {
namespace {

using appdb::Connection;
using appdb::Row;
using http::Request;
using http::Response;
using permissions::CollectionRight;
using permissions::DataRight;
using permissions::Rights;

constexpr std::size_t recents_shown = 50, popular_shown = 10;

struct Viewed {
  std::string model;   // card, dashboard, collection or table
  std::int64_t id = 0;
  std::string at;
};

// What the views point at, by model and id; what the person may not see, or what is gone or thrown away, is left out.
std::map<std::pair<std::string, std::int64_t>, json::object> described(Connection& connection, const Rights& rights, const std::vector<Viewed>& views) {
  std::map<std::pair<std::string, std::int64_t>, json::object> out;
  auto ids = [&](const char* model) {
    std::set<std::int64_t> found;
    for (auto& view : views) { if (view.model == model) found.insert(view.id); }
    return std::vector<std::int64_t>(found.begin(), found.end());
  };
  auto parent = [&](const Row& row) -> json::object {
    if (row.is_null("collection_id")) return {{"id", "root"}, {"name", "Our analytics"}, {"authority_level", nullptr}};
    return {{"id", row.integer("collection_id")}, {"name", text_or_null(row, "collection_name")}, {"authority_level", text_or_null(row, "authority_level")}};
  };
  auto base = [&](const Row& row, const std::string& model) {
    return json::object{{"id", row.integer("id")}, {"name", row.text("name")}, {"model", model}, {"description", text_or_null(row, "description")}, {"moderated_status", nullptr}};
  };
  if (auto wanted = ids("card"); !wanted.empty()) {
    connection.each("SELECT c.id, c.name, c.description, c.kind, c.display, c.collection_id, c.dashboard_id, d.name AS dashboard_name, k.name AS collection_name, k.authority_level FROM card c "
                    "LEFT JOIN collection k ON k.id = c.collection_id LEFT JOIN dashboard d ON d.id = c.dashboard_id WHERE c.archived = FALSE AND c.id IN (" + appdb::placeholders(wanted.size()) + ")",
                    id_parameters(wanted), [&](const Row& row) {
      auto right = rights.collection(row.optional_id<CollectionId>("collection_id"));
      if (right == CollectionRight::None) return;
      auto& kind = row.text("kind");
      auto one = base(row, kind == "model" ? "dataset" : kind == "metric" ? "metric" : "card");
      one["display"] = row.text("display");
      one["can_write"] = right == CollectionRight::Curate;
      one["parent_collection"] = parent(row);
      if (!row.is_null("dashboard_id")) one["dashboard"] = json::object{{"id", row.integer("dashboard_id")}, {"name", text_or_null(row, "dashboard_name")}};
      out[{"card", row.integer("id")}] = std::move(one);
    });
  }
  if (auto wanted = ids("dashboard"); !wanted.empty()) {
    connection.each("SELECT d.id, d.name, d.description, d.collection_id, k.name AS collection_name, k.authority_level FROM dashboard d LEFT JOIN collection k ON k.id = d.collection_id "
                    "WHERE d.archived = FALSE AND d.id IN (" + appdb::placeholders(wanted.size()) + ")", id_parameters(wanted), [&](const Row& row) {
      auto right = rights.collection(row.optional_id<CollectionId>("collection_id"));
      if (right == CollectionRight::None) return;
      auto one = base(row, "dashboard");
      one["can_write"] = right == CollectionRight::Curate;
      one["parent_collection"] = parent(row);
      out[{"dashboard", row.integer("id")}] = std::move(one);
    });
  }
  if (auto wanted = ids("collection"); !wanted.empty()) {
    Collections all(connection);
    for (auto id : wanted) {
      auto* collection = all.find(CollectionId(id));
      if (!collection || collection->archived || rights.collection(collection->id) == CollectionRight::None) continue;
      auto* above = all.visible_parent(*collection, rights);
      json::object place{{"id", "root"}, {"name", "Our analytics"}, {"authority_level", nullptr}};
      if (above) place = {{"id", above->id.value}, {"name", above->name}, {"authority_level", json::or_null(above->authority_level)}};
      out[{"collection", id}] = {{"id", id}, {"name", collection->name}, {"model", "collection"}, {"description", json::or_null(collection->description)}, {"moderated_status", nullptr},
                                 {"authority_level", json::or_null(collection->authority_level)}, {"can_write", rights.collection(collection->id) == CollectionRight::Curate}, {"parent_collection", std::move(place)}};
    }
  }
  if (auto wanted = ids("table"); !wanted.empty()) {
    connection.each("SELECT t.id, t.name, t.display_name, t.description, t.schema_name, t.database_id, db.name AS database_name, db.initial_sync_status FROM data_table t "
                    "JOIN \"database\" db ON db.id = t.database_id WHERE t.active = TRUE AND t.id IN (" + appdb::placeholders(wanted.size()) + ")", id_parameters(wanted), [&](const Row& row) {
      if (rights.table(row.id<DatabaseId>("database_id"), row.optional_text("schema_name"), row.id<TableId>("id")) == DataRight::None) return;
      auto one = base(row, "table");
      one["display_name"] = row.text("display_name");
      one["table_schema"] = text_or_null(row, "schema_name");
      one["can_write"] = rights.is_administrator();
      one["database"] = json::object{{"id", row.integer("database_id")}, {"name", row.text("database_name")}, {"initial_sync_status", row.text("initial_sync_status")}};
      out[{"table", row.integer("id")}] = std::move(one);
    });
  }
  return out;
}

std::vector<Viewed> views_of(Connection& connection, PersonId person, const std::vector<std::string>& contexts) {
  appdb::Parameters parameters{person};
  for (auto& context : contexts) parameters.emplace_back(context);
  std::vector<Viewed> views;
  std::set<std::pair<std::string, std::int64_t>> seen;
  connection.each("SELECT model, model_id, viewed_at FROM recent_view WHERE person_id = ? AND context IN (" + appdb::placeholders(contexts.size()) + ") ORDER BY viewed_at DESC, id DESC", parameters, [&](const Row& row) {
    if (seen.insert({row.text("model"), row.integer("model_id")}).second) views.push_back({row.text("model"), row.integer("model_id"), row.text("viewed_at")});
  });
  return views;
}

json::array recents(Services& services, const Request& request, const std::vector<std::string>& contexts) {
  auto rights = services.rights(request);
  return services.store.read([&](Connection& connection) {
    auto views = views_of(connection, rights->person(), contexts);
    auto things = described(connection, *rights, views);
    json::array out;
    for (auto& view : views) {
      auto found = things.find({view.model, view.id});
      if (found == things.end() || out.size() >= recents_shown) continue;
      auto one = found->second;
      one["timestamp"] = view.at;
      out.push_back(std::move(one));
    }
    return out;
  });
}

json::array popular(Services& services, const Request& request) {
  auto rights = services.rights(request);
  return services.store.read([&](Connection& connection) {
    // A few times more than shown, since some may be out of this person's sight.
    std::vector<std::pair<std::int64_t, Viewed>> most;
    for (auto [model, from] : {std::pair{"card", "card WHERE archived = FALSE AND"}, {"dashboard", "dashboard WHERE archived = FALSE AND"}, {"table", "data_table WHERE active = TRUE AND"}}) {
      connection.each(std::string("SELECT id, view_count FROM ") + from + " view_count > 0 ORDER BY view_count DESC, id LIMIT 200", {},
                      [&, model = model](const Row& row) { most.push_back({row.integer("view_count"), {model, row.integer("id"), ""}}); });
    }
    std::stable_sort(most.begin(), most.end(), [](auto& a, auto& b) { return a.first > b.first; });
    std::vector<Viewed> views;
    for (auto& [count, view] : most) views.push_back(view);
    auto things = described(connection, *rights, views);
    json::array out;
    for (auto& view : views) {
      auto found = things.find({view.model, view.id});
      if (found == things.end() || out.size() >= popular_shown) continue;
      auto one = found->second;
      one["model_id"] = view.id;
      one["model_object"] = json::object{{"id", view.id}, {"name", one["name"]}, {"description", one["description"]}};
      out.push_back(std::move(one));
    }
    return out;
  });
}

struct Selection {
  std::string model, context;
  std::int64_t model_id = 0;
  static constexpr auto fields() {
    return json_fields(field("model", &Selection::model), field("context", &Selection::context), field("model_id", &Selection::model_id, positive));
  }
};

void select_recent(Services& services, const Request& request, const Selection& wanted) {
  auto rights = services.rights(request);
  if (wanted.context != "selection" && wanted.context != "view") throw bad_field("context", "value must be selection or view.");
  auto model = wanted.model == "dataset" || wanted.model == "metric" ? std::string("card") : wanted.model;
  if (model != "card" && model != "dashboard" && model != "collection" && model != "table") throw bad_field("model", "value must be card, dataset, metric, dashboard, collection or table.");
  bool there = services.store.read([&](Connection& c) { return !described(c, *rights, {{model, wanted.model_id, ""}}).empty(); });
  if (!there) throw not_found();
  note_view(services, rights->person(), model, wanted.model_id, wanted.context);
}

std::vector<std::string> contexts_of(const Request& request) {
  std::vector<std::string> out;
  for (auto& context : request.query_values("context")) {
    if (context == "views") out.push_back("view");
    else if (context == "selections") out.push_back("selection");
    else throw bad_field("context", "value must be views or selections.");
  }
  if (out.empty()) throw bad_field("context", "value must be views or selections.");
  return out;
}

}  // namespace

void add_activity_routes(http::Routes& routes, Services& services) {
  routes.in_feature("activity");
  routes.get("/api/activity/recents", [&services](Request& r) { return json::object{{"recents", recents(services, r, contexts_of(r))}}; }).summary("What the person looked at or picked last.");
  routes.post("/api/activity/recents", [&services](Request& r, const Selection& body) { select_recent(services, r, body); }).summary("Note that something was picked.");
  routes.get("/api/activity/recent_views", [&services](Request& r) {
    auto list = recents(services, r, {"view"});
    for (auto& one : list) one.get_object()["model_id"] = one.get_object()["id"];
    return json::object{{"recent_views", std::move(list)}};
  }).summary("Deprecated: what the person looked at last.");
  routes.get("/api/activity/popular_items", [&services](Request& r) { return json::object{{"popular_items", popular(services, r)}}; }).summary("What everybody looks at most.");
  routes.get("/api/activity/most_recently_viewed_dashboard", [&services](Request& r) {
    auto rights = services.rights(r);
    auto id = services.store.read([&](Connection& c) -> std::optional<DashboardId> {
      auto views = views_of(c, rights->person(), {"view"});
      auto things = described(c, *rights, views);
      for (auto& view : views) {
        if (view.model == "dashboard" && things.contains({view.model, view.id})) return DashboardId(view.id);
      }
      return std::nullopt;
    });
    if (!id) return Response::no_content();
    return Response::json(dashboard_json(services, *rights, *id));
  }).summary("The dashboard the person looked at last; 204 when there is none.");
}

}  // namespace basalt::features
