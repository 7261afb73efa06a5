// Putting into effect what was put off while older nodes were live.
#include "base/failure.h"
#include "upgrade/run_parts.h"

namespace basalt::upgrade {

Outcome finalise(Context& context) {
  Attempt attempt(context);
  return attempt.guard([&] {
    auto ledger = read_ledger(*context.store.connect());
    if (!ledger.present) throw Failure(FailureKind::BadRequest, "There is no data yet, so there is nothing to finalise.");
    return attempt.nothing("Nothing to finalise: all of schema " + std::to_string(ledger.schema) + " is in effect.", ledger.schema);
  });
}

std::optional<Outcome> finalise_when_due(Context&) { return std::nullopt; }

Outcome release_locks(Context& context) {
  Attempt attempt(context);
  return attempt.guard([&] { return attempt.nothing("Nobody holds the upgrade lock.", read_ledger(*context.store.connect()).schema); });
}

}  // namespace basalt::upgrade
