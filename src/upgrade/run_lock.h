// Who may change the schema: one at a time, and a process that lost its place can never commit. Internal to this folder.
#pragma once
#include <atomic>
#include <thread>

#include "upgrade/upgrade.h"

namespace basalt::upgrade {

struct LockHolder {
  std::string host, boot_id, purpose, since;  // purpose: "upgrade", "step down", "finalise", "create", "restore"
  std::int64_t pid = 0;
  std::string sentence() const;  // "alpha:4711, which is upgrading the data since 2026-11-23T02:20:01Z"
  json::object to_json() const;
};
// Who holds the lock right now; absent when nobody does. Writes nothing.
std::optional<LockHolder> lock_holder(const Context&, appdb::Connection&);

// Nobody else changes the schema while this lives. SQLite: `<file>.upgrading` is locked (flock). PostgreSQL: an advisory lock on
// `connection`, which must be the session that does the work. Waits, polling with jitter, and tells whom for in the progress and
// in the log; Failure Unavailable after `patience`. SQLite with Others::None: no other process has the file open either.
class RunLock {
 public:
  enum class Others { Allowed, None };
  RunLock(Context&, appdb::Connection& connection, std::string purpose, std::chrono::milliseconds patience, Others others = Others::None);
  ~RunLock();
  RunLock(const RunLock&) = delete;

  // A number that grows with every holder that changes something; taken (and written down) at the first call, which must come
  // before the change: what is refused writes nothing. With Others::None it is taken at once.
  std::int64_t fence();
  // Fails when somebody else took over meanwhile, or when this process stood still so long that somebody may have: within the
  // transaction about to be committed.
  void check(appdb::Connection&) const;

 private:
  bool take();
  void wait_for(std::chrono::milliseconds patience);
  void take_alone(std::chrono::milliseconds patience);
  void sweep();
  void require_real_session();
  void release();
  void watch(std::stop_token);

  Context& context_;
  appdb::Connection& connection_;
  bool sqlite_;
  std::string purpose_;
  int file_ = -1;        // SQLite: the descriptor that holds the lock
  bool alone_ = false;
  std::int64_t fence_ = 0;
  std::atomic<std::chrono::steady_clock::rep> last_tick_{0};
  std::atomic<bool> stood_still_{false};
  std::jthread watch_;
};

}  // namespace basalt::upgrade
