#include "upgrade/ledger.h"

#include <map>

#include "appdb/sqlite_connection.h"
#include "base/failure.h"
#include "base/random.h"
#include "base/version.h"
#include "migrations/prework.h"

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

void write_history(StepContext& step, int migration, const std::string& name, const char* direction, const std::string& checksum, std::int64_t rows, std::int64_t ms, const std::string& state) {
  step.connection.insert("upgrade_history", {{"migration", migration}, {"name", name}, {"direction", direction}, {"checksum", checksum}, {"state", state}, {"rows_changed", rows}, {"ms", ms},
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

namespace {

// The probes say what they must. Later operations may hide earlier ones (a table made, then renamed): only the last one on each
// table tells.
void check_probes(Connection& c, const Unit& unit, Direction direction) {
  std::map<std::string, int> last;
  for (int place : unit.run) last[migrations::table_of(unit.all[static_cast<std::size_t>(place)])] = place;
  for (auto& [table, place] : last) {
    auto& operation = unit.all[static_cast<std::size_t>(place)];
    auto there = migrations::probe(c, operation, unit.migration, place);
    if (there && *there != (direction == Direction::Up))
      throw Failure(FailureKind::Bug, "The change was made but is not there: " + migrations::describe(operation) + ". Nothing was kept of it.");
  }
}

void put_way_back(Connection& c, const Unit& unit, const std::string& text) {
  c.execute("DELETE FROM upgrade_down WHERE migration = ?", {unit.migration});
  c.insert("upgrade_down", {{"migration", unit.migration}, {"name", unit.name}, {"since_version", unit.since_version}, {"operations", text}, {"operations_version", migrations::operations_version},
                            {"checksum", migrations::checksum(text)}, {"compat_floor_before", unit.floor_before}});
}

}  // namespace

std::string Unit::describe(int place) const {
  return (kind == Kind::Down ? "undo: " : "") + migrations::describe(all[static_cast<std::size_t>(place)]);
}

void run_unit(StepContext& step, const Unit& unit) {
  auto start = std::chrono::steady_clock::now();
  auto& c = step.connection;
  auto& ledger = step.ledger;
  bool up = unit.kind != Unit::Kind::Down;
  bool in_order = unit.kind == Unit::Kind::Up ? unit.migration == ledger.schema + 1 : unit.kind == Unit::Kind::Down ? unit.migration == ledger.schema : unit.migration <= ledger.schema;
  if (!in_order) throw Failure(FailureKind::Bug, "Something went wrong on our side.").with_details("steps out of order: " + std::to_string(unit.migration) + " at schema " + std::to_string(ledger.schema));
  auto direction = up ? Direction::Up : Direction::Down;
  // What was prepared for operations that now will not be run.
  if (!up && c.engine() == Engine::Postgres) migrations::forget_prework(c);
  migrations::Executor executor(c, ledger.structure, unit.migration, step.run, now_text());
  if (step.batch) executor.on_tick(step.batch);
  executor.leave_slow_work(step.leave_slow_work);
  for (int place : unit.run) {
    if (step.tick) step.tick(unit.describe(place));
    executor.run(unit.all[static_cast<std::size_t>(place)], place, direction);
  }
  auto text = migrations::operations_text(unit.all);
  auto& counters = executor.counters();
  std::string state = "done";
  auto drop_pending = [&] { std::erase_if(ledger.pending, [&](auto& p) { return p.first == unit.migration; }); };
  switch (unit.kind) {
    case Unit::Kind::Up:
      if (!ledger.present) {
        ledger.instance_id = uuid4();
        put_meta(c, "instance_id", ledger.instance_id);
        c.insert("upgrade_lock", {{"name", "upgrade"}, {"fence", 0}});
        ledger.present = true;
      }
      ledger.schema = unit.migration;
      for (int place : unit.waits) ledger.pending.emplace_back(unit.migration, place);
      if (!unit.waits.empty()) state = "expanded";
      put_way_back(c, unit, text);
      break;
    case Unit::Kind::Finalise:
      drop_pending();
      // The same by meaning, whatever the order in which it came about.
      if (ledger.pending.empty() && unit.structure) ledger.structure = *unit.structure;
      state = "finalised";
      break;
    case Unit::Kind::Down:
      drop_pending();
      ledger.schema = unit.migration - 1;
      c.execute("DELETE FROM upgrade_down WHERE migration = ?", {unit.migration});
      break;
  }
  // The floor follows the level: what is not in effect yet keeps no older version out.
  bool pending = !ledger.pending.empty();
  ledger.level = pending ? std::min(ledger.schema, ledger.pending.front().first - 1) : ledger.schema;
  if (unit.kind == Unit::Kind::Down) {
    if (!pending) ledger.compat_floor = unit.floor_after;
  } else if (unit.kind == Unit::Kind::Finalise || !pending) {
    ledger.compat_floor = std::max(ledger.compat_floor, unit.floor_after);
  }
  if (!pending && unit.kind != Unit::Kind::Up) ledger.expanded_at.clear();
  ledger.made_by = version();
  write_schema(c, ledger);
  write_history(step, unit.migration, unit.name, up ? "up" : "down", migrations::checksum(text), counters.parked + counters.returned + (up ? counters.superseded : 0), milliseconds_since(start), state);
  add(step.counters, counters);
  check_probes(c, unit, direction);
}

}  // namespace basalt::upgrade
