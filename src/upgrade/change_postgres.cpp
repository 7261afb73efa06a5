// A run on PostgreSQL: what only expands is done while every node works, one transaction per migration; what older nodes cannot
// live with is prepared meanwhile and then done while the writers pause.
#include "appdb/postgres_connection.h"

#include <random>

#include "base/failure.h"
#include "base/log.h"
#include "migrations/prework.h"
#include "upgrade/rehearse.h"

namespace basalt::upgrade {

using appdb::Connection;
using appdb::PostgresConnection;

namespace {

migrations::Prework prework(Attempt& attempt) {
  return {.go_on = {}, .tell = [&attempt](const std::string& what, std::int64_t done, std::int64_t total) {
            attempt.rows(total);
            attempt.at("backfilling", 0.45, what + (total > 0 ? " (" + std::to_string(done) + " of " + std::to_string(total) + ")" : ""));
          }};
}

class PostgresRun {
 public:
  PostgresRun(Context& context, Attempt& attempt, PostgresConnection& c, RunLock& lock, Job job)
      : context_(context), attempt_(attempt), c_(c), lock_(lock), job_(std::move(job)), ledger_(job_.before), step_{c, ledger_} {
    step_.leave_slow_work = job_.way.up();
  }

  Outcome run() {
    // Whoever must be alone is so before anything is written.
    std::optional<WritesClosed> closed;
    if (job_.alone) {
      closed.emplace(context_.store);
      require_alone(context_, c_, "step down");
    }
    lock_.fence();
    attempt_.begin(job_.way.from, job_.way.to);
    attempt_.at("backing-up", 0.02, "back up", 0, static_cast<int>(job_.way.units.size()));
    attempt_.mirror("");
    made_ = make_backup(context_, "upgrade", reason_of(job_), [&](double part) { attempt_.at(part < 0.6 ? "backing-up" : "verifying-backup", 0.02 + 0.33 * part); }, KeepRestored::Yes);
    attempt_.edge("backed up");
    expectation_ = rehearse(context_, attempt_, made_, job_);
    made_.restored.reset();
    attempt_.at(state_of(job_), 0.45);
    attempt_.mirror(made_.info.path);
    in_transaction([&] {
      step_.run = open_run(c_, job_, made_.info.path);
      note_backup(c_, made_);
    });
    attempt_.edge("run opened");

    auto& units = job_.way.units;
    auto kind_is = [](Unit::Kind kind) { return [kind](const Unit& u) { return u.kind == kind; }; };
    auto expansion_ends = static_cast<std::size_t>(std::find_if_not(units.begin(), units.end(), kind_is(Unit::Kind::Up)) - units.begin());
    if (!job_.older.empty()) ledger_.expanded_at = now_text();
    if (expansion_ends > 0) expand(expansion_ends);
    if (expansion_ends < units.size()) finish(expansion_ends, units.size());
    if (migrations::postwork_due(c_)) {
      attempt_.at("backfilling", 0.87, "check the new rules");
      migrations::postwork(c_, ledger_.structure, prework(attempt_));
      attempt_.edge("checked the new rules");
    }
    attempt_.at("verifying", 0.9, "verify");
    auto state = ledger_.pending.empty() ? "finalised" : "observing";
    in_transaction([&] {
      if (read_ledger(c_).schema != job_.way.to) throw Failure(FailureKind::Bug, "The data has the wrong schema after the change.");
      close_run(c_, step_.run, state, job_);
    });
    attempt_.end(state);
    return outcome_of(job_, ledger_, step_.counters, made_);
  }

 private:
  void expand(std::size_t until) {
    // Indexes are made while everybody works; the transaction of the migration finds them.
    prepare_slow_work(0, until);
    run_units(0, until);
  }

  // Finalising or stepping down: nobody writes meanwhile.
  void finish(std::size_t from, std::size_t until) {
    bool up = job_.way.units[from].kind == Unit::Kind::Finalise;
    if (up) {
      prepare_slow_work(from, until);
      attempt_.edge("prepared to finalise");
    }
    {
      WritersPaused paused(context_, c_);
      attempt_.edge("writers paused");
      // A node that came meanwhile counts: it registered before the pause, or it is fenced after it.
      auto in_the_way = up ? older_nodes(context_, c_, job_.way.to) : job_.alone ? std::vector<std::string>{} : newer_nodes(context_, c_, job_.way.to);
      if (in_the_way.empty()) {
        run_units(from, until);
        attempt_.edge("finished under pause");
      } else if (job_.goal.kind == Goal::Kind::Up) {
        // What is expanded stays so; the rest waits for these nodes.
        job_.older = in_the_way;
        ledger_.expanded_at = now_text();
        in_transaction([&] { write_schema(c_, ledger_); });
      } else {
        throw Failure(FailureKind::Conflict, "Meanwhile " + listed(in_the_way) + " started on this data, and could not go on after this; upgrade or stop it first. Nothing was changed.");
      }
      attempt_.paused(paused.seconds());
    }
  }

  void prepare_slow_work(std::size_t from, std::size_t until) {
    std::vector<migrations::Planned> coming;
    for (auto i = from; i < until; ++i)
      for (auto& unit = job_.way.units[i]; int place : unit.run) coming.push_back({unit.migration, place, unit.all[static_cast<std::size_t>(place)]});
    migrations::prework(c_, ledger_.structure, coming, prework(attempt_));
  }

  void run_units(std::size_t from, std::size_t until) {
    Way part;
    part.from = job_.way.from;
    part.to = job_.way.to;
    part.downs = job_.way.downs;
    part.units.assign(job_.way.units.begin() + static_cast<std::ptrdiff_t>(from), job_.way.units.begin() + static_cast<std::ptrdiff_t>(until));
    std::vector<double> expected(expectation_.seconds.begin() + static_cast<std::ptrdiff_t>(from), expectation_.seconds.begin() + static_cast<std::ptrdiff_t>(until));
    auto number = from;
    double span = 0.4 / static_cast<double>(job_.way.units.size());
    run_way(attempt_, step_, part, [&](const std::function<void()>& work) {
      auto before = ledger_;
      auto counters = step_.counters;
      auto& unit = job_.way.units[number];
      in_transaction([&] {
        ledger_ = before;
        step_.counters = counters;
        hold_writers_of(unit);
        UnitCheck check(c_, ledger_, unit, expectation_.results[number]);
        attempt_.rows(check.rows());
        work();
        check.require_expected(ledger_, step_.counters.returned - counters.returned);
        note_progress(number);
        attempt_.edge("before commit");
      });
      attempt_.edge("committed");
      ++number;
    }, {.from = 0.45 + span * static_cast<double>(from), .to = 0.45 + span * static_cast<double>(until), .expected = &expected});
  }

  // For whoever looks from another node: how far this is, and how long it will still take.
  void note_progress(std::size_t number) {
    std::int64_t operations = 0;
    double left = 0;
    for (std::size_t i = 0; i < job_.way.units.size(); ++i) {
      if (i <= number) operations += static_cast<std::int64_t>(job_.way.units[i].run.size());
      else left += expectation_.seconds[i];
    }
    auto kind = job_.way.units[number].kind;
    c_.update("upgrade_run", {{"state", kind == Unit::Kind::Up ? "expanding" : kind == Unit::Kind::Down ? "stepping-down" : "finalising"}, {"units_done", operations}, {"eta_seconds", left}}, "id", step_.run);
  }

  // What is compared before and after must not be written to in between; reading goes on.
  void hold_writers_of(const Unit& unit) {
    std::string tables;
    for (auto& name : UnitCheck::held(c_, ledger_, unit)) tables += (tables.empty() ? "" : ", ") + appdb::quoted(name);
    if (!tables.empty()) c_.execute_script("LOCK TABLE " + tables + " IN SHARE ROW EXCLUSIVE MODE");
  }

  // One transaction, tried again when others hold a lock: whoever waits behind ours waits for as long as we do.
  void in_transaction(const std::function<void()>& work) {
    std::mt19937 random{std::random_device{}()};
    for (int tries = 1;; ++tries) {
      try {
        // Now and then long enough for the server to send an automatic vacuum away, which it does after a second.
        c_.execute_script(std::string("BEGIN; SET LOCAL lock_timeout = ") + (tries % 10 == 0 ? "'1100ms'" : "'400ms'"));
        lock_.check(c_);
        work();
        c_.execute_script("COMMIT");
        return;
      } catch (...) {
        auto code = c_.last_error_code();
        if (!c_.is_alive()) throw;
        if (c_.in_transaction()) c_.execute_script("ROLLBACK");
        bool busy = code == "55P03" || code == "40P01";
        if (!busy || tries >= 120) throw;
        std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution<int>(100, 600)(random)));
      }
    }
  }

  Context& context_;
  Attempt& attempt_;
  PostgresConnection& c_;
  RunLock& lock_;
  Job job_;
  Ledger ledger_;
  StepContext step_;
  MadeBackup made_;
  Expectation expectation_;
};

}  // namespace

void finish_slow_work(Context& context, Attempt& attempt, Connection& session) {
  if (!migrations::postwork_due(session)) return;
  RunLock lock(context, session, "upgrade", context.run_patience, RunLock::Others::Allowed);
  attempt.at("backfilling", 0.87, "check the new rules");
  migrations::postwork(session, read_ledger(session).structure, prework(attempt));
}

Outcome change_postgres(Context& context, Attempt& attempt, const Goal& goal) {
  auto connection = context.store.connect();
  auto& c = static_cast<PostgresConnection&>(*connection);
  RunLock lock(context, c, purpose_of(goal), context.run_patience, RunLock::Others::Allowed);
  auto job = job_for(context, c, goal);  // another node may have been faster
  if (job.nothing()) return attempt.nothing("Nothing to do: the data has schema " + std::to_string(job.before.schema) + ".", job.before.schema);
  return PostgresRun(context, attempt, c, lock, std::move(job)).run();
}

}  // namespace basalt::upgrade
