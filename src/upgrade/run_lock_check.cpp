// The fence: a holder of the upgrade lock that lost its place, or may have, changes nothing.
#include "base/failure.h"
#include "upgrade/ledger.h"
#include "upgrade/run_lock.h"

namespace basalt::upgrade {

void RunLock::check(appdb::Connection& connection) const {
  auto fenced = [](std::string sentence) { throw Failure(FailureKind::Conflict, std::move(sentence)).with_error_type("fenced"); };
  if (stood_still_ || std::chrono::steady_clock::duration(std::chrono::steady_clock::now().time_since_epoch().count() - last_tick_) > context_.stand_still)
    fenced("This process stood still in the middle of its work and may have been given up for dead; it stops without changing anything more. Start again.");
  if (fence_ == 0) return;
  if (connection.execute("UPDATE upgrade_lock SET heartbeat = ? WHERE name = 'upgrade' AND fence = ?", {now_text(), fence_}) != 1)
    fenced("Another Basalt process took the upgrade over; this one stops without changing anything.");
}

}  // namespace basalt::upgrade
