#include "features/updates/updates_api.h"

#include "base/version.h"
#include "upgrade/upgrade.h"

namespace basalt::features {
namespace {

upgrade::Context context_of(Services& services) {
  return {services.store, services.migrations, services.data_directory, nullptr, services.sealer.check_value(), {}};
}

}  // namespace

void add_update_routes(http::Routes& routes, Services& services) {
  routes.in_feature("updates");

  routes.get("/api/basalt/updates", [&services](http::Request&) -> json::value {
    auto context = context_of(services);
    auto status = upgrade::status(context);
    auto plan = upgrade::plan(context);
    json::array backups;
    for (auto& backup : upgrade::backup_list(context)) backups.push_back(backup.to_json());
    auto planned = plan.steps.empty() ? json::value(nullptr) : json::value(plan.to_json());
    return json::object{{"version", version()}, {"schema", status.schema}, {"compat_floor", status.compat_floor},
                        {"engine", status.engine == appdb::Engine::Sqlite ? "sqlite" : "postgres"}, {"instance_id", status.instance_id}, {"sentence", status.sentence},
                        {"history", status.history}, {"backups", std::move(backups)}, {"parked", status.parked}, {"plan", std::move(planned)}, {"progress", nullptr}};
  }).administrator().summary("Version, schema, history, backups and parked values.");

  routes.post("/api/basalt/backup", [&services](http::Request& request) -> json::value {
    auto context = context_of(services);
    auto reason = json::text(request.json_body(), "reason").value_or("asked for on the Updates page");
    return upgrade::backup_create(context, "manual", reason.substr(0, 200)).to_json();
  }).administrator().runs_on(http::Pool::Query).summary("Make a backup and verify it.");

  routes.post("/api/basalt/backup/verify", [&services](http::Request& request) -> json::value {
    auto context = context_of(services);
    auto id = json::text(request.json_body(), "id");
    // By id, not by path: no file outside the list is ever opened.
    for (auto& backup : upgrade::backup_list(context)) {
      if (backup.id == id) return upgrade::backup_verify(context, backup.path).to_json();
    }
    throw not_found();
  }).administrator().runs_on(http::Pool::Query).summary("Verify a backup of the list.");

  routes.get("/api/basalt/parked", [&services](http::Request&) -> json::value {
    auto context = context_of(services);
    json::array out;
    for (auto& value : upgrade::parked_list(context)) out.push_back(value.to_json());
    return out;
  }).administrator().summary("Values that an older schema could not hold.");
  routes.post("/api/basalt/parked/:id/take", [&services](http::Request& request) -> json::value {
    auto context = context_of(services);
    return upgrade::parked_take(context, request.path_integer("id")).to_json();
  }).administrator().summary("Write a parked value over what is there now.");
}

}  // namespace basalt::features
