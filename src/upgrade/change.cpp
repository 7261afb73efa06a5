// Existing data to another schema: what is to be done and whether it may be, for both engines.
#include <unistd.h>

#include "base/failure.h"
#include "base/log.h"
#include "base/time.h"
#include "base/version.h"
#include "upgrade/backup.h"
#include "upgrade/drift.h"
#include "upgrade/files.h"
#include "upgrade/nodes.h"
#include "upgrade/run_parts.h"

namespace basalt::upgrade {

using appdb::Connection;
using appdb::Engine;

namespace {

std::string words(const Node& node) { return node.name + " (" + node.binary + ")"; }

bool baking(const Context& context, const Ledger& ledger) {
  auto since = parse_timestamp(ledger.expanded_at);
  return since && system_clock().now() - *since < context.bake_time;
}

void require_fit(Context& context, Connection& c, const Job& job) {
  require_no_missing(c, job.before);
  auto bytes = backup_space(context);
  // SQLite writes what changes into its log first, and keeps it there as long as somebody reads.
  if (c.engine() == Engine::Sqlite) bytes += sqlite_bytes(context.store.options().sqlite_path) * 2;
  require_space(context.data_dir, bytes, "this change with its backup");
}

}  // namespace

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) out += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return out;
}

std::vector<std::string> older_nodes(const Context& context, Connection& c, int schema) {
  std::vector<std::string> out;
  for (auto& node : older_live_nodes(c, schema, context.node_id)) out.push_back(words(node));
  return out;
}

std::vector<std::string> newer_nodes(const Context& context, Connection& c, int schema) {
  std::vector<std::string> out;
  for (auto& node : nodes(c, context.node_id)) if (node.live && !node.self && node.target > schema) out.push_back(words(node));
  return out;
}

bool due(const Context& context, Connection& c, const Ledger& ledger) {
  return !ledger.pending.empty() && !baking(context, ledger) && older_nodes(context, c, ledger.schema).empty();
}

Job job_for(Context& context, Connection& c, const Goal& goal, Preflight preflight) {
  Job job;
  job.goal = goal;
  job.before = read_ledger(c);
  auto& ledger = job.before;
  switch (goal.kind) {
    case Goal::Kind::Up: {
      if (ledger.schema >= goal.to) break;
      job.older = older_nodes(context, c, goal.to);
      bool wait = !job.older.empty() || baking(context, ledger);
      // PostgreSQL expands while everybody works and pauses the writers only for the rest; SQLite does all in one transaction.
      job.way = way_to(context, c, ledger, goal.to, wait ? Order::Expand : c.engine() == Engine::Postgres ? Order::ExpandThenFinalise : Order::AtOnce);
      break;
    }
    case Goal::Kind::Finalise:
      job.older = older_nodes(context, c, ledger.schema);
      if (ledger.pending.empty()) break;
      if (!job.older.empty())
        throw Failure(FailureKind::Conflict, std::to_string(job.older.size()) + (job.older.size() == 1 ? " node still runs" : " nodes still run") + " an older version (" + listed(job.older) +
                                                 "), which could not go on after this; upgrade or stop " + (job.older.size() == 1 ? "it" : "them") + " first.")
            .with_error_type("older-nodes");
      job.way = way_to_finalise(context, c, ledger);
      break;
    case Goal::Kind::Down: {
      if (ledger.schema <= goal.to) break;
      job.way = way_to(context, c, ledger, goal.to);
      // What only expanded (the floor tells) is invisible to older nodes, which may go on; newer ones would miss it.
      job.alone = ledger.compat_floor > goal.to;
      if (auto newer = newer_nodes(context, c, goal.to); !job.alone && !newer.empty())
        throw Failure(FailureKind::Conflict, std::to_string(newer.size()) + (newer.size() == 1 ? " node runs" : " nodes run") + " a newer version (" + listed(newer) + "), which needs schema " + std::to_string(ledger.schema) +
                                                 "; stop " + (newer.size() == 1 ? "it" : "them") + " first, then step down.")
            .with_error_type("newer-nodes");
      break;
    }
  }
  if (!job.nothing() && preflight == Preflight::Do) require_fit(context, c, job);
  return job;
}

std::string purpose_of(const Goal& goal) {
  return goal.kind == Goal::Kind::Up ? "upgrade" : goal.kind == Goal::Kind::Down ? "step down" : "finalise";
}

std::string state_of(const Job& job) {
  return job.goal.kind == Goal::Kind::Up ? "expanding" : job.goal.kind == Goal::Kind::Down ? "stepping-down" : "finalising";
}

std::string reason_of(const Job& job) {
  auto to = std::to_string(job.way.to);
  return job.goal.kind == Goal::Kind::Up ? "before the upgrade to schema " + to : job.goal.kind == Goal::Kind::Down ? "before stepping down to schema " + to : "before finalising schema " + to;
}

std::int64_t open_run(Connection& c, const Job& job, const std::string& backup) {
  // A run that a crash left open: this one goes on where it stopped.
  c.execute("UPDATE upgrade_run SET state = 'interrupted', ended_at = ? WHERE ended_at IS NULL", {now_text()});
  return c.insert("upgrade_run", {{"from_schema", job.way.from}, {"to_schema", job.way.to}, {"state", state_of(job)}, {"backup", backup}, {"units_total", job.way.operations()},
                                  {"binary_version", version()}, {"started_at", now_text()}});
}

void close_run(Connection& c, std::int64_t run, const std::string& state, const Job& job) {
  c.update("upgrade_run", {{"state", state}, {"units_done", job.way.operations()}, {"eta_seconds", nullptr}, {"ended_at", now_text()}}, "id", run);
}

void note_backup(Connection& c, const MadeBackup& made) {
  json::array tables;
  for (auto& t : made.manifest.tables) tables.push_back(json::object{{"name", t.name}, {"fingerprint", t.fingerprint.text()}});
  auto& info = made.info;
  c.insert("upgrade_backup", {{"backup_id", info.id}, {"kind", info.kind}, {"schema_number", info.schema}, {"location", info.path}, {"bytes", info.bytes}, {"root_hash", info.root_hash}, {"tables", tables},
                              {"verified_at", info.verified_at}, {"reason", info.reason}, {"created_at", info.created_at}});
}

Outcome outcome_of(const Job& job, const Ledger& after, const migrations::Counters& counters, const MadeBackup& made) {
  Outcome out;
  out.from = job.before.schema;
  out.to = after.schema;
  out.parked = counters.parked;
  out.returned = counters.returned;
  out.superseded = counters.superseded;
  out.orphaned = counters.orphaned;
  out.backup = made.info.path;
  auto to = std::to_string(after.schema);
  switch (job.goal.kind) {
    case Goal::Kind::Up:
      if (after.pending.empty()) out.sentence = "Upgraded the data from schema " + std::to_string(out.from) + " to " + to + ".";
      else if (job.older.empty()) out.sentence = "Expanded to schema " + to + "; what older versions cannot open waits until the bake time is over: it happens by itself, or `basalt migrate finalize`.";
      else
        out.sentence = "Expanded to schema " + to + "; " + std::to_string(job.older.size()) + (job.older.size() == 1 ? " node still runs" : " nodes still run") + " an older version (" + listed(job.older) + "); finalise when " +
                       (job.older.size() == 1 ? "it is" : "they are") + " upgraded: it happens by itself, or `basalt migrate finalize`.";
      break;
    case Goal::Kind::Finalise: out.sentence = "Finalised schema " + to + ": all of it is in effect, and older versions can no longer open the data without a step down."; break;
    case Goal::Kind::Down: out.sentence = "Stepped down the data from schema " + std::to_string(out.from) + " to " + to + "."; break;
  }
  if (out.parked) out.sentence += " " + std::to_string(out.parked) + " values that schema " + to + " cannot hold are parked (`basalt parked list`).";
  if (out.returned) out.sentence += " " + std::to_string(out.returned) + " parked values are back.";
  if (out.superseded + out.orphaned) out.sentence += " " + std::to_string(out.superseded + out.orphaned) + " stay parked, because their rows were edited or deleted meanwhile.";
  log::info("schema changed", {{"from", std::to_string(out.from)}, {"to", to}, {"level", std::to_string(after.level)}, {"parked", std::to_string(out.parked)}, {"returned", std::to_string(out.returned)}});
  return out;
}

WritersPaused::WritersPaused(Context& context, Connection& session) : since_(std::chrono::steady_clock::now()), closed_(context.store), paused_(context.store.pause_writers(session, context.lock_patience)) {}

Outcome change(Context& context, Attempt& attempt, const Goal& goal) {
  {
    auto connection = context.store.connect();
    // What a run that was cut off left to be checked comes first: the next one counts on it.
    finish_slow_work(context, attempt, *connection);
    // Before the lock, and before a byte is written: what is refused leaves nothing behind.
    auto job = job_for(context, *connection, goal);
    if (job.nothing()) return attempt.nothing("Nothing to do: the data has schema " + std::to_string(job.before.schema) + ".", job.before.schema);
  }
  try {
    return context.store.engine() == Engine::Sqlite ? change_sqlite(context, attempt, goal) : change_postgres(context, attempt, goal);
  } catch (const Failure& failure) {
    if (!attempt.began()) throw;
    try {
      write_side_file(context, "failed", 0, goal.to, "", failure.sentence());
    } catch (...) {
      // The disk may be what failed.
    }
    if (!failure.error_type().empty()) throw;
    throw Failure(failure.kind(), failure.sentence()).with_details(failure.details()).with_error_type("rolled-back");
  }
}

}  // namespace basalt::upgrade
