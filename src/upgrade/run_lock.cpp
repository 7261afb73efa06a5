#include "upgrade/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <condition_variable>
#include <cstring>
#include <fstream>
#include <mutex>
#include <random>

#include "base/failure.h"
#include "base/log.h"
#include "upgrade/run_parts.h"

namespace basalt::upgrade {
namespace {

using Clock = std::chrono::steady_clock;

std::string host_name() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

std::string boot_id() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return id;
}

// Some nodes that start together must not ask in step.
void pause() {
  thread_local std::mt19937 random{std::random_device{}()};
  std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution<int>(30, 150)(random)));
}

constexpr const char* advisory = "hashtext('basalt upgrade ' || current_schema())";

std::filesystem::path lock_file(const Context& context) { return context.store.options().sqlite_path.string() + ".upgrading"; }

std::string content(int file) {
  char text[2048];
  auto length = ::pread(file, text, sizeof text, 0);
  return length > 0 ? std::string(text, static_cast<std::size_t>(length)) : "";
}

LockHolder holder_from(const std::string& text) {
  LockHolder out;
  auto v = json::try_parse(text);
  if (!v) return out;
  out.host = json::text(*v, "host").value_or("");
  out.pid = json::integer(*v, "pid").value_or(0);
  out.boot_id = json::text(*v, "boot_id").value_or("");
  out.purpose = json::text(*v, "purpose").value_or("");
  out.since = json::text(*v, "since").value_or("");
  return out;
}

bool file_is_held(int file) {
  if (::flock(file, LOCK_SH | LOCK_NB) != 0) return true;
  ::flock(file, LOCK_UN);
  return false;
}

LockHolder row_holder(appdb::Connection& c) {
  LockHolder out;
  if (!migrations::table_exists(c, "upgrade_lock")) return out;
  auto row = c.query_one("SELECT owner_host, owner_pid, boot_id, purpose, heartbeat FROM upgrade_lock WHERE name = 'upgrade'");
  if (!row) return out;
  out.host = row->optional_text("owner_host").value_or("");
  out.pid = row->is_null("owner_pid") ? 0 : row->integer("owner_pid");
  out.boot_id = row->optional_text("boot_id").value_or("");
  out.purpose = row->optional_text("purpose").value_or("");
  return out;
}

// The session that holds the advisory lock, as the server knows it: since when, and from where.
std::optional<appdb::Row> holding_session(appdb::Connection& c) {
  return c.query_one("SELECT to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS since, coalesce(host(a.client_addr), 'local') AS address, a.pid AS server_pid "
                     "FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 "
                     "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND ((l.classid::bigint << 32) | l.objid::bigint) = " +
                     std::string(advisory) + "::bigint");
}

std::string doing(const std::string& purpose) {
  if (purpose == "upgrade") return "which is upgrading the data";
  if (purpose == "step down") return "which is stepping the data down";
  if (purpose == "finalise") return "which is finalising the upgrade";
  if (purpose == "create") return "which is creating the data";
  if (purpose == "restore") return "which is restoring a backup";
  return "which is changing the data";
}

}  // namespace

std::string LockHolder::sentence() const {
  return (host.empty() ? std::string("another process") : host + (pid ? ":" + std::to_string(pid) : "")) + ", " + doing(purpose) + (since.empty() ? "" : " since " + since);
}

json::object LockHolder::to_json() const {
  auto or_null = [](const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); };
  return {{"host", or_null(host)}, {"pid", pid ? json::value(pid) : json::value(nullptr)}, {"purpose", or_null(purpose)}, {"since", or_null(since)}};
}

std::optional<LockHolder> lock_holder(const Context& context, appdb::Connection& c) {
  if (c.engine() == appdb::Engine::Sqlite) {
    int file = ::open(lock_file(context).c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return std::nullopt;
    std::optional<LockHolder> out;
    if (file_is_held(file)) out = holder_from(content(file));
    ::close(file);
    return out;
  }
  auto session = holding_session(c);
  if (!session) return std::nullopt;
  auto out = row_holder(c);
  out.since = session->text("since");
  if (out.host.empty()) out.host = session->text("address");
  return out;
}

RunLock::RunLock(Context& context, appdb::Connection& connection, std::string purpose, std::chrono::milliseconds patience, Others others)
    : context_(context), connection_(connection), sqlite_(connection.engine() == appdb::Engine::Sqlite), purpose_(std::move(purpose)) {
  try {
    if (sqlite_) {
      auto path = lock_file(context);
      file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
      if (file_ < 0) throw Failure(FailureKind::Unavailable, "The file " + path.string() + " cannot be made: " + std::strerror(errno) + ". Nothing was changed.");
    }
    wait_for(patience);
    sweep();
    if (sqlite_) {
      auto holder = json::write(json::object{{"host", host_name()}, {"pid", getpid()}, {"boot_id", boot_id()}, {"purpose", purpose_}, {"since", now_text()}});
      if (::ftruncate(file_, 0) != 0 || ::pwrite(file_, holder.data(), holder.size(), 0) < 0) log::warning("the lock file could not be written", {{"reason", std::strerror(errno)}});
      if (others == Others::None) take_alone(std::min(patience, context.lock_patience));
    } else {
      require_real_session();
    }
    if (others == Others::None) fence();
  } catch (...) {
    release();
    throw;
  }
  last_tick_ = Clock::now().time_since_epoch().count();  // not before: waiting for the lock, however long, is no standing still
  watch_ = std::jthread([this](std::stop_token stop) { watch(stop); });
}

bool RunLock::take() {
  if (sqlite_) return ::flock(file_, LOCK_EX | LOCK_NB) == 0;
  return connection_.count("SELECT pg_try_advisory_lock(" + std::string(advisory) + ")::int") == 1;
}

// Asked again and again, never waited for inside the database: a session that blocks on an advisory lock beside an index that
// is built concurrently is a deadlock.
void RunLock::wait_for(std::chrono::milliseconds patience) {
  if (take()) return;
  auto until = Clock::now() + patience;
  auto next_line = Clock::now();
  std::string whom;
  while (!take()) {
    if (Clock::now() >= next_line) {
      next_line = Clock::now() + std::chrono::seconds(5);
      auto holder = lock_holder(context_, connection_);
      whom = holder ? holder->sentence() : whom.empty() ? "another process, which is changing the data" : whom;
      log::info("waiting for " + whom);
      if (context_.progress)
        context_.progress->set([&](ProgressNow& now) {
          now.state = "waiting";
          now.step_name = "waiting for " + whom;
          now.eta_seconds.reset();
        });
    }
    if (Clock::now() > until) throw Failure(FailureKind::Unavailable, "Basalt waited for " + whom + ", and it is not done; try again later. Nothing was changed.");
    pause();
  }
}

void RunLock::take_alone(std::chrono::milliseconds patience) {
  auto until = Clock::now() + patience;
  while (!(alone_ = context_.store.try_exclusive())) {
    if (Clock::now() > until) throw Failure(FailureKind::Unavailable, "Another Basalt process has this data open; stop it first, then try again.");
    pause();
  }
}

// What a crash of an earlier holder left half made.
void RunLock::sweep() {
  std::error_code ignored;
  std::filesystem::remove(context_.data_dir / "upgrade-state.json.new", ignored);
}

void RunLock::require_real_session() {
  if (connection_.count("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()") == 0)
    throw Failure(FailureKind::BadRequest, "The application database is reached through a pooler that mixes sessions; give Basalt the server's direct address for upgrades.");
}

std::int64_t RunLock::fence() {
  if (fence_ > 0 || !migrations::table_exists(connection_, "upgrade_lock")) return fence_;
  connection_.execute("UPDATE upgrade_lock SET fence = fence + 1, owner_host = ?, owner_pid = ?, boot_id = ?, purpose = ?, heartbeat = ? WHERE name = 'upgrade'",
                      {host_name(), static_cast<std::int64_t>(getpid()), boot_id(), purpose_, now_text()});
  return fence_ = connection_.count("SELECT fence FROM upgrade_lock WHERE name = 'upgrade'");
}

// Notices when this process was stopped (SIGSTOP, a frozen container) for longer than others wait for a sign of life.
void RunLock::watch(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any woken;  // by the end
  while (!stop.stop_requested()) {
    auto now = Clock::now().time_since_epoch().count();
    if (Clock::duration(now - last_tick_) > context_.stand_still) stood_still_ = true;
    last_tick_ = now;
    std::unique_lock lock(mutex);
    woken.wait_for(lock, stop, std::chrono::milliseconds(500), [] { return false; });
  }
}

void RunLock::release() {
  if (alone_) context_.store.share_again();
  alone_ = false;
  if (file_ >= 0) {
    // Emptied while it is still held: what a later reader finds in it was left by somebody who did not come this far.
    if (::flock(file_, LOCK_EX | LOCK_NB) == 0 && ::ftruncate(file_, 0) != 0) log::warning("the lock file could not be emptied");
    ::close(file_);
    file_ = -1;
  }
}

RunLock::~RunLock() {
  watch_.request_stop();
  if (watch_.joinable()) watch_.join();
  release();
  if (sqlite_) return;
  try {
    if (fence_ > 0 && migrations::table_exists(connection_, "upgrade_lock"))
      connection_.execute("UPDATE upgrade_lock SET owner_host = NULL, owner_pid = NULL, boot_id = NULL, purpose = NULL WHERE name = 'upgrade' AND fence = ?", {fence_});
    connection_.count("SELECT pg_advisory_unlock(" + std::string(advisory) + ")::int");
  } catch (...) {
    // The session is gone, and its lock with it.
  }
}

Outcome release_locks(Context& context) {
  Attempt attempt(context);
  return attempt.guard([&] {
    auto connection = context.store.connect();
    auto& c = *connection;
    auto schema = read_ledger(c).schema;
    if (auto holder = lock_holder(context, c))
      throw Failure(FailureKind::Conflict, "The upgrade lock is held by " + holder->sentence() + ". It is alive, so the lock is not taken from it; stop that process first if it hangs.").with_error_type("lock-held");
    LockHolder left;
    if (c.engine() == appdb::Engine::Sqlite) {
      int file = ::open(lock_file(context).c_str(), O_RDWR | O_CLOEXEC);
      if (file >= 0) {
        auto text = content(file);
        if (!text.empty() && ::flock(file, LOCK_EX | LOCK_NB) == 0) {
          left = holder_from(text);
          if (::ftruncate(file, 0) != 0) log::warning("the lock file could not be emptied");
        }
        ::close(file);
      }
    } else {
      left = row_holder(c);
      // The number grows, so that even a holder that comes back from the dead commits nothing.
      if (!left.host.empty()) c.execute("UPDATE upgrade_lock SET fence = fence + 1, owner_host = NULL, owner_pid = NULL, boot_id = NULL, purpose = NULL WHERE name = 'upgrade'");
    }
    if (left.host.empty()) return attempt.nothing("Nobody holds the upgrade lock.", schema);
    Outcome out;
    out.from = out.to = schema;
    out.sentence = "Cleared what " + left.host + ":" + std::to_string(left.pid) + " left of the upgrade lock; that process is gone.";
    return out;
  });
}

}  // namespace basalt::upgrade
