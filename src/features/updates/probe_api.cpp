#include "features/updates/probe_api.h"

#include <unistd.h>

#include <condition_variable>
#include <fstream>
#include <set>
#include <thread>

#include "base/crypto.h"
#include "base/failure.h"
#include "base/log.h"
#include "base/version.h"
#include "features/dashboards/dashboards.h"
#include "features/queries/data_sources.h"
#include "session/sessions.h"

namespace basalt::features {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::int64_t most_cards = 20, most_dashboards = 10, most_asked = 200;

// Asks what runs to stop when its time is over.
class Deadline {
 public:
  explicit Deadline(Steady::time_point until)
      : thread_([this, until](std::stop_token over) {
          std::mutex mutex;
          std::condition_variable_any changed;
          std::unique_lock lock(mutex);
          changed.wait_until(lock, over, until, [] { return false; });
          if (!over.stop_requested()) {
            passed_ = true;
            stop_.request_stop();
          }
        }) {}
  std::stop_token token() const { return stop_.get_token(); }
  bool passed() const { return passed_; }

 private:
  std::stop_source stop_;
  std::atomic<bool> passed_{false};
  std::jthread thread_;
};

class Kept final : public http::ResponseStream {
 public:
  void start(int, std::vector<std::pair<std::string, std::string>>) override {}
  void write(std::string_view bytes) override {
    if (body.size() + bytes.size() > (64u << 20)) throw Failure(FailureKind::TooLarge, "The result is larger than 64 MB.");
    body.append(bytes);
  }
  std::string body;
};

std::int64_t resident_bytes() {
  std::int64_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

std::int64_t since(Steady::time_point then) { return std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - then).count(); }

struct Probe {
  const http::Routes& routes;
  Services& services;
  const ProbeOptions& options;
  std::shared_ptr<const http::Caller> administrator;
  Steady::time_point end;

  // Runs `look`; what it throws is the answer's error.
  json::object looked(std::int64_t id, const std::function<void(json::object&, std::stop_token)>& look) {
    json::object out{{"id", id}, {"ok", false}};
    auto began = Steady::now();
    std::string error;
    if (began >= end) {
      error = "There was no time left for it.";
    } else {
      Deadline deadline(std::min(end, began + options.each));
      try {
        look(out, deadline.token());
        out["ok"] = true;
      } catch (const Failure& failure) {
        error = deadline.passed() ? "It took longer than " + std::to_string(since(began)) + " ms." : failure.sentence();
      } catch (const std::exception& problem) {
        error = "Something went wrong that should not.";
        log::warning("The probe met a fault", {{"details", problem.what()}});
      }
    }
    out["ms"] = since(began);
    out["error"] = error.empty() ? json::value(nullptr) : json::value(error);
    return out;
  }

  json::object dashboard(std::int64_t id) {
    return looked(id, [&](json::object&, std::stop_token) {
      auto rights = services.permissions.of(*administrator);
      dashboard_json(services, *rights, DashboardId(id));
    });
  }

  // By the very handler that people's queries take.
  json::object card(std::int64_t id) {
    return looked(id, [&](json::object& out, std::stop_token stop) {
      auto query = services.store.read([&](appdb::Connection& c) { return c.query_one("SELECT dataset_query FROM card WHERE id = ?", {id}); });
      if (!query) throw Failure(FailureKind::NotFound, "It is not there any more.");
      auto found = routes.match(http::Method::Post, "/api/dataset");
      if (!found.route) throw Failure(FailureKind::Bug, "There is no way to run a query.");
      http::Request request;
      request.method = http::Method::Post;
      request.path = "/api/dataset";
      request.body = json::write(query->json("dataset_query"));
      request.headers.emplace_back("content-type", "application/json");
      request.caller_or_none = administrator;
      request.gone = stop;
      auto response = found.route->handler(request);
      Kept kept;
      if (response.producer) response.producer(kept);
      else kept.body = std::move(response.body);
      auto answer = json::try_parse(kept.body);
      if (!answer || json::text(*answer, "status") != "completed") throw Failure(FailureKind::Database, answer ? json::text(*answer, "error").value_or("The query failed.") : "The query gave no answer.");
      out["fingerprint"] = result_fingerprint(*answer);
      out["rows"] = json::or_null(json::integer(*answer, "row_count"));
    });
  }

  json::object data_source(std::int64_t id) {
    return looked(id, [&](json::object&, std::stop_token stop) { services.data_sources.lease(DatabaseId(id), stop); });
  }

  json::object sign_in() {
    std::string error;
    try {
      if (!administrator) throw Failure(FailureKind::NotFound, "Nobody is set up yet.");
      http::Request request;
      request.method = http::Method::Get;
      request.path = "/api/user/current";
      request.remote_address = "127.0.0.1";
      auto made = services.sessions.create(administrator->person, request);
      request.headers.emplace_back("x-metabase-session", made.key);
      auto who = services.sessions.authenticate(request);
      services.sessions.end(request);
      if (!who || who->person != administrator->person) error = "A session that was made is not known.";
    } catch (const Failure& failure) {
      error = failure.sentence();
    }
    return {{"ok", error.empty()}, {"error", error.empty() ? json::value(nullptr) : json::value(error)}};
  }
};

std::shared_ptr<const http::Caller> some_administrator(Services& services) {
  return services.store.read([&](appdb::Connection& c) -> std::shared_ptr<const http::Caller> {
    auto row = c.query_one("SELECT id, email, first_name, last_name FROM person WHERE is_administrator = ? AND is_active = ? AND kind = 'personal' ORDER BY id LIMIT 1", {true, true});
    if (!row) return nullptr;
    auto out = std::make_shared<http::Caller>();
    out->person = row->id<PersonId>("id");
    out->email = row->text("email");
    out->is_administrator = true;
    out->groups = session::groups_of(c, out->person);
    return out;
  });
}

std::vector<std::int64_t> chosen(Services& services, const std::string& sql, std::int64_t most) {
  std::vector<std::int64_t> out;
  services.store.read([&](appdb::Connection& c) { c.each(sql + " LIMIT " + std::to_string(most), {}, [&](const appdb::Row& row) { out.push_back(row.integer("id")); }); });
  return out;
}

json::object probe(const http::Routes& routes, Services& services, const ProbeOptions& options, const http::Request& request) {
  auto body = request.json_body();
  auto ids = [&](const char* key) -> std::optional<std::vector<std::int64_t>> {
    auto* list = json::sub_array(body, key);
    if (!list) return std::nullopt;
    std::vector<std::int64_t> out;
    for (auto& one : *list)
      if (auto id = json::as_integer(one); id && static_cast<std::int64_t>(out.size()) < most_asked) out.push_back(*id);
    return out;
  };
  auto* most = json::sub_object(body, "most");
  auto at_most = [&](const char* key, std::int64_t otherwise) {
    auto wanted = most ? json::integer(*most, key) : std::nullopt;
    return std::clamp<std::int64_t>(wanted.value_or(otherwise), 0, most_asked);
  };
  auto dashboards = ids("dashboards"), cards = ids("cards"), sources = ids("data_sources");
  bool asked = dashboards && cards && sources;
  Probe one{routes, services, options, some_administrator(services), Steady::now() + (asked ? options.all_asked : options.all)};
  json::object out{{"format", 1}, {"version", version()}, {"schema", services.store.marks().schema}};
  // What people use comes first; the order is total, so that two looks choose the same.
  bool counters_only = json::boolean(body, "only_counters").value_or(false);
  if (counters_only) dashboards = cards = sources = std::vector<std::int64_t>();
  if (!dashboards) dashboards = chosen(services, "SELECT id FROM dashboard WHERE NOT archived ORDER BY view_count DESC, id", at_most("dashboards", most_dashboards));
  if (!cards) cards = chosen(services, "SELECT id FROM card WHERE NOT archived ORDER BY view_count DESC, id", at_most("cards", most_cards));
  if (!sources) sources = chosen(services, "SELECT id FROM \"database\" ORDER BY id", most_asked);
  if (!counters_only) out["sign_in"] = one.sign_in();
  json::array list;
  if (one.administrator) for (auto id : *dashboards) list.push_back(one.dashboard(id));
  out["dashboards"] = std::exchange(list, {});
  if (one.administrator) for (auto id : *cards) list.push_back(one.card(id));
  out["cards"] = std::exchange(list, {});
  for (auto id : *sources) list.push_back(one.data_source(id));
  out["data_sources"] = std::move(list);
  auto counters = options.counters ? options.counters() : http::ServerCounters{};
  out["requests"] = json::object{{"count", counters.requests}, {"failures", counters.failures}, {"p95_ms", counters.p95_ms}};
  out["memory_bytes"] = resident_bytes();
  out["backup"] = nullptr;
  if (options.context && !counters_only) {
    auto context = options.context();
    for (auto& info : upgrade::backup_list(context)) {
      if (info.verified_at.empty()) continue;
      out["backup"] = json::object{{"schema", info.schema}, {"verified_at", info.verified_at}};
      break;
    }
  }
  return out;
}

}  // namespace

void add_probe_routes(http::Routes& routes, Services& services, ProbeOptions options) {
  auto kept = std::make_shared<const ProbeOptions>(std::move(options));
  routes.post("/api/updates/probe", [&routes, &services, kept](http::Request& request) -> http::Response {
    auto token = request.header("x-basalt-probe");
    if (kept->token.empty() || !token || !equal_in_constant_time(*token, kept->token)) return http::Response::text("API endpoint does not exist.", 404);
    return http::Response::json(probe(routes, services, *kept, request));
  }).open().runs_on(http::Pool::Query).body_up_to(256 << 10).summary("For the launcher: does what people use work, and give what it gave?");
}

}  // namespace basalt::features
