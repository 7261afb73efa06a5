#include "base/failure.h"
#include "base/version.h"
#include "upgrade/run_parts.h"

namespace basalt::upgrade {

using appdb::Connection;
using appdb::Engine;

int target_of(const Context& context) { return context.migrations.empty() ? 0 : context.migrations.back().number; }

Decision decide(const Ledger& ledger, int target) {
  if (!ledger.present) return Decision::Fresh;
  if (ledger.schema < target) return Decision::Upgrade;
  if (ledger.schema == target) return Decision::Run;
  return target < ledger.compat_floor ? Decision::Refuse : Decision::RunNewer;
}

std::string refusal(const Ledger& ledger, int target) {
  return "This data has schema " + std::to_string(ledger.schema) + " (made by Basalt " + ledger.made_by + "), newer than this Basalt " + version() + " can open (schema " + std::to_string(target) +
         "): start Basalt " + ledger.made_by + " again, or step the data down with `basalt migrate down --to " + std::to_string(target) + "`.";
}

namespace {

// A half-made file of a run that was cut off; whoever holds the lock clears it away.
void finish_left_overs(Context& context, Connection& c) {
  std::error_code ignored;
  if (!std::filesystem::exists(context.data_dir / "upgrade-state.json.new", ignored)) return;
  try {
    // The server may take a moment to notice that a killed holder is gone.
    RunLock(context, c, "upgrade", context.lock_patience, RunLock::Others::Allowed);
  } catch (const Failure& failure) {
    // Somebody is at it, and the file is theirs.
    if (failure.kind() != FailureKind::Unavailable) throw;
  }
}

}  // namespace

Outcome up(Context& context) {
  Attempt attempt(context);
  return attempt.guard([&] {
    auto connection = context.store.connect();
    auto ledger = read_ledger(*connection);
    int target = target_of(context);
    auto schema = std::to_string(ledger.schema);
    switch (decide(ledger, target)) {
      case Decision::Refuse: throw Failure(FailureKind::BadRequest, refusal(ledger, target)).with_error_type("data-is-newer");
      case Decision::RunNewer: return attempt.nothing("Nothing to do: the data has schema " + schema + ".", ledger.schema);
      case Decision::Run:
        finish_left_overs(context, *connection);
        finish_slow_work(context, attempt, *connection);
        if (ledger.pending.empty()) return attempt.nothing("Nothing to do: the data has schema " + schema + ".", ledger.schema);
        // A run that was to end with it and was cut off, or the last older node is gone long enough.
        if (due(context, *connection, ledger)) break;
        return attempt.nothing("Nothing to do yet: the data is expanded to schema " + schema + ", and what older versions cannot open waits until the last of them is gone; it happens by itself, or `basalt migrate finalize`.", ledger.schema);
      case Decision::Fresh: connection.reset(); return create(context, attempt);
      case Decision::Upgrade: break;
    }
    connection.reset();
    return change(context, attempt, {ledger.schema == target ? Goal::Kind::Finalise : Goal::Kind::Up, target});
  });
}

Outcome down(Context& context, int to) {
  Attempt attempt(context);
  return attempt.guard([&] {
    auto ledger = read_ledger(*context.store.connect());
    if (!ledger.present) throw Failure(FailureKind::BadRequest, "There is no data yet, so there is nothing to step down.");
    if (to < 1) throw Failure(FailureKind::BadRequest, "The oldest schema to step down to is 1.");
    if (to > ledger.schema) throw Failure(FailureKind::BadRequest, "The data has schema " + std::to_string(ledger.schema) + "; " + std::to_string(to) + " is above it. `basalt migrate up` steps up.");
    if (to == ledger.schema) return attempt.nothing("Nothing to do: the data has schema " + std::to_string(to) + ".", to);
    return change(context, attempt, {Goal::Kind::Down, to});
  });
}

}  // namespace basalt::upgrade
