#include "startup/serve.h"

#include <pthread.h>
#include <signal.h>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <thread>

#include "base/version.h"
#include "features/activity/activity_api.h"
#include "features/administration/administration_api.h"
#include "features/bookmarks/bookmarks_api.h"
#include "features/cards/cards_api.h"
#include "features/collections/collections_api.h"
#include "features/content/sample_content.h"
#include "features/dashboards/dashboards_api.h"
#include "features/databases/databases_api.h"
#include "features/databases/sync.h"
#include "features/people/people_api.h"
#include "features/queries/queries_api.h"
#include "features/revisions/revisions_api.h"
#include "features/sample/sample_database.h"
#include "features/search/search_api.h"
#include "features/session_api/session_api.h"
#include "features/settings/settings_api.h"
#include "features/setup/setup_api.h"
#include "features/snippets/snippets_api.h"
#include "features/updates/updates_api.h"
#include "http/docs.h"
#include "jobs/scheduler.h"
#include "session/passwords.h"
#include "session/sessions.h"
#include "startup/open_store.h"
#include "startup/query_environment.h"
#include "startup/web_app.h"
#include "upgrade/upgrade.h"

namespace basalt::startup {
namespace {

// Blocks SIGTERM and SIGINT in this thread and all that it starts; wait() then hands them out one by one.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGUSR1);  // wakes wait() from within
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    signal(SIGPIPE, SIG_IGN);
  }
  int wait() {
    int received = 0;
    sigwait(&set_, &received);
    return received;
  }
  void wake() { kill(getpid(), SIGUSR1); }

 private:
  sigset_t set_;
};

json::value unavailable_body(const upgrade::ProgressNow& now) {
  if (now.state == "failed") return json::object{{"status", "failed"}, {"message", now.error}};
  return now.to_json();
}

// Answers while the application database is opened and migrated.
http::Response starting_answer(const http::Request& request, const upgrade::Progress& progress) {
  if (request.path == "/livez") return http::Response::text("ok");
  auto now = progress.now();
  auto wait_a_moment = [](http::Response response) { return std::move(response).with_header("Retry-After", "1"); };
  if (request.path == "/api/health" || request.path == "/readyz" || request.path.starts_with("/api")) return wait_a_moment(http::Response::json(unavailable_body(now), 503));
  if (request.path == "/metrics")
    return http::Response::text("# TYPE basalt_migration_progress gauge\nbasalt_migration_progress " + json::write(json::value(now.fraction)) + "\n");
  // One file by itself: its script and styles are inside it, and nothing a stranger wrote is.
  if (auto page = startup_page(); !page.empty())
    return wait_a_moment(http::Response::html(page, 503)
                             .with_header("Content-Security-Policy", "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"));
  return wait_a_moment(http::Response::text("Basalt is starting.", 503));
}

// Everything that lives as long as the server serves, in the order in which it is built.
struct Running {
  Running(const Config& config, const std::vector<migrations::Migration>& migrations, appdb::Store& opened, const Sealer& sealer_, WorkerPool& query_pool, WorkerPool& job_pool)
      : store(opened), sealer(sealer_),
        settings(store, config.fixed_settings, [this](const std::string& text) { return sealer.seal(text); }, [this](const std::string& text) { return sealer.open(text); }),
        permissions(store), metadata(store),
        drivers(drivers::DriverOptions{config.data_directory(), static_cast<std::size_t>(std::clamp<std::int64_t>(config.integer("duckdb-memory"), 64, 1 << 20))}),
        data_sources(store, drivers, [this](const std::string& text) { return sealer.open(text); }),
        queries(store, metadata, settings, data_sources, std::chrono::minutes(std::clamp<std::int64_t>(config.integer("query-timeout"), 1, 24 * 60))),
        sync({store, drivers, queries, sealer, metadata, system_clock()}),
        sessions(store, system_clock(), session_options(config)),
        passwords(session::PasswordRules::from(config.text("password-complexity"), config.text("password-length").empty() ? std::nullopt : std::optional<int>(static_cast<int>(config.integer("password-length"))))),
        scheduler(job_pool),
        services{store, permissions, settings, drivers, data_sources, metadata, sync, queries, sessions, passwords, scheduler, system_clock(), query_pool, sealer, migrations, config.data_directory()} {}

  session::SessionOptions session_options(const Config& config) {
    session::SessionOptions options;
    options.age = std::chrono::minutes(std::clamp<std::int64_t>(config.integer("session-age"), 1, 10 * 525'600));
    options.site_url = [this] { return settings.text("site-url"); };
    return options;
  }

  appdb::Store& store;
  const Sealer& sealer;
  features::Settings settings;
  permissions::Permissions permissions;
  features::MetadataCache metadata;
  drivers::Drivers drivers;
  features::DataSources data_sources;
  QueryEnvironment queries;
  features::SyncJobs sync;
  session::Sessions sessions;
  session::Passwords passwords;
  jobs::Scheduler scheduler;
  features::Services services;
  http::Routes routes;
};

void add_routes(http::Routes& routes, features::Services& services) {
  using namespace features;
  routes.in_feature("server");
  routes.get("/api/health", [](http::Request&) -> json::value { return json::object{{"status", "ok"}}; }).open().summary("Is the server ready?");
  add_session_routes(routes, services);
  add_setup_routes(routes, services);
  add_settings_routes(routes, services);
  add_people_routes(routes, services);
  add_administration_routes(routes, services);
  add_database_routes(routes, services);
  add_table_routes(routes, services);
  add_field_routes(routes, services);
  add_query_routes(routes, services);
  add_collection_routes(routes, services);
  add_card_routes(routes, services);
  add_dashboard_routes(routes, services);
  add_revision_routes(routes, services);
  add_search_routes(routes, services);
  add_activity_routes(routes, services);
  add_bookmark_routes(routes, services);
  add_snippet_routes(routes, services);
  add_update_routes(routes, services);
  http::add_docs_routes(routes);
}

// The very first start: the sample database and what was made on it. Runs as a job, so that the server answers meanwhile.
void make_samples(features::Services& services) {
  auto database = features::add_sample_database(services);
  if (!database) return;
  services.sync.wait(*database);
  features::add_sample_content(services, *database);
}

std::string plan_text(const upgrade::Plan& plan) {
  std::string out = "The application database has schema " + std::to_string(plan.from) + ", this version needs " + std::to_string(plan.to) + ", and automatic migration is off. Planned:\n";
  for (auto& step : plan.steps) {
    out += "  " + step.direction + " " + std::to_string(step.migration) + " " + step.name + "\n";
    for (auto& operation : step.operations) out += "      " + operation + "\n";
  }
  return out + "Run `basalt migrate up` to do it.";
}

log::Level level_of(const std::string& name) {
  if (name == "debug") return log::Level::Debug;
  if (name == "info") return log::Level::Info;
  if (name == "warning" || name == "warn") return log::Level::Warning;
  if (name == "error") return log::Level::Error;
  throw Failure(FailureKind::BadRequest, "The option log-level must be debug, info, warning or error; it is \"" + name + "\".");
}

std::string shown_address(const Config& config, std::uint16_t port) {
  auto address = config.text("address");
  if (address == "0.0.0.0" || address == "::") address = "localhost";
  if (address.find(':') != std::string::npos) address = "[" + address + "]";
  return (config.text("tls-key").empty() ? "http://" : "https://") + address + ":" + std::to_string(port);
}

}  // namespace

int serve(const Config& config, const std::vector<migrations::Migration>& migrations) {
  log::set_up(level_of(config.text("log-level")), config.text("log-format") == "json" ? log::Format::JsonLines : log::Format::Text);
  for (auto& warning : config.warnings) log::warning(warning);
  auto began = std::chrono::steady_clock::now();
  StopSignals signals;

  auto workers = static_cast<std::size_t>(std::clamp<std::int64_t>(config.integer("workers"), 1, 256));
  auto query_workers = static_cast<std::size_t>(std::clamp<std::int64_t>(config.integer("query-workers"), 1, 1024));
  WorkerPool application_pool("application", workers, 4096), query_pool("query", query_workers, 1024), hashing_pool("hashing", 2, 64), job_pool("jobs", 2, 256);

  upgrade::Progress progress;
  std::atomic<http::Server*> listening{nullptr};
  auto server = http::Server::listen(config.server_options(), {application_pool, query_pool, hashing_pool}, [&](http::Request& request) { return starting_answer(request, progress); });
  listening = server.get();
  log::info("Listening", {{"address", shown_address(config, server->port())}, {"version", version()}});

  // The rest of the start runs beside the listening server and beside the wait for a signal.
  std::unique_ptr<appdb::Store> store;
  std::unique_ptr<Sealer> sealer;
  std::unique_ptr<Running> running;
  std::atomic<int> exit_code{0};
  auto pages = [&](http::Request& request) -> http::Response {
    if (request.path == "/livez" || request.path == "/readyz") return http::Response::text("ok");
    if (request.path == "/metrics")
      return http::Response::text(features::metrics_text(server->counters(), {{"application", application_pool.busy(), application_pool.waiting()},
                                                                              {"query", query_pool.busy(), query_pool.waiting()},
                                                                              {"hashing", hashing_pool.busy(), hashing_pool.waiting()}}));
    return web_app_answer(request);
  };
  auto start = [&] {
    try {
      auto& secret = config.text("encryption-secret-key");
      sealer = std::make_unique<Sealer>(secret.empty() ? std::nullopt : std::optional(secret));
      store = open_store(config);
      upgrade::Context context{*store, migrations, config.data_directory(), &progress, sealer->check_value(), {}};
      auto status = upgrade::status(context);
      bool fresh = status.decision == upgrade::Decision::Fresh;
      if (status.decision == upgrade::Decision::Refuse) throw Failure(FailureKind::BadRequest, status.sentence);
      if (status.decision == upgrade::Decision::Upgrade && !config.flag("automigrate")) {
        std::cerr << plan_text(upgrade::plan(context)) << "\n";
        exit_code = 20;
        signals.wake();
        return;
      }
      auto outcome = upgrade::up(context);
      if (outcome.code != upgrade::nothing_to_do) log::info(outcome.sentence);
      check_encryption_key(*store, *sealer);
      running = std::make_unique<Running>(config, migrations, *store, *sealer, query_pool, job_pool);
      auto& services = running->services;
      features::prepare_setup(services, config.text("setup-token"));
      add_routes(running->routes, services);
      server->serve(running->routes, running->sessions, pages);
      progress.set([](upgrade::ProgressNow& now) { now.state = "done"; });
      auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
      log::info("Serving", {{"address", shown_address(config, server->port())}, {"schema", std::to_string(upgrade::status(context).schema)}, {"after_ms", std::to_string(took.count())}});
      using namespace std::chrono_literals;
      if (fresh && config.flag("load-sample-content")) running->scheduler.once("samples", 0ms, [&services] { make_samples(services); });
      running->scheduler.every("run statistics", 5s, 5s, [this_one = running.get()] { this_one->queries.flush(); });
      running->scheduler.every("idle connections", 60s, 60s, [this_one = running.get()] { this_one->data_sources.close_idle(); });
      running->scheduler.every("expired sessions", 10min, 60min, [this_one = running.get()] { this_one->sessions.remove_expired(); });
      running->scheduler.every("due syncs", 60s, 60s, [this_one = running.get()] { this_one->sync.start_due(); });
    } catch (const Failure& failure) {
      progress.set([&](upgrade::ProgressNow& now) { now.state = "failed"; now.error = failure.sentence(); });
      std::cerr << "basalt: " << failure.sentence() << "\n";
      exit_code = failure.kind() == FailureKind::BadRequest ? 20 : 1;
      signals.wake();
    } catch (const std::exception& error) {
      std::cerr << "basalt: the start failed: " << error.what() << "\n";
      exit_code = 1;
      signals.wake();
    }
  };
  std::thread starter(start);
  int received = signals.wait();
  if (received != SIGUSR1) log::info("Stopping", {{"drain_seconds", config.text("drain-time")}});
  // A migration that runs is crash-safe, but ending it in order is kinder: it is waited for.
  starter.join();
  if (running) running->sync.stop_all();
  server->drain();
  if (running) running->queries.flush();
  server.reset();
  running.reset();
  if (received != SIGUSR1) log::info("Stopped");
  return exit_code;
}

}  // namespace basalt::startup
