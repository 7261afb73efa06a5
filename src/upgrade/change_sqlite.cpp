// A run on SQLite: the change is made in one transaction of the file itself. Readers, also those of other processes, go on in
// their snapshots and see all of it at once; writers wait for it and for nothing else.
#include "appdb/sqlite_connection.h"
#include "base/failure.h"
#include "upgrade/rehearse.h"

namespace basalt::upgrade {

using appdb::SqliteConnection;

namespace {

// The same things, in the same order; nodes that came or went may have changed it.
bool same_way(const Job& a, const Job& b) {
  return a.before.schema == b.before.schema && a.before.pending == b.before.pending &&
         std::equal(a.way.units.begin(), a.way.units.end(), b.way.units.begin(), b.way.units.end(),
                    [](const Unit& x, const Unit& y) { return x.kind == y.kind && x.migration == y.migration && x.run == y.run && x.waits == y.waits; });
}

// Absent when the nodes changed since the rehearsal, so that another change is due than the one that was rehearsed.
std::optional<Outcome> one_try(Context& context, Attempt& attempt, SqliteConnection& c, RunLock& lock, const Job& job) {
  attempt.begin(job.way.from, job.way.to);
  attempt.at("backing-up", 0.02, "back up", 0, static_cast<int>(job.way.units.size()));
  attempt.mirror("");
  auto made = make_backup(context, "upgrade", reason_of(job), [&](double part) { attempt.at(part < 0.6 ? "backing-up" : "verifying-backup", 0.02 + 0.33 * part); }, KeepRestored::Yes);
  attempt.edge("backed up");
  auto expectation = rehearse(context, attempt, made, job);
  made.restored.reset();
  attempt.at(state_of(job), 0.45);
  attempt.mirror(made.info.path);

  Ledger after;
  migrations::Counters counters;
  {
    WritersPaused paused(context, c);
    attempt.edge("writers paused");
    c.execute("BEGIN IMMEDIATE");
    try {
      auto now = job_for(context, c, job.goal, Preflight::Done);
      if (!same_way(now, job)) {
        c.execute("ROLLBACK");
        return std::nullopt;
      }
      lock.check(c);
      after = now.before;
      if (!job.older.empty()) after.expanded_at = now_text();
      WholeCheck whole(c, after, job.way);
      StepContext step{c, after, open_run(c, job, made.info.path)};
      std::size_t number = 0;
      run_way(attempt, step, job.way, [&](const std::function<void()>& work) {
        auto& unit = job.way.units[number];
        UnitCheck check(c, after, unit, expectation.results[number]);
        ++number;
        attempt.rows(check.rows());
        auto returned = step.counters.returned;
        leaving_others_alone(c, after, unit, work);
        check.require_expected(after, step.counters.returned - returned);
      }, {.expected = &expectation.seconds});
      attempt.at("verifying", 0.87, "verify");
      attempt.edge("changed");
      whole.require_untouched(after);
      counters = step.counters;
      note_backup(c, made);
      close_run(c, step.run, after.pending.empty() ? "finalised" : "observing", job);
      lock.check(c);
      attempt.edge("before commit");
      c.execute("COMMIT");
    } catch (...) {
      try {
        if (c.in_transaction()) c.execute("ROLLBACK");
      } catch (...) {
        // Closing the connection rolls back as well; the first failure is the one that counts.
      }
      throw;
    }
    attempt.edge("committed");
    attempt.paused(paused.seconds());
  }
  // The log goes into the file while everybody works again.
  c.query("PRAGMA wal_checkpoint(PASSIVE)");
  attempt.end(after.pending.empty() ? "finalised" : "observing");
  return outcome_of(job, after, counters, made);
}

}  // namespace

Outcome change_sqlite(Context& context, Attempt& attempt, const Goal& goal) {
  auto& file = context.store.options().sqlite_path;
  SqliteConnection c(file, {.foreign_keys = false});
  c.execute_script("PRAGMA wal_autocheckpoint=0");
  auto alone = [&](const Job& job) { return job.alone ? RunLock::Others::None : RunLock::Others::Allowed; };
  RunLock lock(context, c, purpose_of(goal), context.run_patience, alone(job_for(context, c, goal)));
  for (int tries = 1;; ++tries) {
    auto job = job_for(context, c, goal);  // somebody else may have been faster
    if (job.nothing()) return attempt.nothing("Nothing to do: the data has schema " + std::to_string(job.before.schema) + ".", job.before.schema);
    lock.fence();
    if (auto outcome = one_try(context, attempt, c, lock, job)) return *outcome;
    if (tries == 5) throw Failure(FailureKind::Conflict, "Nodes come and go on this data; nothing was changed. Try again when it is quiet.");
  }
}

}  // namespace basalt::upgrade
