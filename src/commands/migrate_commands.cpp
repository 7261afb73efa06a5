// migrate: what schema the data has, what would happen, and doing it. `upgrade` is the same under another name.
#include <cstdio>
#include <iostream>

#include "commands/opened.h"
#include "upgrade/data_state.h"

namespace basalt::commands {
namespace {

std::string megabytes(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

}  // namespace

int migrate_status(const Config& config, const Migrations& migrations, const Options& options) {
  Opened opened(config, migrations);
  auto status = upgrade::status(opened.context);
  if (options.json) {
    std::cout << json::write_pretty(status.to_json()) << "\n";
  } else {
    std::cout << status.sentence << "\n";
    for (auto& run : status.history)
      std::cout << "  " << json::text(run, "at").value_or("") << "  " << json::text(run, "direction").value_or("") << "  " << json::integer(run, "migration").value_or(0) << " "
                << json::text(run, "name").value_or("") << "  " << json::text(run, "state").value_or("") << "  by " << json::text(run, "binary").value_or("") << "\n";
    for (auto& parked : status.parked)
      std::cout << "  parked: " << json::integer(parked, "count").value_or(0) << " values of " << json::text(parked, "table").value_or("") << "." << json::text(parked, "column").value_or("") << "\n";
  }
  return done;
}

int migrate_plan(const Config& config, const Migrations& migrations, const Options& options) {
  Opened opened(config, migrations);
  auto plan = upgrade::plan(opened.context, options.to_schema);
  if (options.json) {
    std::cout << json::write_pretty(plan.to_json()) << "\n";
  } else if (plan.steps.empty() && plan.blocked.empty()) {
    std::cout << "Nothing to do: the data has schema " << plan.from << ".\n";
  } else {
    std::cout << upgrade::plan_text(plan, plan.to < plan.from ? "basalt migrate down --to " + std::to_string(plan.to) : "basalt migrate up");
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
  if (!options.to_schema && options.to_version.empty())
    throw Failure(FailureKind::BadRequest, "Say where to: basalt migrate down --to N, or --to-version V. `basalt migrate status` shows the history.");
  return changing([&] {
    Opened opened(config, migrations);
    int to = options.to_schema ? *options.to_schema : upgrade::schema_of_version(opened.context, options.to_version);
    StepPrinter printer(opened.progress, options.json);
    return print(upgrade::down(opened.context, to), options.json);
  });
}

int migrate_fingerprint(const Config& config, const Migrations& migrations, const Options& options) {
  Opened opened(config, migrations);
  auto state = opened.store->read([](appdb::Connection& c) { return upgrade::data_state(c); });
  if (options.json) {
    print(state.to_json());
  } else if (!state.present) {
    std::cout << "There is no data yet.\n";
  } else {
    for (auto& entry : state.tables) std::cout << entry.table << "  " << entry.fingerprint.text() << "\n";
    std::cout << "parked values  " << state.parked.text() << "\nschema " << state.schema << "  " << state.phase << "\n" << state.root << "\n";
  }
  return done;
}

}  // namespace basalt::commands
