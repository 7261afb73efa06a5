// migrate: what schema the data has, what would happen, and doing it. `upgrade` is the same under another name.
#include <fstream>
#include <iostream>
#include <sstream>

#include "commands/opened.h"
#include "startup/found_metabase.h"
#include "upgrade/data_state.h"

namespace basalt::commands {
namespace {

std::string text_of(const json::value& v, const char* key) { return json::text(v, key).value_or(""); }
std::int64_t number_of(const json::value& v, const char* key) { return json::integer(v, key).value_or(0); }

// The file beside the data that says what was going on last, also while the data itself is being replaced.
json::value side_file(const Config& config) {
  std::ifstream in(std::filesystem::path(config.data_directory()) / "upgrade-state.json");
  std::stringstream text;
  text << in.rdbuf();
  return json::try_parse(text.str()).value_or(json::value(nullptr));
}

std::optional<int> wanted_schema(const Options& options, const upgrade::Context& context) {
  if (options.to_schema) return options.to_schema;
  if (!options.to_version.empty()) return upgrade::schema_of_version(context, options.to_version);
  return std::nullopt;
}

// Where a bare `migrate down` goes: to this program's own schema when the data is newer, else to where the data was before the last
// upgrade that is still in effect. Absent when it never was anywhere else.
std::optional<int> schema_before(const upgrade::Context& context) {
  auto own = context.migrations.empty() ? 0 : context.migrations.back().number;
  std::map<int, std::int64_t> run_of;  // by migration, of what is in effect
  context.store.read([&](appdb::Connection& c) {
    if (!migrations::table_exists(c, "upgrade_history")) return;
    c.each("SELECT migration, direction, run FROM upgrade_history ORDER BY id", {}, [&](const appdb::Row& row) {
      auto migration = static_cast<int>(row.integer("migration"));
      if (row.text("direction") == "up") run_of.try_emplace(migration, row.optional_integer("run").value_or(0));
      else run_of.erase(migration);
    });
  });
  if (run_of.empty()) return std::nullopt;
  if (run_of.rbegin()->first > own) return own;
  int before = run_of.begin()->first;
  for (auto& [migration, run] : run_of) if (run == run_of.rbegin()->second) { before = migration; break; }
  return before > 1 ? std::optional(before - 1) : std::nullopt;
}

std::string status_text(const upgrade::Status& status, const json::value& side) {
  std::string out = status.sentence + "\n";
  if (status.schema == 0) return out;
  std::vector<std::vector<std::string>> facts;
  facts.push_back({"schema", std::to_string(status.schema) + "  (this version works with " + std::to_string(status.target) + "; versions from schema " + std::to_string(status.compat_floor) + " on can open it)"});
  if (status.level != status.schema) {
    facts.push_back({"level", std::to_string(status.level) + "  (in effect up to here; expanded at " + moment(status.expanded_at) + ")"});
    for (auto& one : status.pending) facts.push_back({facts.back()[0] == "waits" || facts.back()[0].empty() ? "" : "waits", text_of(one, "description")});
  }
  bool first = true;
  for (auto& node : status.nodes) {
    facts.push_back({first ? "nodes" : "", text_of(node, "name") + "  " + text_of(node, "binary") + "  schema " + std::to_string(number_of(node, "target")) + (json::boolean(node, "live").value_or(false) ? "" : "  not heard since " + moment(text_of(node, "heartbeat")))});
    first = false;
  }
  facts.push_back({"lock", status.lock.is_null() ? "nobody changes the data right now" : text_of(status.lock, "host") + ":" + std::to_string(number_of(status.lock, "pid")) + "  " + text_of(status.lock, "purpose") + "  since " + moment(text_of(status.lock, "since"))});
  if (!status.running.is_null())
    facts.push_back({"running", text_of(status.running, "state") + " " + std::to_string(number_of(status.running, "from")) + " → " + std::to_string(number_of(status.running, "to")) + "  " + text_of(status.running, "step_name")});
  else if (!status.open_run.is_null())
    facts.push_back({"cut off", text_of(status.open_run, "state") + " " + std::to_string(number_of(status.open_run, "from")) + " → " + std::to_string(number_of(status.open_run, "to")) + " at " + moment(text_of(status.open_run, "at")) + "; the next start goes on"});
  else if (!side.is_null())
    facts.push_back({"last run", text_of(side, "state") + (number_of(side, "from") ? " " + std::to_string(number_of(side, "from")) + " → " + std::to_string(number_of(side, "to")) : "") + " at " + moment(text_of(side, "at")) + (text_of(side, "error").empty() ? "" : ": " + text_of(side, "error"))});
  first = true;
  for (auto& parked : status.parked) {
    auto column = text_of(parked, "column");
    facts.push_back({first ? "parked" : "", grouped(number_of(parked, "count")) + "  " + text_of(parked, "table") + (column.empty() ? "" : "." + column) + "  " + text_of(parked, "state")});
    first = false;
  }
  out += columns(facts);
  if (status.history.empty()) return out;
  std::vector<std::vector<std::string>> rows;
  for (auto& run : status.history) {
    rows.push_back({moment(text_of(run, "at")), text_of(run, "direction"), std::to_string(number_of(run, "migration")), text_of(run, "name"), text_of(run, "state"), grouped(number_of(run, "ms")) + " ms", "by " + text_of(run, "binary")});
    if (rows.size() == 15) break;
  }
  return out + "\nhistory, newest first:\n" + columns(rows, {2, 5});
}

}  // namespace

int migrate_status(const Config& config, const Migrations& migrations, const Options& options) {
  Looking looking(config, migrations);
  auto status = upgrade::status(looking.context);
  auto side = side_file(config);
  if (options.json) {
    auto out = status.to_json();
    out["side_file"] = side;
    print(json::value(std::move(out)));
  } else {
    std::cout << status_text(status, side);
  }
  return done;
}

int migrate_plan(const Config& config, const Migrations& migrations, const Options& options) {
  auto metabase = startup::found_metabase(config);
  if (metabase && !options.json) std::cout << metabase->text() << "\n";
  try {
    config.store_options();
  } catch (const Failure& failure) {
    // A place where Basalt's data cannot be, a MySQL for instance: what was found there is still told.
    if (!metabase) throw;
    if (options.json) print(json::object{{"metabase", metabase->to_json()}, {"blocked", json::array{json::value(failure.sentence())}}});
    else std::cout << failure.sentence() << "\n";
    return blocked_unchanged;
  }
  upgrade::Plan plan;
  std::string prelude;
  if (options.rehearse) {
    // The only kind of plan that writes: a backup, and scratch data that goes away again.
    Opened opened(config, migrations);
    StepPrinter printer(opened.progress, options.json);
    plan = upgrade::rehearsed_plan(opened.context, wanted_schema(options, opened.context));
  } else {
    Looking looking(config, migrations);
    plan = upgrade::plan(looking.context, wanted_schema(options, looking.context));
  }
  auto store = config.store_options();
  if (store.engine == appdb::Engine::Postgres) prelude = "SET search_path TO " + appdb::quoted(store.postgres_schema) + ";";
  if (options.json) {
    auto out = plan.to_json();
    out["repair"] = upgrade::repair_text(plan, prelude);
    out["metabase"] = metabase ? json::value(metabase->to_json()) : json::value(nullptr);
    print(json::value(std::move(out)));
  } else {
    std::cout << upgrade::plan_text(plan, plan.to < plan.from ? "basalt migrate down --to " + std::to_string(plan.to) : "basalt migrate up, or simply start");
    if (auto repair = upgrade::repair_text(plan, prelude); !repair.empty()) std::cout << "\nWhat repairs it, after a backup of the database as it is:\n\n" << repair;
  }
  if (!plan.blocked.empty()) return blocked_unchanged;
  return plan.steps.empty() ? nothing_to_do : done;
}

int migrate_up(const Config& config, const Migrations& migrations, const Options& options) {
  return changing([&] {
    Opened opened(config, migrations);
    StepPrinter printer(opened.progress, options.json);
    return print(upgrade::up(opened.context), options.json);
  });
}

int migrate_down(const Config& config, const Migrations& migrations, const Options& options) {
  return changing([&] {
    Opened opened(config, migrations);
    StepPrinter printer(opened.progress, options.json);
    auto to = wanted_schema(options, opened.context);
    if (!to) to = schema_before(opened.context);
    if (!to) throw Failure(FailureKind::BadRequest, "No upgrade of this data is on record, so say where to: basalt migrate down --to N, or --to-version V. `basalt migrate status` shows the history.");
    return print(upgrade::down(opened.context, *to), options.json);
  });
}

int migrate_finalize(const Config& config, const Migrations& migrations, const Options& options) {
  return changing([&] {
    Opened opened(config, migrations);
    StepPrinter printer(opened.progress, options.json);
    return print(upgrade::finalise(opened.context), options.json);
  });
}

int migrate_release_locks(const Config& config, const Migrations& migrations, const Options& options) {
  return changing([&] {
    Opened opened(config, migrations);
    return print(upgrade::release_locks(opened.context), options.json);
  });
}

int migrate_fingerprint(const Config& config, const Migrations& migrations, const Options& options) {
  Looking looking(config, migrations);
  auto state = looking.store->read([](appdb::Connection& c) { return upgrade::data_state(c); });
  if (options.json) {
    print(json::value(state.to_json()));
  } else if (!state.present) {
    std::cout << "There is no data yet.\n";
  } else {
    std::vector<std::vector<std::string>> rows;
    for (auto& entry : state.tables) rows.push_back({entry.table, entry.fingerprint.text()});
    rows.push_back({"parked values", state.parked.text()});
    std::cout << columns(rows, {}, 0) << "schema " << state.schema << "  " << state.phase << "\n" << state.root << "\n";
  }
  return done;
}

}  // namespace basalt::commands
