#include "features/revisions/revisions_api.h"

#include "features/dashboards/dashboards.h"
#include "features/revisions/revisions.h"

namespace basalt::features {
namespace {

using appdb::Connection;
using http::Request;

struct Reversion {
  std::string entity;
  std::int64_t id = 0;
  RevisionId revision_id;
  static constexpr auto fields() {
    return json_fields(field("entity", &Reversion::entity), field("id", &Reversion::id, positive), field("revision_id", &Reversion::revision_id));
  }
};

void check_entity(const std::string& entity) {
  if (entity != "card" && entity != "dashboard") throw bad_field("entity", "value must be card or dashboard.");
}

json::array list(Services& services, const Request& request, const std::string& entity, std::int64_t id) {
  check_entity(entity);
  auto rights = services.rights(request);
  return services.store.read([&](Connection& connection) {
    if (entity == "card") require_card(connection, *rights, CardId(id));
    else require_dashboard(connection, *rights, DashboardId(id));
    return revisions_json(connection, entity, id);
  });
}

json::object revert(Services& services, const Request& request, const Reversion& wanted) {
  check_entity(wanted.entity);
  auto rights = services.rights(request);
  if (wanted.entity == "card") revert_card(services, *rights, CardId(wanted.id), wanted.revision_id);
  else services.store.write([&](Connection& c) { revert_dashboard(c, *rights, DashboardId(wanted.id), wanted.revision_id, services.clock.now()); });
  return services.store.read([&](Connection& c) { return revisions_json(c, wanted.entity, wanted.id).at(0).as_object(); });
}

}  // namespace

void add_revision_routes(http::Routes& routes, Services& services) {
  routes.in_feature("revision");
  routes.get("/api/revision", [&services](Request& r) {
    auto entity = r.query_value("entity");
    auto id = r.query_integer("id");
    if (!entity) throw bad_field("entity", "value must be card or dashboard.");
    if (!id || *id <= 0) throw bad_field("id", "value must be an integer greater than zero.");
    return list(services, r, *entity, *id);
  }).summary("The history of a card or dashboard, newest first.");
  routes.get("/api/revision/:entity/:id", [&services](Request& r) { return list(services, r, r.path_value("entity"), r.path_integer("id")); }).summary("The same by path.");
  routes.post("/api/revision/revert", [&services](Request& r, const Reversion& body) { return revert(services, r, body); })
      .runs_on(http::Pool::Query).summary("Go back to an earlier state; that becomes the newest revision.");
}

}  // namespace basalt::features
