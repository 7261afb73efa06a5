#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include "appdb/sqlite_connection.h"
#include "base/failure.h"
#include "base/log.h"
#include "base/version.h"
#include "migrations/phases.h"
#include "upgrade/files.h"
#include "upgrade/run_parts.h"

namespace basalt::upgrade {

using appdb::Connection;
using appdb::Engine;

namespace {

// What each migration up to `last` is as it is stored: its operations prepared in the order of the migrations, whatever the order
// in which they are run. What was run must be what this binary has: a migration never changes once it is released.
std::vector<migrations::Migration> prepared_migrations(const Context& context, Connection& c, int schema) {
  std::map<int, std::string> stored;
  c.each("SELECT migration, checksum FROM upgrade_down", {}, [&](const appdb::Row& row) { stored[static_cast<int>(row.integer("migration"))] = row.text("checksum"); });
  auto out = context.migrations;
  migrations::Structure s;
  for (auto& migration : out) {
    int number = 0;
    for (auto& operation : migration.operations) {
      operation = migrations::prepare(operation, s);
      migrations::apply_to(s, operation, migration.number, number++);
    }
    auto found = stored.find(migration.number);
    if (migration.number <= schema && found != stored.end() && found->second != migrations::checksum(migrations::operations_text(migration.operations)))
      throw Failure(FailureKind::BadRequest, "Migration " + std::to_string(migration.number) + " (" + migration.name + ") was run on this data in another form than this version knows; use the version that made the data.");
  }
  return out;
}

int floor_at(const std::vector<migrations::Migration>& all, int schema) {
  int floor = 1;
  for (auto& m : all) if (m.number <= schema) floor = std::max(floor, m.compat_floor);
  return floor;
}

Unit unit_of(const std::vector<migrations::Migration>& all, const migrations::Migration& m, Unit::Kind kind) {
  Unit out;
  out.kind = kind;
  out.migration = m.number;
  out.name = m.name;
  out.since_version = m.since_version;
  out.all = m.operations;
  out.floor_before = floor_at(all, m.number - 1);
  out.floor_after = floor_at(all, m.number);
  return out;
}

using Places = std::vector<std::pair<int, int>>;

// Units that put `pending` (sorted) into effect, when the data then has schema `schema`.
std::vector<Unit> finalising(const std::vector<migrations::Migration>& all, const Places& pending, int schema) {
  std::vector<Unit> out;
  for (std::size_t i = 0; i < pending.size();) {
    int number = pending[i].first;
    auto found = std::find_if(all.begin(), all.end(), [&](auto& m) { return m.number == number; });
    if (found == all.end())
      throw Failure(FailureKind::BadRequest, "This version is older than the upgrade that is to be finalised; do it with the version that made the data.");
    auto unit = unit_of(all, *found, Unit::Kind::Finalise);
    for (; i < pending.size() && pending[i].first == number; ++i) unit.run.push_back(pending[i].second);
    unit.floor_after = floor_at(all, i < pending.size() ? std::min(schema, pending[i].first - 1) : schema);
    if (i == pending.size()) {
      unit.structure.emplace();
      for (auto& m : all)
        for (int place = 0; m.number <= schema && place < static_cast<int>(m.operations.size()); ++place) migrations::apply_to(*unit.structure, m.operations[static_cast<std::size_t>(place)], m.number, place);
    }
    out.push_back(std::move(unit));
  }
  return out;
}

}  // namespace

bool Way::finalises() const {
  return std::any_of(units.begin(), units.end(), [](auto& u) { return u.kind == Unit::Kind::Finalise; });
}

int Way::operations() const {
  std::size_t total = 0;
  for (auto& u : units) total += u.run.size();
  return static_cast<int>(total);
}

Way way_to(const Context& context, Connection& c, const Ledger& ledger, int to, Order order) {
  Way way;
  way.from = ledger.schema;
  way.to = to;
  if (to > ledger.schema) {
    auto all = prepared_migrations(context, c, ledger.schema);
    for (auto& m : all) if (m.number > ledger.schema && m.number <= to) way.ups.push_back(m);
    if (static_cast<int>(way.ups.size()) != to - ledger.schema)
      throw Failure(FailureKind::BadRequest, "This version knows no way from schema " + std::to_string(ledger.schema) + " to " + std::to_string(to) + "; it knows up to " + std::to_string(target_of(context)) + ".");
    Places waits;
    if (order != Order::AtOnce) {
      // Looked at from the first migration that is not all in effect: what comes later may have to wait for what waits already.
      std::vector<migrations::Migration> above;
      for (auto& m : all) if (m.number > ledger.level && m.number <= to) above.push_back(m);
      waits = migrations::put_off(above);
      std::erase_if(waits, [&](auto& w) { return w.first <= ledger.schema; });
    } else if (!ledger.pending.empty()) {
      way.units = finalising(all, ledger.pending, ledger.schema);
    }
    for (auto& m : way.ups) {
      auto unit = unit_of(all, m, Unit::Kind::Up);
      for (int place = 0; place < static_cast<int>(m.operations.size()); ++place)
        (std::find(waits.begin(), waits.end(), std::pair(m.number, place)) == waits.end() ? unit.run : unit.waits).push_back(place);
      way.units.push_back(std::move(unit));
    }
    if (order == Order::ExpandThenFinalise) {
      auto pending = ledger.pending;
      pending.insert(pending.end(), waits.begin(), waits.end());
      for (auto& unit : finalising(all, pending, to)) way.units.push_back(std::move(unit));
    }
  } else if (to < ledger.schema) {
    way.downs = ways_back(c, to);
    if (static_cast<int>(way.downs.size()) != ledger.schema - to)
      throw Failure(FailureKind::BadRequest, "The way back from schema " + std::to_string(ledger.schema) + " to " + std::to_string(to) + " is not stored with the data; restore a backup instead.");
    for (auto& back : way.downs) {
      Unit unit;
      unit.kind = Unit::Kind::Down;
      unit.migration = back.migration;
      unit.name = back.name;
      unit.since_version = back.since_version;
      unit.all = back.operations;
      unit.floor_before = unit.floor_after = back.compat_floor_before;
      // What never took effect needs no way back.
      for (int place = static_cast<int>(back.operations.size()) - 1; place >= 0; --place)
        if (std::find(ledger.pending.begin(), ledger.pending.end(), std::pair(back.migration, place)) == ledger.pending.end()) unit.run.push_back(place);
      way.units.push_back(std::move(unit));
    }
  }
  return way;
}

Way way_to_finalise(const Context& context, Connection& c, const Ledger& ledger) {
  Way way;
  way.from = way.to = ledger.schema;
  if (!ledger.pending.empty()) way.units = finalising(prepared_migrations(context, c, ledger.schema), ledger.pending, ledger.schema);
  return way;
}

void run_way(Attempt& attempt, StepContext& step, const Way& way, const std::function<void(const std::function<void()>&)>& around, const Pace& pace) {
  int total = static_cast<int>(way.units.size()), number = 0, operation_number = 0, operations = std::max(1, way.operations());
  double expected_left = 0;
  if (pace.expected) for (double s : *pace.expected) expected_left += s;
  for (auto& unit : way.units) {
    ++number;
    auto start = std::chrono::steady_clock::now();
    if (pace.expected) attempt.expect(expected_left);
    auto state = !pace.state.empty() ? pace.state : unit.kind == Unit::Kind::Up ? "expanding" : unit.kind == Unit::Kind::Down ? "stepping-down" : "finalising";
    int before = operation_number;
    around([&] {
      operation_number = before;
      step.tick = [&](const std::string& operation) {
        attempt.edge(pace.prefix + "before " + operation);
        attempt.at(state, pace.from + (pace.to - pace.from) * operation_number++ / operations, pace.prefix + operation, number, total);
      };
      run_unit(step, unit);
      attempt.edge(pace.prefix + "after migration " + unit.name);
    });
    if (pace.seconds) pace.seconds->push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    if (pace.expected && number <= static_cast<int>(pace.expected->size())) expected_left -= (*pace.expected)[static_cast<std::size_t>(number) - 1];
    if (pace.unit_done) pace.unit_done(unit, operation_number);
  }
}

Touched touched_by(const Way& way) {
  Touched out;
  auto look = [&](const migrations::Operation& operation, bool up) {
    out.tables.insert(migrations::table_of(operation));
    bool by_catalogue = std::holds_alternative<migrations::CreateIndex>(operation) || (up && std::holds_alternative<migrations::AddColumn>(operation));
    if (!by_catalogue) out.contents.insert(migrations::table_of(operation));
    if (auto* o = std::get_if<migrations::RenameTable>(&operation)) {
      out.tables.insert(o->to);
      out.rows.insert({o->from, o->to});
    }
    if (auto* o = std::get_if<migrations::CreateTable>(&operation)) out.rows.insert(o->table.name);
    if (auto* o = std::get_if<migrations::DropTable>(&operation)) out.rows.insert(o->table);
    if (auto* o = std::get_if<migrations::InsertRows>(&operation)) {
      out.rows.insert(o->table);
      out.by_chance.insert(o->table);
    }
    if (auto* o = std::get_if<migrations::AddUnique>(&operation); o && o->duplicates.rename.empty()) out.rows.insert(o->table);
    if (auto* o = std::get_if<migrations::DropUnique>(&operation); o && o->duplicates.rename.empty()) out.rows.insert(o->table);
  };
  for (auto& unit : way.units) for (int place : unit.run) look(unit.all[static_cast<std::size_t>(place)], unit.kind != Unit::Kind::Down);
  return out;
}

std::string file_time() {
  std::string out;
  for (char c : now_text().substr(0, 19)) if (c != '-' && c != ':') out += c;
  return out;
}

void write_side_file(const Context& context, const std::string& state, int from, int to, const std::string& backup, const std::string& error, const ProgressNow* now) {
  json::object out{{"state", state}, {"from", from}, {"to", to}, {"binary", version()}, {"pid", getpid()}, {"at", now_text()}, {"backup", backup.empty() ? json::value(nullptr) : json::value(backup)}};
  if (!error.empty()) out["error"] = error;
  if (now) {
    out["step"] = now->step;
    out["steps"] = now->steps;
    out["step_name"] = now->step_name;
    out["rows"] = now->rows;
    out["progress"] = now->fraction;
    out["eta_seconds"] = now->eta_seconds ? json::value(*now->eta_seconds) : json::value(nullptr);
  }
  write_durably(context.data_dir / "upgrade-state.json", json::write(out) + "\n");
}

json::value read_side_file(const Context& context) {
  std::ifstream in(context.data_dir / "upgrade-state.json");
  std::stringstream text;
  text << in.rdbuf();
  auto v = json::try_parse(text.str());
  return v ? *v : json::value(nullptr);
}

void swap_in(Context& context, Attempt& attempt, std::unique_ptr<Connection> original, std::int64_t fence, const std::filesystem::path& changed, const std::filesystem::path& keep_as) {
  auto& file = context.store.options().sqlite_path;
  sync_file(changed);
  // From here on nobody reads either, for the milliseconds that it takes. The caller opens the gate again.
  context.store.close_gate(appdb::Store::Closed::Everything);
  if (original->count("SELECT coalesce(max(fence), 0) FROM upgrade_lock") != fence)
    throw Failure(FailureKind::Conflict, "Another Basalt process took the upgrade over; this one stops without changing anything.").with_error_type("fenced");
  // What is in the log must be in the file before the file gets another name; and no log may be left that the new file would take
  // for its own. `original` stays open until the new file is in its place: as long as somebody has the old one open, nobody's
  // last close moves a log into it and removes what by then would be the new file's.
  auto moved = original->query_one("PRAGMA wal_checkpoint(TRUNCATE)");
  std::error_code error;
  auto log = file.string() + "-wal";
  if (!moved || moved->integer("busy") != 0 || (std::filesystem::exists(log) && std::filesystem::file_size(log, error) > 0))
    throw Failure(FailureKind::Conflict, "Another program has the application database open (" + file.string() + "); close it and try again. Nothing was changed.");
  std::filesystem::remove(log, error);
  std::filesystem::remove(file.string() + "-shm", error);
  attempt.edge("before keeping the original");
  std::filesystem::create_hard_link(file, keep_as, error);
  if (error) {
    // A file system without hard links: a copy does as well, only slower.
    std::filesystem::copy_file(file, keep_as);
    sync_file(keep_as);
  }
  attempt.edge("before the swap");
  std::filesystem::rename(changed, file);
  original.reset();
  sync_folder(file.parent_path());
  attempt.edge("after the swap");
}

void require_alone(Context& context, Connection& c, std::string_view what) {
  if (c.engine() == Engine::Sqlite) return;
  // Our own pooled connections must not count: closed, and writes held back again.
  context.store.close_gate(appdb::Store::Closed::Everything);
  std::int64_t others = 0;
  for (int tries = 0; tries < 40; ++tries) {
    others = c.count("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'basalt' AND pid <> pg_backend_pid()");
    if (others == 0) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // a closed connection's process takes a moment to go
  }
  context.store.open_gate();
  context.store.close_gate(appdb::Store::Closed::Writes);
  if (others > 0) throw Failure(FailureKind::Conflict, "Basalt is still running on this database (" + std::to_string(others) + " connections); stop it first, then " + std::string(what) + ".");
}

}  // namespace basalt::upgrade
