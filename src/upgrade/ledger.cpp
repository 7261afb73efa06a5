#include "upgrade/ledger.h"

#include "appdb/sqlite_connection.h"
#include "base/failure.h"
#include "base/random.h"
#include "base/version.h"

namespace basalt::upgrade {

using appdb::Connection;
using appdb::Engine;
using migrations::Direction;

std::string now_text() { return to_text(system_clock().now()); }

namespace {

std::int64_t milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count();
}

void put_meta(Connection& c, std::string_view key, const std::string& value) {
  if (c.update("upgrade_meta", {{"value", value}}, "key", key) == 0) c.insert("upgrade_meta", {{"key", key}, {"value", value}}, Connection::HasId::No);
}

void write_history(StepContext& step, int migration, const std::string& name, const char* direction, const std::string& checksum, std::int64_t rows, std::int64_t ms) {
  step.connection.insert("upgrade_history", {{"migration", migration}, {"name", name}, {"direction", direction}, {"checksum", checksum}, {"state", "done"}, {"rows_changed", rows}, {"ms", ms},
                                             {"binary_version", version()}, {"run", step.run}, {"at", now_text()}});
}

void add(migrations::Counters& to, const migrations::Counters& from) {
  to.parked += from.parked;
  to.returned += from.returned;
  to.superseded += from.superseded;
  to.orphaned += from.orphaned;
}

}  // namespace

// The schema number, structure and all that depends on it.
void write_schema(Connection& c, const Ledger& ledger) {
  put_meta(c, "schema", std::to_string(ledger.schema));
  put_meta(c, "compat_floor", std::to_string(ledger.compat_floor));
  put_meta(c, "level", std::to_string(ledger.level));
  json::array pending;
  for (auto& [migration, operation] : ledger.pending) pending.push_back(json::array{migration, operation});
  put_meta(c, "pending", json::write(pending));
  put_meta(c, "expanded_at", ledger.expanded_at);
  put_meta(c, "generation", ledger.generation);
  put_meta(c, "binary", version());
  put_meta(c, "structure", json::write(migrations::to_json(ledger.structure)));
  if (c.engine() == Engine::Sqlite)
    c.execute_script("PRAGMA application_id = " + std::to_string(appdb::sqlite_application_id) + "; PRAGMA user_version = " + std::to_string(ledger.schema));
}

Ledger read_ledger(Connection& c) {
  Ledger ledger;
  if (!migrations::table_exists(c, "upgrade_meta")) return ledger;
  c.each("SELECT key, value FROM upgrade_meta", {}, [&](const appdb::Row& row) {
    auto& key = row.text("key");
    auto& value = row.text("value");
    if (key == "schema") ledger.schema = std::stoi(value);
    else if (key == "compat_floor") ledger.compat_floor = std::stoi(value);
    else if (key == "binary") ledger.made_by = value;
    else if (key == "instance_id") ledger.instance_id = value;
    else if (key == "level") ledger.level = std::stoi(value);
    else if (key == "generation") ledger.generation = value;
    else if (key == "expanded_at") ledger.expanded_at = value;
    else if (key == "pending")
      for (auto list = json::parse(value); auto& entry : list.as_array()) ledger.pending.emplace_back(entry.at(0).to_number<int>(), entry.at(1).to_number<int>());
    else if (key == "structure") ledger.structure = migrations::structure_from_json(json::parse(value));
  });
  ledger.present = ledger.schema > 0;
  // Where nothing is pending the level is the schema; data made before levels were kept has no more to say.
  if (ledger.pending.empty()) ledger.level = ledger.schema;
  return ledger;
}

std::vector<WayBack> ways_back(Connection& c, int to) {
  std::vector<WayBack> out;
  c.each("SELECT migration, name, since_version, operations, operations_version, checksum, compat_floor_before FROM upgrade_down WHERE migration > ? ORDER BY migration DESC", {to}, [&](const appdb::Row& row) {
    WayBack back;
    back.migration = static_cast<int>(row.integer("migration"));
    back.name = row.text("name");
    back.since_version = row.text("since_version");
    back.compat_floor_before = static_cast<int>(row.integer("compat_floor_before"));
    std::string label = "the way back of migration " + std::to_string(back.migration) + " (" + back.name + ")";
    if (row.integer("operations_version") > migrations::operations_version)
      throw Failure(FailureKind::BadRequest, "This version cannot read " + label + "; step down with Basalt " + back.since_version + " or later.");
    if (migrations::checksum(row.text("operations")) != row.text("checksum"))
      throw Failure(FailureKind::BadRequest, "Stored with the data, " + label + " is damaged (its checksum differs); restore a backup instead.");
    auto operations = json::parse(row.text("operations"));
    for (auto& operation : operations.as_array()) back.operations.push_back(migrations::operation_from_json(operation));
    out.push_back(std::move(back));
  });
  return out;
}

void step_up(StepContext& step, const migrations::Migration& migration) {
  auto start = std::chrono::steady_clock::now();
  auto& ledger = step.ledger;
  int floor_before = ledger.compat_floor;
  migrations::Executor executor(step.connection, ledger.structure, migration.number, step.run, now_text());
  if (step.batch) executor.on_tick(step.batch);
  std::vector<migrations::Operation> prepared;
  for (auto& raw : migration.operations) {
    auto operation = migrations::prepare(raw, ledger.structure);
    if (step.tick) step.tick(migrations::describe(operation));
    executor.run(operation, static_cast<int>(prepared.size()), Direction::Up);
    prepared.push_back(std::move(operation));
  }
  auto text = migrations::operations_text(prepared);
  auto checksum = migrations::checksum(text);
  if (!ledger.present) {
    ledger.instance_id = uuid4();
    put_meta(step.connection, "instance_id", ledger.instance_id);
    step.connection.insert("upgrade_lock", {{"name", "upgrade"}, {"fence", 0}});
    ledger.present = true;
  }
  ledger.schema = ledger.level = migration.number;
  ledger.compat_floor = std::max(ledger.compat_floor, migration.compat_floor);
  ledger.made_by = version();
  step.connection.execute("DELETE FROM upgrade_down WHERE migration = ?", {migration.number});
  step.connection.insert("upgrade_down", {{"migration", migration.number}, {"name", migration.name}, {"since_version", migration.since_version}, {"operations", text},
                                          {"operations_version", migrations::operations_version}, {"checksum", checksum}, {"compat_floor_before", floor_before}});
  write_schema(step.connection, ledger);
  auto& counters = executor.counters();
  write_history(step, migration.number, migration.name, "up", checksum, counters.returned + counters.superseded + counters.parked, milliseconds_since(start));
  add(step.counters, counters);
  check_probes(step.connection, migration.number, prepared, Direction::Up);
}

void step_down(StepContext& step, const WayBack& back) {
  auto start = std::chrono::steady_clock::now();
  auto& ledger = step.ledger;
  if (back.migration != ledger.schema) throw Failure(FailureKind::Bug, "Something went wrong on our side.").with_details("ways back out of order");
  migrations::Executor executor(step.connection, ledger.structure, back.migration, step.run, now_text());
  if (step.batch) executor.on_tick(step.batch);
  for (int number = static_cast<int>(back.operations.size()) - 1; number >= 0; --number) {
    auto& operation = back.operations[static_cast<std::size_t>(number)];
    if (step.tick) step.tick("undo: " + migrations::describe(operation));
    executor.run(operation, number, Direction::Down);
  }
  ledger.schema = ledger.level = back.migration - 1;
  ledger.compat_floor = back.compat_floor_before;
  ledger.made_by = version();
  step.connection.execute("DELETE FROM upgrade_down WHERE migration = ?", {back.migration});
  write_schema(step.connection, ledger);
  auto& counters = executor.counters();
  write_history(step, back.migration, back.name, "down", migrations::checksum(migrations::operations_text(back.operations)), counters.parked + counters.returned, milliseconds_since(start));
  add(step.counters, counters);
  check_probes(step.connection, back.migration, back.operations, Direction::Down);
}

void check_probes(Connection& c, int migration, const std::vector<migrations::Operation>& operations, Direction direction) {
  // Later operations of one migration may hide earlier ones (a table made, then renamed): only the last one on each table tells.
  std::map<std::string, std::size_t> last;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    auto at = direction == Direction::Up ? i : operations.size() - 1 - i;
    last[migrations::table_of(operations[at])] = at;
  }
  for (auto& [table, at] : last) {
    auto there = migrations::probe(c, operations[at], migration, static_cast<int>(at));
    if (there && *there != (direction == Direction::Up))
      throw Failure(FailureKind::Bug, "The change was made but is not there: " + migrations::describe(operations[at]) + ". Nothing was kept of it.");
  }
}

}  // namespace basalt::upgrade
