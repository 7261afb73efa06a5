#include <unistd.h>

#include <fstream>
#include <random>
#include <thread>

#include "base/failure.h"
#include "upgrade/run_parts.h"

namespace basalt::upgrade {
namespace {

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

}  // namespace

RunLock::RunLock(Context& context, appdb::Connection& connection, std::string purpose, std::chrono::milliseconds patience) : context_(context), connection_(connection.engine() == appdb::Engine::Sqlite ? nullptr : &connection) {
  auto until = std::chrono::steady_clock::now() + patience;
  bool sqlite = connection.engine() == appdb::Engine::Sqlite;
  // Asked again and again, never waited for inside the database: a session that blocks on an advisory lock beside an index
  // that is built concurrently is a deadlock.
  auto take = [&] { return sqlite ? context.store.try_exclusive() : connection.count("SELECT pg_try_advisory_lock(" + std::string(advisory) + ")::int") == 1; };
  while (!take()) {
    if (std::chrono::steady_clock::now() > until)
      throw Failure(FailureKind::Unavailable, sqlite ? "Another Basalt process has this data open; stop it first, then try again." : "Another Basalt node is changing this data; try again when it is done.");
    pause();
  }
  try {
    if (!sqlite && connection.count("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()") == 0)
      throw Failure(FailureKind::BadRequest, "The application database is reached through a pooler that mixes sessions; give Basalt the server's direct address for upgrades.");
    if (migrations::table_exists(connection, "upgrade_lock")) {
      connection.execute("UPDATE upgrade_lock SET fence = fence + 1, owner_host = ?, owner_pid = ?, boot_id = ?, purpose = ?, heartbeat = ? WHERE name = 'upgrade'",
                         {host_name(), static_cast<std::int64_t>(getpid()), boot_id(), purpose, now_text()});
      fence_ = connection.count("SELECT fence FROM upgrade_lock WHERE name = 'upgrade'");
    }
  } catch (...) {
    if (sqlite) context.store.share_again();
    throw;
  }
}

RunLock::~RunLock() {
  if (!connection_) {
    context_.store.share_again();
    return;
  }
  try {
    connection_->count("SELECT pg_advisory_unlock(" + std::string(advisory) + ")::int");
  } catch (...) {
    // The session is gone, and its lock with it.
  }
}

void RunLock::check(appdb::Connection& connection) const {
  if (fence_ == 0) return;
  if (connection.execute("UPDATE upgrade_lock SET heartbeat = ? WHERE name = 'upgrade' AND fence = ?", {now_text(), fence_}) != 1)
    throw Failure(FailureKind::Conflict, "Another Basalt process took the upgrade over; this one stops without changing anything.").with_error_type("fenced");
}

}  // namespace basalt::upgrade
