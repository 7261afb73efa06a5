#include "upgrade/plan.h"

#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "base/failure.h"
#include "base/log.h"
#include "base/version.h"
#include "upgrade/backup.h"
#include "upgrade/drift.h"
#include "upgrade/files.h"
#include "upgrade/nodes.h"
#include "upgrade/plan_costs.h"
#include "upgrade/rehearse.h"
#include "upgrade/run_parts.h"

namespace basalt::upgrade {

using appdb::Connection;
using appdb::Engine;
using migrations::Direction;

namespace {

constexpr int oldest_sqlite = 3035000, oldest_postgres = 120000;  // RETURNING and DROP COLUMN; online constraints

std::filesystem::path rehearsal_file(const Context& context) { return context.data_dir / "rehearsal.json"; }

// What the last rehearsal measured, when it was of this very change on this very data.
json::value last_rehearsal(const Context& context, const Ledger& ledger, int to) {
  std::ifstream in(rehearsal_file(context));
  std::stringstream text;
  text << in.rdbuf();
  auto v = json::try_parse(text.str());
  if (!v || json::integer(*v, "from") != ledger.schema || json::integer(*v, "to") != to || json::text(*v, "instance_id") != ledger.instance_id || json::text(*v, "binary") != version()) return nullptr;
  return *v;
}

Goal goal_of(const Ledger& ledger, int to) { return {to >= ledger.schema ? Goal::Kind::Up : Goal::Kind::Down, to}; }

class Planner {
 public:
  Planner(Context& context, Plan& out) : context_(context), out_(out) {}

  void run(Connection& c, std::optional<int> to) {
    auto ledger = read_ledger(c);
    out_.from = ledger.schema;
    int target = target_of(context_);
    // Newer data that this binary can open stays; data that it cannot needs the way down.
    out_.to = to.value_or(decide(ledger, target) == Decision::RunNewer ? ledger.schema : target);
    out_.fresh = !ledger.present;
    engine_version(c);
    if (!ledger.present) {
      for (auto& m : context_.migrations) if (m.number <= out_.to) add_fresh(m);
      return;
    }
    for (auto& node : nodes(c, context_.node_id)) {
      if (node.self) continue;
      if (!node.live) out_.stale_nodes.push_back({node.name, node.binary, node.heartbeat, node.target});
      else if (node.target < std::max(out_.to, ledger.schema)) out_.older_nodes.push_back({node.name, node.binary, node.heartbeat, node.target});
    }
    for (auto& one : upgrade::drift(c, ledger)) {
      auto json = one.to_json();
      out_.drift.push_back({std::string(json.at("kind").as_string()), one.object, one.sentence, one.repair, one.blocks()});
    }
    waiting(c, ledger);
    if (auto holder = lock_holder(context_, c)) out_.lock_holder = holder->sentence();
    if (out_.to == ledger.schema) return;
    steps(c, ledger);
    estimate(c, ledger);
    if (!out_.lock_holder.empty()) block("The data is being changed right now by " + out_.lock_holder + "; wait until it is done.");
    for (auto& one : out_.drift) if (one.blocks) block(one.sentence);
  }

  void block(std::string sentence) {
    if (out_.blocked.empty()) out_.blocked = sentence;
    if (std::find(out_.reasons.begin(), out_.reasons.end(), sentence) == out_.reasons.end()) out_.reasons.push_back(std::move(sentence));
  }

 private:
  void engine_version(Connection& c) {
    if (c.engine() == Engine::Sqlite) {
      out_.engine = std::string("SQLite ") + sqlite3_libversion();
      if (sqlite3_libversion_number() < oldest_sqlite) block("The SQLite library here is " + std::string(sqlite3_libversion()) + "; Basalt needs 3.35 or later.");
      return;
    }
    auto row = c.query_one("SELECT split_part(current_setting('server_version'), ' ', 1) AS version, current_setting('server_version_num')::bigint AS number, pg_is_in_recovery() AS replica");
    out_.engine = "PostgreSQL " + row->text("version");
    if (row->integer("number") < oldest_postgres) block("The application database is " + out_.engine + "; Basalt needs 12 or later.");
    if (row->boolean("replica")) block("The application database is a replica and cannot be written to; give Basalt the address of the primary.");
  }

  void waiting(Connection& c, const Ledger& ledger) {
    if (ledger.pending.empty()) return;
    std::map<int, std::vector<migrations::Operation>> stored;
    try {
      for (auto& back : ways_back(c, ledger.level)) stored[back.migration] = back.operations;
    } catch (const Failure&) {
      // A later version's operations; their number says enough.
    }
    for (auto& [migration, place] : ledger.pending) {
      auto found = stored.find(migration);
      bool known = found != stored.end() && place < static_cast<int>(found->second.size());
      out_.waiting.push_back(known ? migrations::describe(found->second[static_cast<std::size_t>(place)]) : "an operation of migration " + std::to_string(migration));
    }
  }

  std::int64_t rows_of(Connection& c, const std::string& table) {
    auto known = rows_.find(table);
    if (known != rows_.end()) return known->second;
    return rows_[table] = migrations::table_exists(c, table) ? c.count("SELECT count(*) FROM " + appdb::quoted(table)) : 0;
  }

  void add_fresh(const migrations::Migration& m) {
    PlanStep step{m.number, m.name, "up", {}, 0, 0, 0};
    for (auto& operation : m.operations) step.operations.push_back({migrations::describe(operation), "now", 0, "none", 0, 0.001});
    out_.steps.push_back(std::move(step));
  }

  // The seconds that this very migration took on this data the last time.
  std::optional<double> measured(Connection& c, int migration, const char* direction) {
    // Its parts, when what older nodes could not live with was done later: all since it went the other way.
    auto row = c.query_one("SELECT sum(ms) AS ms, count(*) AS n FROM upgrade_history WHERE migration = ? AND direction = ? AND id > (SELECT coalesce(max(id), 0) FROM upgrade_history WHERE migration = ? AND direction <> ? AND "
                           "id < (SELECT max(id) FROM upgrade_history WHERE migration = ? AND direction = ?))",
                           {migration, direction, migration, direction, migration, direction});
    return row && row->integer("n") > 0 ? std::optional(static_cast<double>(row->integer("ms")) / 1000) : std::nullopt;
  }

  void add_unit(Connection& c, const Unit& unit, bool finalised_now) {
    bool down = unit.kind == Unit::Kind::Down;
    PlanStep step{unit.migration, unit.name, down ? "down" : "up", {}, 0, 0, 0};
    // A step that was begun by the same way, when it finalises what it put off in units of their own.
    auto begun = std::find_if(out_.steps.begin(), out_.steps.end(), [&](auto& s) { return s.migration == unit.migration && s.direction == step.direction; });
    std::set<std::string> tables;
    auto add = [&](int place, const char* phase) {
      auto& operation = unit.all[static_cast<std::size_t>(place)];
      auto table = migrations::table_of(operation);
      auto rows = rows_of(c, table);
      auto cost = cost_of(c.engine(), operation, down ? Direction::Down : Direction::Up, rows);
      if (tables.insert(table).second) step.rows += rows;
      if (down) step.will_park += migrations::would_park(c, operation);
      step.seconds += cost.seconds;
      if (cost.copies && c.engine() == Engine::Postgres && migrations::table_exists(c, table)) out_.server_bytes_needed += c.count("SELECT pg_total_relation_size(?::regclass)", {"\"" + table + "\""});
      step.operations.push_back({unit.describe(place), phase, rows, cost.lock, cost.lock_ms, cost.seconds});
    };
    if (begun == out_.steps.end()) {
      for (int place : unit.run) add(place, "now");
      for (int place : unit.waits) add(place, finalised_now ? "now" : "finalise");
      // As the migration lists them; the way down is in its own order.
      if (auto known = measured(c, unit.migration, down ? "down" : "up"); known && (unit.waits.empty() || finalised_now)) step.seconds = *known;
      else measured_ = false;
      if (!step.operations.empty()) out_.steps.push_back(std::move(step));
    }
  }

  void steps(Connection& c, const Ledger& ledger) {
    Job job;
    try {
      if (out_.to < 1) throw Failure(FailureKind::BadRequest, "The oldest schema to step down to is 1.");
      auto goal = goal_of(ledger, out_.to);
      try {
        job = job_for(context_, c, goal, Preflight::Done);
      } catch (const Failure& failure) {
        if (failure.kind() != FailureKind::Conflict) throw;
        // Refused because of who else is there; what would be done is known all the same.
        block(failure.sentence());
        job.way = way_to(context_, c, ledger, out_.to);
      }
    } catch (const Failure& failure) {
      block(failure.sentence());
      return;
    }
    for (auto& unit : job.way.units) add_unit(c, unit, job.way.finalises() || job.way.downs.size() > 0);
    if (job.way.up()) {
      later(c, ledger, job.way);
      return;
    }
    std::vector<std::string> live;
    for (auto& node : nodes(c, context_.node_id)) if (node.live && !node.self) live.push_back(node.name + " (" + node.binary + ")");
    if (job.alone && !live.empty()) block(listed(live) + (live.size() == 1 ? " is" : " are") + " still serving this data; stop " + (live.size() == 1 ? "it" : "them") + " first, then step down.");
  }

  // What the way back would have to park.
  void later(Connection& c, const Ledger& ledger, const Way& way) {
    out_.later_parks = c.count("SELECT count(*) FROM upgrade_park WHERE state = 'parked' AND direction = 'down' AND migration > ? AND migration <= ?", {ledger.schema, out_.to});
    for (auto& m : way.ups)
      for (auto& operation : m.operations) {
        std::string place;
        if (auto* o = std::get_if<migrations::AddColumn>(&operation)) place = "values in " + o->table + "." + o->column.name;
        if (auto* o = std::get_if<migrations::CreateTable>(&operation)) place = "rows of " + o->table.name;
        if (auto* o = std::get_if<migrations::ChangeColumn>(&operation)) place = "values of " + o->table + "." + o->column.name + " that only the new rule allows";
        if (auto* o = std::get_if<migrations::DropUnique>(&operation)) place = (o->duplicates.rename.empty() ? "rows of " : "names in ") + o->table + " that are there twice";
        if (auto* o = std::get_if<migrations::ReshapeJson>(&operation)) place = "what only the new shape of " + o->table + "." + o->column + " holds";
        if (!place.empty()) out_.later_places.push_back(std::move(place));
      }
  }

  void estimate(Connection& c, const Ledger& ledger) {
    double change = 0;
    for (auto& step : out_.steps) {
      double now = 0;
      for (auto& operation : step.operations) {
        if (operation.phase == "now") now += operation.lock_ms;
        // One that makes others wait for a moment only is nothing to speak of.
        if (operation.lock_ms > out_.longest_lock_ms) {
          out_.longest_lock_ms = operation.lock_ms;
          out_.longest_lock = operation.text;
        }
      }
      pause_ += now;
      change += step.seconds;
    }
    // SQLite makes the whole change in one transaction: writers wait for all of it.
    if (c.engine() == Engine::Sqlite) {
      out_.longest_lock_ms = pause_ + 20;
      out_.longest_lock = "the whole change, in one transaction";
    } else if (out_.longest_lock_ms <= 10) {
      out_.longest_lock.clear();
    }
    change_ = change;
    auto rehearsal = last_rehearsal(context_, ledger, out_.to);
    if (!rehearsal.is_null()) {
      out_.eta_from = "rehearsal";
      out_.rehearsed_at = json::text(rehearsal, "at").value_or("");
      rehearsal_ = rehearsal;
    } else {
      out_.eta_from = measured_ && !out_.steps.empty() ? "history" : "model";
    }
  }

 public:
  // What needs no connection, and may not have one open: space and time.
  void after() {
    if (out_.steps.empty() || out_.fresh) return;
    auto bytes = backup_space(context_);
    bool sqlite = context_.store.engine() == Engine::Sqlite;
    out_.bytes_needed = bytes + (sqlite ? sqlite_bytes(context_.store.options().sqlite_path) * 2 : 0);
    out_.bytes_free = free_bytes(context_.data_dir);
    if (out_.bytes_free < out_.bytes_needed)
      block(context_.data_dir.string() + " has " + megabytes(out_.bytes_free) + " free and this change with its backup needs " + megabytes(out_.bytes_needed) + "; free some space.");
    // Backup and its verification read, pack, unpack and compare everything once; then the change is made twice: rehearsed, and for real.
    double backup = 0.1 + static_cast<double>(bytes) / 3 / (sqlite ? 35e6 : 20e6), change = change_;
    double spread = out_.eta_from == "history" ? 1.6 : 2.2;
    if (out_.eta_from == "rehearsal") {
      auto number = [&](const char* key) { return rehearsal_.at(key).is_double() ? rehearsal_.at(key).as_double() : static_cast<double>(rehearsal_.at(key).to_number<std::int64_t>()); };
      // Data that has grown since takes longer, in proportion.
      double grown = std::max(1.0, static_cast<double>(bytes) / std::max(1.0, number("bytes")));
      backup = number("backup_seconds") * grown;
      change = number("change_seconds") * grown;
      spread = 1.4;
    }
    out_.eta_seconds = backup + 2 * change + 0.1;
    out_.eta_p95_seconds = out_.eta_seconds * spread;
  }

 private:
  Context& context_;
  Plan& out_;
  std::map<std::string, std::int64_t> rows_;
  bool measured_ = true;
  double change_ = 0, pause_ = 0;
  json::value rehearsal_;
};

double seconds_since(std::chrono::steady_clock::time_point start) { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); }

}  // namespace

Plan plan(Context& context, std::optional<int> to) {
  Plan out;
  Planner planner(context, out);
  context.store.read([&](Connection& c) { planner.run(c, to); });
  planner.after();
  return out;
}

Plan rehearsed_plan(Context& context, std::optional<int> to) {
  auto first = plan(context, to);
  if (first.steps.empty() || first.fresh || !first.blocked.empty()) return first;
  Attempt attempt(context);
  auto connection = context.store.connect();
  auto& c = *connection;
  auto ledger = read_ledger(c);
  auto job = job_for(context, c, goal_of(ledger, first.to));
  auto bytes = backup_space(context);
  auto start = std::chrono::steady_clock::now();
  attempt.at("backing-up", 0.02, "back up");
  auto made = make_backup(context, "manual", "for a rehearsal of the way to schema " + std::to_string(first.to), [&](double part) { attempt.at(part < 0.6 ? "backing-up" : "verifying-backup", 0.02 + 0.48 * part); }, KeepRestored::Yes);
  double backup_seconds = seconds_since(start);
  attempt.at("rehearsing", 0.5, "rehearse");
  start = std::chrono::steady_clock::now();
  auto expectation = rehearse(context, attempt, made, job);
  auto whole = seconds_since(start);
  json::array units;
  for (double seconds : expectation.seconds) units.push_back(seconds);
  write_durably(rehearsal_file(context), json::write(json::object{{"from", job.before.schema}, {"to", first.to}, {"instance_id", job.before.instance_id}, {"binary", version()}, {"at", now_text()}, {"bytes", bytes},
                                                                  {"backup_seconds", backup_seconds}, {"rehearsal_seconds", whole}, {"change_seconds", expectation.total()}, {"units", std::move(units)}}) +
                                             "\n");
  return plan(context, to);
}

namespace {

double rounded(double v, double to) { return std::round(v * to) / to; }
json::value text_or_null(const std::string& s) { return s.empty() ? json::value(nullptr) : json::value(s); }
json::array nodes_json(const std::vector<PlanNode>& nodes) {
  json::array out;
  for (auto& n : nodes) out.push_back(json::object{{"name", n.name}, {"binary", n.binary}, {"target", n.target}, {"heartbeat", n.heartbeat}});
  return out;
}
json::array texts(const std::vector<std::string>& all) {
  json::array out;
  for (auto& one : all) out.emplace_back(one);
  return out;
}

}  // namespace

json::object Plan::to_json() const {
  json::array list, drifts;
  for (auto& s : steps) {
    json::array operations;
    for (auto& o : s.operations)
      operations.push_back(json::object{{"text", o.text}, {"phase", o.phase}, {"rows", o.rows}, {"lock", o.lock}, {"lock_ms", rounded(o.lock_ms, 10)}, {"seconds", rounded(o.seconds, 1000)}});
    list.push_back(json::object{{"migration", s.migration}, {"name", s.name}, {"direction", s.direction}, {"operations", std::move(operations)}, {"rows", s.rows}, {"will_park", s.will_park}, {"seconds", rounded(s.seconds, 1000)}});
  }
  for (auto& d : drift) drifts.push_back(json::object{{"kind", d.kind}, {"object", d.object}, {"sentence", d.sentence}, {"repair", text_or_null(d.repair)}, {"blocks", d.blocks}});
  return {{"from", from}, {"to", to}, {"fresh", fresh}, {"steps", std::move(list)}, {"blocked", text_or_null(blocked)}, {"reasons", texts(reasons)}, {"bytes_needed", bytes_needed}, {"bytes_free", bytes_free},
          {"server_bytes_needed", server_bytes_needed}, {"longest_lock_ms", rounded(longest_lock_ms, 10)}, {"longest_lock", text_or_null(longest_lock)}, {"eta_seconds", rounded(eta_seconds, 10)},
          {"eta_p95_seconds", rounded(eta_p95_seconds, 10)}, {"eta_from", text_or_null(eta_from)}, {"rehearsed_at", text_or_null(rehearsed_at)}, {"engine", engine}, {"drift", std::move(drifts)},
          {"older_nodes", nodes_json(older_nodes)}, {"stale_nodes", nodes_json(stale_nodes)}, {"waiting", texts(waiting)}, {"later_parks", later_parks}, {"later_places", texts(later_places)}, {"lock_holder", text_or_null(lock_holder)}};
}

}  // namespace basalt::upgrade
