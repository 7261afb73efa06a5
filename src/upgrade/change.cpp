// Existing data to another schema, up or down.
#include "appdb/postgres_connection.h"
#include "appdb/sqlite_connection.h"

#include <random>
#include <thread>

#include "base/failure.h"
#include "base/log.h"
#include "base/version.h"
#include "upgrade/backup.h"
#include "upgrade/files.h"
#include "upgrade/run_parts.h"

namespace basalt::upgrade {

using appdb::Connection;
using appdb::Engine;
using appdb::SqliteConnection;

namespace {

std::int64_t open_run(Connection& c, const Way& way, const std::string& backup) {
  // A run that a crash left open: this one goes on where it stopped.
  c.execute("UPDATE upgrade_run SET state = 'interrupted', ended_at = ? WHERE ended_at IS NULL", {now_text()});
  return c.insert("upgrade_run", {{"from_schema", way.from}, {"to_schema", way.to}, {"state", way.up() ? "expanding" : "stepping-down"}, {"backup", backup}, {"units_total", way.operations()},
                                  {"binary_version", version()}, {"started_at", now_text()}});
}

void close_run(Connection& c, std::int64_t run, const std::string& state, const Way& way) {
  c.update("upgrade_run", {{"state", state}, {"units_done", way.operations()}, {"ended_at", now_text()}}, "id", run);
}

void note_backup(Connection& c, const MadeBackup& made) {
  json::array tables;
  for (auto& t : made.manifest.tables) tables.push_back(json::object{{"name", t.name}, {"fingerprint", t.fingerprint.text()}});
  auto& info = made.info;
  c.insert("upgrade_backup", {{"backup_id", info.id}, {"kind", info.kind}, {"schema_number", info.schema}, {"location", info.path}, {"bytes", info.bytes}, {"root_hash", info.root_hash}, {"tables", tables},
                              {"verified_at", info.verified_at}, {"reason", info.reason}, {"created_at", info.created_at}});
}

Outcome outcome_of(const Way& way, const migrations::Counters& counters, const MadeBackup& made) {
  Outcome out;
  out.from = way.from;
  out.to = way.to;
  out.parked = counters.parked;
  out.returned = counters.returned;
  out.superseded = counters.superseded;
  out.orphaned = counters.orphaned;
  out.backup = made.info.path;
  out.sentence = std::string(way.up() ? "Upgraded" : "Stepped down") + " the data from schema " + std::to_string(way.from) + " to " + std::to_string(way.to) + ".";
  if (out.parked) out.sentence += " " + std::to_string(out.parked) + " values that schema " + std::to_string(way.to) + " cannot hold are parked (`basalt parked list`).";
  if (out.returned) out.sentence += " " + std::to_string(out.returned) + " parked values are back.";
  if (out.superseded + out.orphaned) out.sentence += " " + std::to_string(out.superseded + out.orphaned) + " stay parked, because their rows were edited or deleted meanwhile.";
  log::info("schema changed", {{"from", std::to_string(way.from)}, {"to", std::to_string(way.to)}, {"parked", std::to_string(out.parked)}, {"returned", std::to_string(out.returned)}});
  return out;
}

std::string reason_of(const Way& way) { return (way.up() ? "before the upgrade to schema " : "before stepping down to schema ") + std::to_string(way.to); }

bool bookkeeping(std::string_view table) { return table.starts_with("upgrade_") || table.starts_with("hold_"); }

// What no migration touched is untouched, and where rows stay, all of them are there.
void verify_copy(Connection& original, const Ledger& before, Connection& copy, const Ledger& after, const Way& way, const Manifest& manifest) {
  auto touched = touched_by(way);
  for (auto& t : after.structure.tables) {
    if (bookkeeping(t.name)) continue;
    auto* old = before.structure.table(t.name);
    auto complain = [&](const std::string& what) {
      throw Failure(FailureKind::Bug, "The changed copy failed its verification: " + what + " in table " + t.name + ". The data itself was not changed.").with_error_type("verification-failed");
    };
    if (!touched.tables.contains(t.name)) {
      if (!old) complain("unexpected rows");
      auto* entry = manifest.table(t.name);
      auto expected = entry ? entry->fingerprint : fingerprint(original, *old);
      if (fingerprint(copy, t) != expected) complain("rows differ that no migration touches");
    } else if (old && !touched.rows.contains(t.name)) {
      if (row_fingerprint(copy, t) != row_fingerprint(original, *old)) complain("rows are missing or new");
    }
  }
}

std::int64_t broken_references(Connection& c) {
  std::int64_t broken = 0;
  c.each("PRAGMA foreign_key_check", {}, [&](const appdb::Row&) { ++broken; });
  return broken;
}

Outcome change_sqlite(Context& context, Attempt& attempt, int to) {
  auto file = context.store.options().sqlite_path;
  WritesClosed closed(context.store);
  std::unique_ptr<Connection> original = std::make_unique<SqliteConnection>(file);
  RunLock lock(context, *original, "change schema", context.lock_patience);
  auto before = read_ledger(*original);
  if (before.schema == to) return attempt.nothing("Nothing to do: the data has schema " + std::to_string(to) + ".", to);
  auto way = way_to(context, *original, before, to);
  require_space(file.parent_path(), sqlite_bytes(file) * 2 + backup_space(context), "this change with its backup");

  attempt.at("backing-up", 0.02, "back up", 0, std::abs(way.to - way.from));
  write_side_file(context, "backing-up", way.from, way.to, "");
  auto made = make_backup(context, "upgrade", reason_of(way), [&](double part) { attempt.at(part < 0.6 ? "backing-up" : "verifying-backup", 0.02 + 0.33 * part); });
  attempt.edge("backed up");
  write_side_file(context, way.up() ? "expanding" : "stepping-down", way.from, way.to, made.info.path);

  ScratchFile copy(file.string() + ".migrating");
  static_cast<SqliteConnection&>(*original).copy_to(copy.path());
  attempt.edge("copied");
  auto broken_before = broken_references(*original);
  Ledger after = before;
  migrations::Counters counters;
  {
    // The copy is the rehearsal: all of the run in one transaction, thrown away whole when anything fails.
    SqliteConnection c(copy.path(), {.foreign_keys = false, .write_ahead_log = false});
    c.execute("BEGIN IMMEDIATE");
    lock.check(c);
    StepContext step{c, after, open_run(c, way, made.info.path)};
    run_way(attempt, step, way, [](const std::function<void()>& work) { work(); });
    counters = step.counters;
    if (broken_references(c) > broken_before) throw Failure(FailureKind::Bug, "The change would leave references to rows that are not there; the data itself was not changed.");
    note_backup(c, made);
    close_run(c, step.run, "finalised", way);
    lock.check(c);
    attempt.edge("before commit");
    c.execute("COMMIT");
  }
  attempt.at("verifying", 0.87, "verify");
  attempt.edge("changed");
  {
    SqliteConnection c(copy.path(), {.foreign_keys = false, .write_ahead_log = false});
    auto check = c.query_one("PRAGMA quick_check");
    if (!check || check->text("quick_check") != "ok") throw Failure(FailureKind::Unavailable, "The changed copy is damaged; check the disk. The data itself was not changed.");
    if (read_ledger(c).schema != to) throw Failure(FailureKind::Bug, "The changed copy has the wrong schema. The data itself was not changed.");
    verify_copy(*original, before, c, after, way, made.manifest);
  }
  attempt.at("swapping", 0.97, "swap");
  write_side_file(context, "swapping", way.from, way.to, made.info.path);
  auto keep_as = file.string() + ".before-" + file_time() + "-schema" + std::to_string(way.from);
  swap_in(context, attempt, std::move(original), lock.fence(), copy.path(), keep_as);
  write_side_file(context, "finalised", way.from, way.to, made.info.path);
  // One instant rollback is kept; the backups hold the rest.
  std::error_code ignored;
  for (auto& entry : std::filesystem::directory_iterator(file.parent_path(), ignored)) {
    auto name = entry.path().string();
    if (name.starts_with(file.string() + ".before-") && name != keep_as) std::filesystem::remove(entry.path(), ignored);
  }
  return outcome_of(way, counters, made);
}

// One transaction, tried again when others hold a lock for longer than a second.
void in_transaction(Connection& connection, const RunLock& lock, const std::function<void()>& work) {
  auto& c = static_cast<appdb::PostgresConnection&>(connection);
  std::mt19937 random{std::random_device{}()};
  for (int tries = 1;; ++tries) {
    try {
      c.execute_script("BEGIN; SET LOCAL lock_timeout = '1s'");
      lock.check(c);
      work();
      c.execute_script("COMMIT");
      return;
    } catch (...) {
      auto code = c.last_error_code();
      if (!c.is_alive()) throw;
      if (c.in_transaction()) c.execute_script("ROLLBACK");
      bool busy = code == "55P03" || code == "40P01";
      if (!busy || tries >= 60) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution<int>(100, 600)(random)));
    }
  }
}

Outcome change_postgres(Context& context, Attempt& attempt, int to) {
  WritesClosed closed(context.store);
  auto connection = context.store.connect();
  auto& c = *connection;
  RunLock lock(context, c, "change schema", std::chrono::minutes(10));
  auto ledger = read_ledger(c);  // another node may have been faster
  if (ledger.schema == to) return attempt.nothing("Nothing to do: the data has schema " + std::to_string(to) + ".", to);
  auto way = way_to(context, c, ledger, to);
  if (!way.up()) require_alone(context, c, "step down");

  attempt.at("backing-up", 0.02, "back up", 0, std::abs(way.to - way.from));
  write_side_file(context, "backing-up", way.from, way.to, "");
  auto made = make_backup(context, "upgrade", reason_of(way), [&](double part) { attempt.at(part < 0.6 ? "backing-up" : "verifying-backup", 0.02 + 0.33 * part); });
  attempt.edge("backed up");
  write_side_file(context, way.up() ? "expanding" : "stepping-down", way.from, way.to, made.info.path);

  std::int64_t run = 0;
  in_transaction(c, lock, [&] {
    run = open_run(c, way, made.info.path);
    note_backup(c, made);
  });
  auto touched = touched_by(way);
  auto row_counts = [&] {
    std::map<std::string, std::int64_t> out;
    for (auto& t : ledger.structure.tables)
      if (touched.tables.contains(t.name) && !touched.rows.contains(t.name)) out[t.name] = c.count("SELECT count(*) FROM " + appdb::quoted(t.name));
    return out;
  };
  StepContext step{c, ledger, run};
  run_way(attempt, step, way, [&](const std::function<void()>& work) {
    Ledger before = ledger;
    auto counters = step.counters;
    in_transaction(c, lock, [&] {
      ledger = before;
      step.counters = counters;
      auto rows = row_counts();
      work();
      auto now = row_counts();
      for (auto& [table, count] : rows)
        if (now.contains(table) && now[table] != count) throw Failure(FailureKind::Bug, "A migration lost or made rows in table " + table + "; it was rolled back.");
      attempt.edge("before commit");
    });
  });
  attempt.at("verifying", 0.9, "verify");
  in_transaction(c, lock, [&] {
    if (read_ledger(c).schema != to) throw Failure(FailureKind::Bug, "The data has the wrong schema after the change.");
    close_run(c, run, "finalised", way);
  });
  write_side_file(context, "finalised", way.from, way.to, made.info.path);
  return outcome_of(way, step.counters, made);
}

}  // namespace

Outcome change(Context& context, Attempt& attempt, int to) {
  try {
    return context.store.engine() == Engine::Sqlite ? change_sqlite(context, attempt, to) : change_postgres(context, attempt, to);
  } catch (const Failure& failure) {
    try {
      write_side_file(context, "failed", 0, to, "", failure.sentence());
    } catch (...) {
      // The disk may be what failed.
    }
    throw;
  }
}

}  // namespace basalt::upgrade
