// /api/permissions/graph… and /api/collection/graph.
#include "features/people/people.h"
#include "permissions/graphs.h"

namespace basalt::features {
namespace {

permissions::Graphs graphs(Services& services) { return {services.store, services.permissions, services.clock}; }

permissions::GraphChange change_in(const http::Request& request) {
  return {.graph = request.json_body(), .by = request.caller().person, .force = request.query_flag("force"), .skip_graph = request.query_flag("skip-graph")};
}

std::optional<std::string> name_space(const http::Request& request) {
  auto value = request.query_value("namespace");
  return value && !value->empty() ? value : std::nullopt;
}

}  // namespace

void add_permission_graph_routes(http::Routes& routes, Services& services) {
  routes.get("/api/permissions/graph", [&services](http::Request&) { return json::value(graphs(services).data()); })
      .administrator().summary("Which group may query which data.");
  routes.get("/api/permissions/graph/db/:db-id", [&services](http::Request& request) { return json::value(graphs(services).data({}, request.path_id<DatabaseId>("db-id"))); })
      .administrator().summary("The same for one database.");
  routes.get("/api/permissions/graph/group/:group-id", [&services](http::Request& request) { return json::value(graphs(services).data(request.path_id<GroupId>("group-id"))); })
      .administrator().summary("The same for one group.");
  routes.put("/api/permissions/graph", [&services](http::Request& request) { return json::value(graphs(services).change_data(change_in(request))); })
      .administrator().summary("Change who may query what; the revision must be the current one.");
  routes.get("/api/collection/graph", [&services](http::Request& request) { return json::value(graphs(services).collections(name_space(request))); })
      .administrator().summary("Which group may see or curate which collection.");
  routes.put("/api/collection/graph", [&services](http::Request& request) { return json::value(graphs(services).change_collections(change_in(request), name_space(request))); })
      .administrator().summary("Change who may see or curate collections; the revision must be the current one.");
}

}  // namespace basalt::features
