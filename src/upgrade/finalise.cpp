// Putting into effect what was put off while older nodes were live.
#include "base/failure.h"
#include "upgrade/run_parts.h"

namespace basalt::upgrade {

Outcome finalise(Context& context) {
  Attempt attempt(context);
  return attempt.guard([&] {
    auto ledger = read_ledger(*context.store.connect());
    if (!ledger.present) throw Failure(FailureKind::BadRequest, "There is no data yet, so there is nothing to finalise.");
    if (ledger.pending.empty()) return attempt.nothing("Nothing to finalise: all of schema " + std::to_string(ledger.schema) + " is in effect.", ledger.schema);
    return change(context, attempt, {Goal::Kind::Finalise, ledger.schema});
  });
}

std::optional<Outcome> finalise_when_due(Context& context) {
  bool now = context.store.read([&](appdb::Connection& c) {
    if (!migrations::table_exists(c, "upgrade_meta")) return false;
    auto pending = c.query_one("SELECT value FROM upgrade_meta WHERE key = 'pending'");
    if (!pending || pending->text("value") == "[]") return false;
    auto ledger = read_ledger(c);
    return ledger.present && ledger.schema <= target_of(context) && due(context, c, ledger);
  });
  if (!now) return std::nullopt;
  try {
    return finalise(context);
  } catch (const Failure& failure) {
    // An older node came back just now: next time.
    if (failure.error_type() == "older-nodes") return std::nullopt;
    throw;
  }
}

}  // namespace basalt::upgrade
