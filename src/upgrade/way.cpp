#include <unistd.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "appdb/sqlite_connection.h"
#include "base/failure.h"
#include "base/log.h"
#include "base/version.h"
#include "upgrade/files.h"
#include "upgrade/run_parts.h"

namespace basalt::upgrade {

using appdb::Connection;
using appdb::Engine;

namespace {

// What was run must be what this binary has: a migration never changes once it is released.
void check_same_history(const Context& context, Connection& c, int schema) {
  std::map<int, std::string> stored;
  c.each("SELECT migration, checksum FROM upgrade_down", {}, [&](const appdb::Row& row) { stored[static_cast<int>(row.integer("migration"))] = row.text("checksum"); });
  migrations::Structure s;
  for (auto& migration : context.migrations) {
    if (migration.number > schema) return;
    std::vector<migrations::Operation> prepared;
    for (auto& raw : migration.operations) {
      auto operation = migrations::prepare(raw, s);
      migrations::apply_to(s, operation, migration.number, static_cast<int>(prepared.size()));
      prepared.push_back(std::move(operation));
    }
    auto found = stored.find(migration.number);
    if (found != stored.end() && found->second != migrations::checksum(migrations::operations_text(prepared)))
      throw Failure(FailureKind::BadRequest, "Migration " + std::to_string(migration.number) + " (" + migration.name + ") was run on this data in another form than this version knows; use the version that made the data.");
  }
}

}  // namespace

int Way::operations() const {
  std::size_t total = 0;
  for (auto& m : ups) total += m.operations.size();
  for (auto& b : downs) total += b.operations.size();
  return static_cast<int>(total);
}

Way way_to(const Context& context, Connection& c, const Ledger& ledger, int to) {
  Way way{ledger.schema, to, {}, {}};
  if (way.up()) {
    check_same_history(context, c, ledger.schema);
    for (auto& m : context.migrations) if (m.number > ledger.schema && m.number <= to) way.ups.push_back(m);
    if (static_cast<int>(way.ups.size()) != to - ledger.schema)
      throw Failure(FailureKind::BadRequest, "This version knows no way from schema " + std::to_string(ledger.schema) + " to " + std::to_string(to) + "; it knows up to " + std::to_string(target_of(context)) + ".");
  } else {
    way.downs = ways_back(c, to);
    if (static_cast<int>(way.downs.size()) != ledger.schema - to)
      throw Failure(FailureKind::BadRequest, "The way back from schema " + std::to_string(ledger.schema) + " to " + std::to_string(to) + " is not stored with the data; restore a backup instead.");
  }
  return way;
}

void run_way(Attempt& attempt, StepContext& step, const Way& way, const std::function<void(const std::function<void()>&)>& around) {
  int total = static_cast<int>(way.ups.size() + way.downs.size()), number = 0, operation_number = 0, operations = std::max(1, way.operations());
  auto one = [&](const auto& migration, auto run) {
    ++number;
    int before = operation_number;
    around([&] {
      operation_number = before;
      step.tick = [&](const std::string& operation) {
        attempt.edge("before " + operation);
        attempt.at(way.up() ? "expanding" : "stepping-down", 0.45 + 0.4 * operation_number++ / operations, operation, number, total);
      };
      run(step, migration);
      attempt.edge("after migration " + migration.name);
    });
  };
  for (auto& m : way.ups) one(m, [](StepContext& s, const migrations::Migration& m) { step_up(s, m); });
  for (auto& b : way.downs) one(b, [](StepContext& s, const WayBack& b) { step_down(s, b); });
}

Touched touched_by(const Way& way) {
  Touched out;
  auto look = [&](const migrations::Operation& operation) {
    out.tables.insert(migrations::table_of(operation));
    if (auto* o = std::get_if<migrations::RenameTable>(&operation)) {
      out.tables.insert(o->to);
      out.rows.insert({o->from, o->to});
    }
    if (auto* o = std::get_if<migrations::CreateTable>(&operation)) out.rows.insert(o->table.name);
    if (auto* o = std::get_if<migrations::DropTable>(&operation)) out.rows.insert(o->table);
    if (auto* o = std::get_if<migrations::InsertRows>(&operation)) out.rows.insert(o->table);
    if (auto* o = std::get_if<migrations::AddUnique>(&operation); o && o->duplicates.rename.empty()) out.rows.insert(o->table);
    if (auto* o = std::get_if<migrations::DropUnique>(&operation); o && o->duplicates.rename.empty()) out.rows.insert(o->table);
  };
  for (auto& m : way.ups) for (auto& o : m.operations) look(o);
  for (auto& b : way.downs) for (auto& o : b.operations) look(o);
  return out;
}

std::string file_time() {
  std::string out;
  for (char c : now_text().substr(0, 19)) if (c != '-' && c != ':') out += c;
  return out;
}

void write_side_file(const Context& context, const std::string& state, int from, int to, const std::string& backup, const std::string& error) {
  json::object out{{"state", state}, {"from", from}, {"to", to}, {"binary", version()}, {"pid", getpid()}, {"at", now_text()}, {"backup", backup.empty() ? json::value(nullptr) : json::value(backup)}};
  if (!error.empty()) out["error"] = error;
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
  // What is in the log must be in the file before the file gets another name; and no log may be left that the new file would take for its own.
  original->query("PRAGMA wal_checkpoint(TRUNCATE)");
  original.reset();
  std::error_code error;
  auto log = file.string() + "-wal";
  if (std::filesystem::exists(log) && std::filesystem::file_size(log, error) > 0)
    throw Failure(FailureKind::Conflict, "Another program has the application database open (" + file.string() + "); close it and try again. Nothing was changed.");
  std::filesystem::remove(log, error);
  std::filesystem::remove(file.string() + "-shm", error);
  attempt.edge("before keeping the original");
  std::filesystem::remove(keep_as, error);
  std::filesystem::create_hard_link(file, keep_as, error);
  if (error) {
    // A file system without hard links: a copy does as well, only slower.
    std::filesystem::copy_file(file, keep_as);
    sync_file(keep_as);
  }
  attempt.edge("before the swap");
  std::filesystem::rename(changed, file);
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
