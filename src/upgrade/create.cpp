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

void steps(Context& context, Attempt& attempt, StepContext& step, const migrations::Migration& migration) {
  int total = static_cast<int>(context.migrations.size());
  step.tick = [&](const std::string& operation) { attempt.at("expanding", static_cast<double>(migration.number - 1) / total, operation, migration.number, total); };
  step_up(step, migration);
}

Outcome create_sqlite(Context& context, Attempt& attempt) {
  appdb::SqliteConnection connection(context.store.options().sqlite_path, {.foreign_keys = false});
  connection.execute("BEGIN IMMEDIATE");
  try {
    auto ledger = read_ledger(connection);
    if (ledger.present) {
      // Another process was faster; what it made is looked at anew.
      connection.execute("ROLLBACK");
      return up(context);
    }
    StepContext step{connection, ledger};
    for (auto& migration : context.migrations) steps(context, attempt, step, migration);
    if (connection.query_one("PRAGMA foreign_key_check")) throw Failure(FailureKind::Bug, "The new application database has a broken reference.");
    attempt.edge("before commit");
    connection.execute("COMMIT");
    return created(ledger);
  } catch (...) {
    if (connection.in_transaction()) connection.execute("ROLLBACK");
    throw;
  }
}

Outcome create_postgres(Context& context, Attempt& attempt) {
  auto connection = context.store.connect();
  RunLock lock(context, *connection, "create", std::chrono::minutes(10));
  auto ledger = read_ledger(*connection);
  if (ledger.present) return up(context);
  for (auto& migration : context.migrations) {
    connection->execute_script("BEGIN");
    try {
      StepContext step{*connection, ledger};
      steps(context, attempt, step, migration);
      attempt.edge("before commit");
      connection->execute_script("COMMIT");
    } catch (...) {
      try {
        connection->execute_script("ROLLBACK");
      } catch (...) {
      }
      throw;
    }
  }
  return created(ledger);
}

}  // namespace

Outcome create(Context& context, Attempt& attempt) {
  return context.store.engine() == appdb::Engine::Sqlite ? create_sqlite(context, attempt) : create_postgres(context, attempt);
}

}  // namespace basalt::upgrade
