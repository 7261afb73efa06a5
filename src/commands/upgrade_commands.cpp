// migrate, backup, restore, parked: open the store, call upgrade/, print.
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <thread>

#include "commands/commands.h"
#include "startup/open_store.h"
#include "upgrade/upgrade.h"

namespace basalt::commands {
namespace {

// The store and what upgrade/ needs of it, for one command.
struct Opened {
  Opened(const Config& config, const Migrations& all)
      : store(startup::open_store(config)), key_check(key_check_of(config)),
        context{*store, all, config.data_directory(), &progress, key_check, {}} {
    log::set_up(log::Level::Warning, log::Format::Text);
  }
  static std::string key_check_of(const Config& config) {
    auto& secret = config.text("encryption-secret-key");
    return secret.empty() ? "" : Sealer(secret).check_value();
  }
  std::unique_ptr<appdb::Store> store;
  upgrade::Progress progress;
  std::string key_check;
  upgrade::Context context;
};

// Prints a step whenever it changes, on a terminal or not: slow is not dead.
class StepPrinter {
 public:
  StepPrinter(upgrade::Progress& progress, bool quiet) {
    if (quiet) return;
    thread_ = std::jthread([&progress](std::stop_token stop) {
      std::string last;
      while (!stop.stop_requested()) {
        auto now = progress.now();
        if (!now.step_name.empty() && now.step_name != last) {
          last = now.step_name;
          std::cerr << "  " << now.step << " of " << now.steps << "  " << now.step_name << "\n";
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
    });
  }

 private:
  std::jthread thread_;
};

int print(const upgrade::Outcome& outcome, bool json) {
  if (json) std::cout << json::write_pretty(outcome.to_json()) << "\n";
  else std::cout << outcome.sentence << "\n";
  return outcome.code;
}

std::string megabytes(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

void print(const upgrade::BackupInfo& backup, bool json) {
  if (json) { std::cout << json::write_pretty(backup.to_json()) << "\n"; return; }
  std::cout << backup.path << "\n  schema " << backup.schema << ", " << backup.tables << " tables, " << backup.rows << " rows, " << megabytes(backup.bytes) << ", from " << backup.engine << " by "
            << backup.binary << " at " << backup.created_at << "\n  " << (backup.verified_at.empty() ? "not verified" : "verified at " + backup.verified_at) << "\n";
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
    std::cout << "From schema " << plan.from << " to " << plan.to << ":\n";
    for (auto& step : plan.steps) {
      std::cout << "  " << step.direction << " " << step.migration << " " << step.name << " (" << step.rows << " rows";
      if (step.direction == "down") std::cout << ", " << step.will_park << " values will be parked";
      std::cout << ")\n";
      for (auto& operation : step.operations) std::cout << "      " << operation << "\n";
    }
    if (!plan.blocked.empty()) std::cout << "Blocked: " << plan.blocked << "\n";
    else std::cout << "Before that: a verified backup. Disk: " << megabytes(plan.bytes_needed) << " needed, " << megabytes(plan.bytes_free) << " free. About " << static_cast<int>(plan.eta_seconds + 1) << " s.\n";
  }
  if (!plan.blocked.empty()) return blocked_unchanged;
  return plan.steps.empty() ? nothing_to_do : done;
}

int migrate_up(const Config& config, const Migrations& migrations, const Options& options) {
  Opened opened(config, migrations);
  StepPrinter printer(opened.progress, options.json);
  return print(upgrade::up(opened.context), options.json);
}

int migrate_down(const Config& config, const Migrations& migrations, const Options& options) {
  if (!options.to_schema && options.to_version.empty())
    throw Failure(FailureKind::BadRequest, "Say where to: basalt migrate down --to N, or --to-version V. `basalt migrate status` shows the history.");
  Opened opened(config, migrations);
  int to = options.to_schema ? *options.to_schema : upgrade::schema_of_version(opened.context, options.to_version);
  StepPrinter printer(opened.progress, options.json);
  return print(upgrade::down(opened.context, to), options.json);
}

int backup_create(const Config& config, const Migrations& migrations, const Options& options) {
  Opened opened(config, migrations);
  print(upgrade::backup_create(opened.context, "manual", options.reason.empty() ? "by hand" : options.reason), options.json);
  return done;
}

int backup_verify(const Config& config, const Migrations& migrations, const Options& options) {
  Opened opened(config, migrations);
  auto file = options.file;
  if (file.empty()) {
    auto all = upgrade::backup_list(opened.context);
    if (all.empty()) throw Failure(FailureKind::BadRequest, "There is no backup in " + config.data_directory() + "/backups yet: basalt backup create makes one.");
    file = all.front().path;
  }
  print(upgrade::backup_verify(opened.context, file), options.json);
  return done;
}

int backup_list(const Config& config, const Migrations& migrations, const Options& options) {
  Opened opened(config, migrations);
  auto all = upgrade::backup_list(opened.context);
  if (options.json) {
    json::array out;
    for (auto& backup : all) out.push_back(backup.to_json());
    std::cout << json::write_pretty(out) << "\n";
  } else {
    if (all.empty()) std::cout << "No backups yet.\n";
    for (auto& backup : all) print(backup, false);
  }
  return done;
}

int restore_backup(const Config& config, const Migrations& migrations, const Options& options) {
  Opened opened(config, migrations);
  StepPrinter printer(opened.progress, options.json);
  return print(upgrade::restore(opened.context, options.file), options.json);
}

int parked_list(const Config& config, const Migrations& migrations, const Options& options) {
  Opened opened(config, migrations);
  auto all = upgrade::parked_list(opened.context);
  if (options.json) {
    json::array out;
    for (auto& value : all) out.push_back(value.to_json());
    std::cout << json::write_pretty(out) << "\n";
    return done;
  }
  if (all.empty()) std::cout << "Nothing is parked.\n";
  for (auto& value : all) {
    auto text = json::write(value.value);
    if (text.size() > 60) text = text.substr(0, 57) + "...";
    std::cout << value.id << "  " << value.state << "  " << value.table << (value.column.empty() ? "" : "." + value.column) << "  " << value.parked_at << "  " << text << "\n";
  }
  return done;
}

int parked_show(const Config& config, const Migrations& migrations, const Options& options) {
  Opened opened(config, migrations);
  std::cout << json::write_pretty(upgrade::parked_show(opened.context, options.id).to_json()) << "\n";
  return done;
}

int parked_take(const Config& config, const Migrations& migrations, const Options& options) {
  Opened opened(config, migrations);
  auto taken = upgrade::parked_take(opened.context, options.id);
  if (options.json) std::cout << json::write_pretty(taken.to_json()) << "\n";
  else std::cout << "The parked value is in " << taken.table << "." << taken.column << " again.\n";
  return done;
}

}  // namespace basalt::commands
