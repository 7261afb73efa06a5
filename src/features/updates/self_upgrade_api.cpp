#include "features/updates/self_upgrade_api.h"

#include "base/failure.h"
#include "base/log.h"
#include "base/time.h"
#include "base/version.h"
#include "launch/control.h"
#include "release/version.h"

namespace basalt::features {
namespace {

struct Wanted {
  std::optional<std::string> version;
  std::optional<bool> now;
  static constexpr auto fields() { return json_fields(field("version", &Wanted::version), field("now", &Wanted::now)); }
};

struct Hold {
  std::optional<std::string> until, why;
  static constexpr auto fields() { return json_fields(field("until", &Hold::until), field("why", &Hold::why)); }
};

constexpr std::chrono::seconds patience{10};

}  // namespace

void add_self_upgrade_routes(http::Routes& routes, Services&, SelfUpgradeOptions given) {
  auto options = std::make_shared<const SelfUpgradeOptions>(std::move(given));
  auto ask = [options](const http::Request& request, json::object command) -> http::Response {
    if (options->launcher_socket.empty()) throw Failure(FailureKind::Conflict, options->otherwise);
    log::info("The launcher is asked", {{"do", json::text(command, "do").value_or("")}, {"by", request.caller().email}});
    command["by"] = request.caller().common_name();
    auto answer = launch::ask_launcher(options->launcher_socket, command, {}, patience);
    return http::Response::json(json::object{{"message", json::text(answer, "message").value_or("")}}, 202);
  };
  // They wait for another process, not for the application database.
  auto pool = http::Pool::Query;

  routes.get("/api/updates/self", [options](http::Request&) -> json::value {
    json::object out{{"launcher", false}, {"version", version()}, {"current_version", version()}, {"how", options->otherwise}};
    if (options->launcher_socket.empty()) return out;
    auto answer = launch::ask_launcher(options->launcher_socket, {{"do", "status"}}, {}, patience);
    for (auto* inner : {"ok", "launcher", "children", "instance", "serving", "swap", "last_swap", "last_end"}) answer.erase(inner);
    answer["launcher"] = true;
    answer["how"] = nullptr;
    answer["version"] = answer["current_version"];
    if (auto* agent = json::sub_object(answer, "agent")) answer["policy"] = json::or_null(json::text(*agent, "policy"));
    auto* seen = json::find(answer, "newest_seen");
    auto part = [&](const char* key) { auto* found = seen ? json::find(*seen, key) : nullptr; return found ? *found : json::value(nullptr); };
    auto available = part("newest"), due = part("due");
    // What was seen before the version that serves took over is no news any more.
    auto serves = json::text(answer, "current_version").value_or("");
    if (auto newest = json::text(available, "version"); newest && !release::is_newer(*newest, serves)) available = due = nullptr;
    answer["available"] = std::move(available);
    answer["due"] = std::move(due);
    return answer;
  }).administrator().runs_on(pool).summary("Versions on this host, the trial of a new one, holds.");

  routes.post("/api/updates/self/apply", [ask](http::Request& request, const Wanted& wanted) {
    return ask(request, {{"do", "apply"}, {"version", wanted.version.value_or("")}, {"anyway", wanted.now.value_or(false)}});
  }).administrator().runs_on(pool).summary("Fetch a version, or the newest, and put it on trial; /api/updates/self tells how it goes.");
  routes.post("/api/updates/self/rollback", [ask](http::Request& request) { return ask(request, {{"do", "roll-back"}}); }).administrator().runs_on(pool).summary("Go back to the version before.");
  routes.post("/api/updates/self/hold", [ask](http::Request& request, const Hold& hold) {
    auto until = hold.until.value_or("");
    if (!until.empty() && !parse_timestamp(until)) throw Failure(FailureKind::BadRequest, "\"" + until.substr(0, 100) + "\" is no time; a time is like 2026-12-24 or 2026-12-24T18:00Z.");
    return ask(request, {{"do", "hold"}, {"until", until}, {"why", hold.why.value_or("")}});
  }).administrator().runs_on(pool).summary("No upgrades until then, or until it is lifted.");
  routes.post("/api/updates/self/unhold", [ask](http::Request& request) { return ask(request, {{"do", "unhold"}}); }).administrator().runs_on(pool).summary("Upgrades again.");
  routes.post("/api/updates/self/look", [ask](http::Request& request) { return ask(request, {{"do", "look"}}); }).administrator().runs_on(pool).summary("Look for new releases now.");
}

}  // namespace basalt::features
