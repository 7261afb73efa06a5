// The first start: an empty store becomes one of this binary's schema.
#include "appdb/sqlite_connection.h"
#include "base/failure.h"
#include "upgrade/run_parts.h"

namespace basalt::upgrade {
namespace {

Outcome created(const Ledger& ledger) {
  Outcome out;
  out.to = ledger.schema;
  out.sentence = "Created the application database with schema " + std::to_string(ledger.schema) + ".";
  return out;
}

// Every migration at once, in one unit each.
Way way_from_nothing(Context& context) {
  Way way;
  way.to = target_of(context);
  migrations::Structure s;
  int floor = 1;
  for (auto& m : context.migrations) {
    Unit unit;
    unit.migration = m.number;
    unit.name = m.name;
    unit.since_version = m.since_version;
    unit.floor_before = floor;
    unit.floor_after = floor = std::max(floor, m.compat_floor);
    int place = 0;
    for (auto& raw : m.operations) {
      unit.all.push_back(migrations::prepare(raw, s));
      migrations::apply_to(s, unit.all.back(), m.number, place);
      unit.run.push_back(place++);
    }
    way.units.push_back(std::move(unit));
  }
  return way;
}

// Absent when another process was faster; what it made is looked at anew.
std::optional<Outcome> create_sqlite(Context& context, Attempt& attempt) {
  appdb::SqliteConnection connection(context.store.options().sqlite_path, {.foreign_keys = false});
  RunLock lock(context, connection, "create", context.run_patience, RunLock::Others::Allowed);
  connection.execute("BEGIN IMMEDIATE");
  try {
    auto ledger = read_ledger(connection);
    if (ledger.present) {
      connection.execute("ROLLBACK");
      return std::nullopt;
    }
    StepContext step{connection, ledger};
    run_way(attempt, step, way_from_nothing(context), [](const std::function<void()>& work) { work(); }, {.from = 0.01, .to = 0.95});
    if (connection.query_one("PRAGMA foreign_key_check")) throw Failure(FailureKind::Bug, "The new application database has a broken reference.");
    lock.check(connection);
    attempt.edge("before commit");
    connection.execute("COMMIT");
    return created(ledger);
  } catch (...) {
    if (connection.in_transaction()) connection.execute("ROLLBACK");
    throw;
  }
}

std::optional<Outcome> create_postgres(Context& context, Attempt& attempt) {
  auto connection = context.store.connect();
  RunLock lock(context, *connection, "create", context.run_patience, RunLock::Others::Allowed);
  auto ledger = read_ledger(*connection);
  if (ledger.present) return std::nullopt;
  StepContext step{*connection, ledger};
  // All of it is one transaction: a store is empty or whole.
  connection->execute_script("BEGIN");
  try {
    run_way(attempt, step, way_from_nothing(context), [](const std::function<void()>& work) { work(); }, {.from = 0.01, .to = 0.95});
    lock.check(*connection);
    attempt.edge("before commit");
    connection->execute_script("COMMIT");
  } catch (...) {
    try {
      connection->execute_script("ROLLBACK");
    } catch (...) {
      // The session is gone; the server rolls back.
    }
    throw;
  }
  return created(ledger);
}

}  // namespace

Outcome create(Context& context, Attempt& attempt) {
  auto outcome = context.store.engine() == appdb::Engine::Sqlite ? create_sqlite(context, attempt) : create_postgres(context, attempt);
  return outcome ? *outcome : up(context);
}

}  // namespace basalt::upgrade
