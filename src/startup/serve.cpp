#include "startup/serve.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iostream>
#include <sstream>
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
#include "features/segments/segments_api.h"
#include "features/snippets/snippets_api.h"
#include "features/updates/release_feed.h"
#include "features/updates/updates_api.h"
#include "http/docs.h"
#include "jobs/scheduler.h"
#include "launch/listen_fd.h"
#include "session/passwords.h"
#include "session/sessions.h"
#include "startup/container.h"
#include "startup/found_metabase.h"
#include "startup/notify.h"
#include "startup/open_store.h"
#include "startup/query_environment.h"
#include "startup/release_options.h"
#include "startup/serving_node.h"
#include "startup/web_app.h"
#include "upgrade/backup_schedule.h"
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
    // What was sent to the process before it started itself anew, and waits still, was not meant for this one.
    sigset_t own;
    sigemptyset(&own);
    sigaddset(&own, SIGUSR1);
    timespec at_once{};
    while (sigtimedwait(&own, nullptr, &at_once) > 0) {}
    signal(SIGPIPE, SIG_IGN);
  }
  int wait() {
    int received = 0;
    sigwait(&set_, &received);
    return received;
  }
  void wake() { kill(getpid(), SIGUSR1); }
  void stop() { kill(getpid(), SIGTERM); }

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

// Answers in the place of everything else while this node may not serve.
class HeldBack {
 public:
  explicit HeldBack(std::atomic<http::Server*>& server) : server_(server) {}

  bool is_on() {
    std::lock_guard lock(mutex_);
    return why_.has_value();
  }
  // Absent: serve again.
  void because_of(const std::optional<Failure>& why) {
    auto* server = server_.load();
    {
      std::lock_guard lock(mutex_);
      if (why_.has_value() == why.has_value()) return;
      if (why) log::error("This node serves no more", {{"why", why->sentence()}});
      why_ = why;
    }
    if (server) server->serve_instead(why ? &handler_ : nullptr);
  }

 private:
  http::Response answer(const http::Request& request) {
    if (request.path == "/livez") return http::Response::text("ok");
    std::optional<Failure> why;
    {
      std::lock_guard lock(mutex_);
      why = why_;
    }
    if (!why) return http::Response::text("Try again.", 503).with_header("Retry-After", "1");
    bool for_machines = request.path.starts_with("/api") || request.path == "/readyz";
    auto response = for_machines ? http::Response::json(json::object{{"status", why->error_type()}, {"message", why->sentence()}}, 503) : http::Response::text(why->sentence(), 503);
    return std::move(response).with_header("Retry-After", "5");
  }

  std::atomic<http::Server*>& server_;
  std::mutex mutex_;
  std::optional<Failure> why_;  // GUARDED_BY(mutex_)
  const http::Handler handler_ = [this](http::Request& request) { return answer(request); };
};

// The command line of this process, to start it again.
std::vector<std::string> own_command_line() {
  std::ifstream in("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(in, word, '\0');) words.push_back(word);
  return words;
}

[[noreturn]] void start_anew(std::vector<std::string> words, const launch::Inherited& inherited, bool went) {
  inherited.put_back(went);
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  log::info("Starting anew");
  ::execv("/proc/self/exe", arguments.data());
  log::error("The process could not start itself anew; start it again", {{"why", std::strerror(errno)}});
  ::_exit(1);
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

void add_routes(http::Routes& routes, features::Services& services, features::UpdateOptions updates) {
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
  add_segment_routes(routes, services);
  add_update_routes(routes, services, std::move(updates));
  http::add_docs_routes(routes);
}

// The very first start: the sample database and what was made on it. Runs as a job, so that the server answers meanwhile.
void make_samples(features::Services& services) {
  auto database = features::add_sample_database(services);
  if (!database) return;
  services.sync.wait(*database);
  features::add_sample_content(services, *database);
}

std::string shown_address(const Config& config, std::uint16_t port) {
  auto address = config.text("address");
  if (address == "0.0.0.0" || address == "::") address = "localhost";
  if (address.find(':') != std::string::npos) address = "[" + address + "]";
  return (config.text("tls-key").empty() ? "http://" : "https://") + address + ":" + std::to_string(port);
}

}  // namespace

int serve(const Config& config, const std::vector<migrations::Migration>& migrations) {
  set_up_log(config);
  for (auto& warning : config.warnings) log::warning(warning);
  auto began = std::chrono::steady_clock::now();
  auto inherited = launch::Inherited::take();
  ::prctl(PR_SET_NAME, "basalt");  // executed as an open file it would be called after its number
  StopSignals signals;

  auto workers = static_cast<std::size_t>(std::clamp<std::int64_t>(config.integer("workers"), 1, 256));
  auto query_workers = static_cast<std::size_t>(std::clamp<std::int64_t>(config.integer("query-workers"), 1, 1024));
  WorkerPool application_pool("application", workers, 4096), query_pool("query", query_workers, 1024), hashing_pool("hashing", 2, 64), job_pool("jobs", 2, 256);

  WorkerPool node_pool("node", 1, 16);  // its own: a heartbeat waits for no job
  upgrade::Progress progress;
  ServiceNotifier notifier(progress);
  std::atomic<http::Server*> listening{nullptr};
  std::unique_ptr<http::Server> server;
  // A balancer that only notices closed ports would send people to a node that is starting.
  bool listen_early = config.flag("listen-early");
  auto listen = [&] {
    auto options = config.server_options();
    options.inherited_socket = inherited.public_socket;
    options.inherited_alone = inherited.is_own;
    options.private_socket = inherited.probe_socket;
    options.wait_for_begin = inherited.public_socket >= 0 && (inherited.held_back || !listen_early);
    server = http::Server::listen(std::move(options), {application_pool, query_pool, hashing_pool}, [&](http::Request& request) { return starting_answer(request, progress); });
    listening = server.get();
    log::info("Listening", {{"address", shown_address(config, server->port())}, {"version", version()}});
  };
  bool listens = listen_early || inherited.public_socket >= 0;
  if (listens) listen();

  // The rest of the start runs beside the listening server and beside the wait for a signal.
  HeldBack held_back(listening);
  std::unique_ptr<appdb::Store> store;
  std::unique_ptr<ServingNode> node;
  std::unique_ptr<Sealer> sealer;
  std::unique_ptr<Running> running;
  std::atomic<int> exit_code{0};
  std::atomic<bool> again{false};
  auto restart = [&] {
    if (!again.exchange(true)) signals.wake();
  };
  auto pages = [&](http::Request& request) -> http::Response {
    if (request.path == "/livez") return http::Response::text("ok");
    if (request.path == "/readyz") return server->draining() ? http::Response::text("stopping", 503) : http::Response::text("ok");
    if (request.path == "/metrics")
      return http::Response::text(features::metrics_text(server->counters(), {{"application", application_pool.busy(), application_pool.waiting()},
                                                                              {"query", query_pool.busy(), query_pool.waiting()},
                                                                              {"hashing", hashing_pool.busy(), hashing_pool.waiting()}}));
    return web_app_answer(request);
  };
  // What only the start knows of a run on the application database.
  auto complete = [&](upgrade::Context& context) {
    context.key_check = sealer->check_value();
    context.backup_passphrase = config.text("backup-passphrase");
    context.backup_keep = static_cast<std::size_t>(std::clamp<std::int64_t>(config.integer("backup-keep"), 1, 1000));
    context.bake_time = std::chrono::minutes(std::clamp<std::int64_t>(config.integer("bake-time"), 0, 365 * 24 * 60));
    if (node) context.node_id = node->id();
  };
  auto context_with = [&](upgrade::Progress* shown) {
    upgrade::Context context{.store = *store, .migrations = migrations, .data_dir = config.data_directory(), .progress = shown, .key_check = {}, .hook = {}};
    complete(context);
    return context;
  };
  int target = migrations.empty() ? 0 : migrations.back().number;
  auto may_serve = [&](const std::optional<Failure>& why) {
    // Restored data: all that is in memory is of another past. A node that was held back and may serve again knows as little.
    if (why ? why->error_type() == "restored" : held_back.is_on()) restart();
    held_back.because_of(why);
  };
  auto start = [&] {
    try {
      auto& secret = config.text("encryption-secret-key");
      sealer = std::make_unique<Sealer>(secret.empty() ? std::nullopt : std::optional(secret));
      upgrade::BackupSchedule(config.text("backup-schedule"));  // a mistake in it is told now, not at night
      store = open_store(config);
      auto name = config.text("node-name");
      if (name.empty()) name = usual_node_name(server ? server->port() : static_cast<std::uint16_t>(config.integer("port")));
      if (inherited.number > 1) name += "/" + std::to_string(inherited.number);  // beside another one of the same launcher
      node = std::make_unique<ServingNode>(*store, node_pool, name, target, may_serve);
      auto context = context_with(&progress);
      upgrade::clean_left_overs(context);
      auto status = upgrade::status(context);
      bool fresh = status.decision == upgrade::Decision::Fresh;
      if (status.decision == upgrade::Decision::Refuse) throw Failure(FailureKind::BadRequest, status.sentence);
      if (status.decision == upgrade::Decision::Upgrade && !config.flag("automigrate")) {
        std::cerr << "basalt: the data is older than this version, and automatic migration is off.\n\n" << upgrade::plan_text(upgrade::plan(context), "basalt migrate up");
        exit_code = 20;
        signals.wake();
        return;
      }
      if (fresh)
        if (auto metabase = found_metabase(config))
          log::warning("A Metabase was found where Basalt makes its own data now; nothing of it is touched, and this version does not take it over yet (`basalt upgrade plan` tells more)", {{"where", metabase->where}, {"which", metabase->judgement.sentence}});
      if (!fresh) node->join();  // before the change: whoever looks for older nodes must see this one
      auto outcome = upgrade::up(context);
      if (outcome.code != upgrade::nothing_to_do) log::info(outcome.sentence);
      check_encryption_key(*store, *sealer);
      store->serve_as(target);
      if (fresh) node->join();
      running = std::make_unique<Running>(config, migrations, *store, *sealer, query_pool, job_pool);
      auto& services = running->services;
      features::prepare_setup(services, config.text("setup-token"));
      features::UpdateOptions updates;
      updates.backup_schedule = config.text("backup-schedule");
      updates.backup_keep = config.integer("backup-keep");
      updates.backups_encrypted = !config.text("backup-passphrase").empty();
      updates.bake_minutes = config.integer("bake-time");
      updates.restart = restart;
      if (auto lost = network_disk_warning(config.data_directory()); !lost.empty() && store->engine() == appdb::Engine::Sqlite) {
        log::warning(lost);
        updates.warnings.push_back(std::move(lost));
      }
      if (auto lost = container_warning(config.data_directory()); !lost.empty()) {
        log::warning(lost);
        updates.warnings.push_back(std::move(lost));
      }
      features::ReleaseFeed::Options feed_options;
      feed_options.source = config.text("release-feed");
      feed_options.air_gapped = config.flag("air-gapped");
      feed_options.current = version();
      feed_options.trust = release_trust(config);
      feed_options.ca_file = config.text("release-ca-file");
      try {
        feed_options.root = release_root(config);
      } catch (const Failure& failure) {  // no reason not to serve
        log::warning(failure.sentence());
        updates.warnings.push_back(failure.sentence());
      }
      auto feed = std::make_shared<features::ReleaseFeed>(std::move(feed_options));
      updates.release = [feed](bool now) {
        if (now) feed->refresh();
        return feed->latest();
      };
      updates.complete = complete;
      updates.probe.token = inherited.probe_token;
      updates.probe.counters = [&server] { return server->counters(); };
      updates.probe.context = [&context_with] { return context_with(nullptr); };
      updates.self.launcher_socket = inherited.launcher_socket;
      updates.self.otherwise = "This server was not started by `basalt launch`, so it cannot exchange itself: put the new package, image or program in its place and start it again; it migrates by itself, after a verified backup.";
      add_routes(running->routes, services, std::move(updates));
      if (!listens) listen();
      server->serve(running->routes, running->sessions, pages);
      if (!inherited.held_back) server->begin();
      progress.set([](upgrade::ProgressNow& now) { now.state = "done"; });
      notifier.ready();
      auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
      log::info("Serving", {{"address", shown_address(config, server->port())}, {"schema", std::to_string(store->marks().schema)}, {"after_ms", std::to_string(took.count())}});
      using namespace std::chrono_literals;
      auto& scheduler = running->scheduler;
      auto* this_one = running.get();
      if (fresh && config.flag("load-sample-content")) scheduler.once("samples", 0ms, [&services] { make_samples(services); });
      // On every node: what is in its own memory.
      scheduler.every("run statistics", 5s, 5s, [this_one] { this_one->queries.flush(); });
      if (!feed->is_off()) scheduler.every("release feed", 1s, 6h, [feed] { feed->refresh(); });
      scheduler.every("idle connections", 60s, 60s, [this_one] { this_one->data_sources.close_idle(); });
      if (!config.flag("scheduled-jobs")) return;
      // On one node of all: what is in the data.
      node->every(scheduler, "expired sessions", 10min, 60min, [this_one] { this_one->sessions.remove_expired(); });
      node->every(scheduler, "due syncs", 60s, 60s, [this_one] { this_one->sync.start_due(); });
      node->every(scheduler, "scheduled backup", 60s, 60s, [&context_with, backup = std::make_shared<upgrade::ScheduledBackup>(config.text("backup-schedule"))] {
        auto context = context_with(nullptr);
        backup->run_when_due(context);
      });
      // An older node has nothing to put into effect; it must not keep the lease from those that have.
      node->every(
          scheduler, "finalise", 5s, 5s,
          [&context_with] {
            auto context = context_with(nullptr);
            if (auto outcome = upgrade::finalise_when_due(context)) log::info(outcome->sentence);
          },
          [&store, target] {
            auto marks = store->marks();
            return marks.schema <= target && marks.level < marks.schema;
          });
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
  auto command_line = own_command_line();
  std::thread starter(start);
  std::atomic<bool> went{false};
  std::mutex server_mutex;  // the line's thread is there until the end
  std::optional<std::jthread> on_the_line;
  if (inherited.is_launched())
    on_the_line.emplace([&] {
      while (inherited.line.next() == launch::Line::Word::Go) {
        std::lock_guard lock(server_mutex);
        went = true;
        if (server) server->begin();
      }
      signals.stop();  // the launcher's own signal comes as well, or the launcher is gone
    });
  int received = signals.wait();
  auto last_word = inherited.is_launched() ? inherited.line.last() : launch::Line::Word::Go;
  if (received != SIGUSR1 || again) log::info("Stopping", {{"drain_seconds", config.text("drain-time")}});
  if (!again) notifier.stopping();  // one that starts itself anew goes on for systemd
  bool goes_on = received == SIGUSR1 && again && last_word == launch::Line::Word::Go;  // this process itself, as a new one
  if (goes_on && listen_early && inherited.public_socket < 0 && server && server->listening_socket() >= 0) {
    inherited.public_socket = ::fcntl(server->listening_socket(), F_DUPFD_CLOEXEC, 0);
    inherited.is_own = true;
  }
  // Who takes the connections that wait: this process's own successor, the launcher's, or nobody. The port of a launcher that is
  // gone must be free for the next one, however long the rest takes.
  if (server && ((goes_on && inherited.public_socket >= 0) || last_word == launch::Line::Word::Leave)) server->stop_listening(http::Server::Waiting::SomebodyElses);
  if (server && last_word == launch::Line::Word::Gone) server->stop_listening(http::Server::Waiting::Ours);
  if (!goes_on && last_word != launch::Line::Word::Go) inherited.close_public();
  // A migration that runs is crash-safe, but ending it in order is kinder: it is waited for.
  starter.join();
  if (running) running->sync.stop_all();
  if (!goes_on) inherited.close_public();
  if (server) server->drain();
  if (running && !store->refusal()) running->queries.flush();
  listening = nullptr;
  {
    std::lock_guard lock(server_mutex);
    server.reset();
  }
  running.reset();
  node.reset();
  store.reset();
  if (received != SIGUSR1) log::info("Stopped");
  else if (goes_on) start_anew(std::move(command_line), inherited, went);
  if (inherited.is_launched()) {
    ::shutdown(inherited.line.fd(), SHUT_RDWR);  // ends the thread that listens to it
    on_the_line.reset();
  }
  return exit_code;
}

}  // namespace basalt::startup
