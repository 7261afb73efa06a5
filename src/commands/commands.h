// What each command does. All return an exit code and throw Failure for anything a sentence explains.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "commands/command_line.h"
#include "startup/config.h"

namespace basalt::commands {

struct Options {
  std::map<std::string, std::string> flags;  // configuration, by option name
  bool json = false, markdown = false;
  std::optional<int> to_schema;
  std::string move_to, delete_name;
  std::string to_version, file, reason, email;
  std::int64_t id = 0, limit = 100;
  std::string table, state;
  bool rehearse = false;
  bool live = false;                     // health: only that the process lives
  std::int64_t wait_seconds = 0;         // health
  std::string version, bundle, until, why;  // upgrade
  bool now = false, off = false;            // upgrade
  std::vector<std::string> words;
};
using Migrations = std::vector<migrations::Migration>;
using startup::Config;

int serve(const Config& config, const Migrations& migrations);
int launch_server(const Config& config);
int launcher_status(const Config& config, const Options& options);
int launcher_swap(const Config& config, const Options& options);
int migrate_status(const Config& config, const Migrations& migrations, const Options& options);
int migrate_plan(const Config& config, const Migrations& migrations, const Options& options);
int migrate_up(const Config& config, const Migrations& migrations, const Options& options);
int migrate_down(const Config& config, const Migrations& migrations, const Options& options);
int migrate_finalize(const Config& config, const Migrations& migrations, const Options& options);
int migrate_release_locks(const Config& config, const Migrations& migrations, const Options& options);
int migrate_fingerprint(const Config& config, const Migrations& migrations, const Options& options);
int upgrade_status(const Config& config, const Migrations& migrations, const Options& options);
int upgrade_check(const Config& config, const Options& options);
int upgrade_apply(const Config& config, const Options& options);
int upgrade_rollback(const Config& config, const Options& options);
int upgrade_hold(const Config& config, const Options& options);
int upgrade_finalize(const Config& config, const Migrations& migrations, const Options& options);
int backup_create(const Config& config, const Migrations& migrations, const Options& options);
int backup_verify(const Config& config, const Migrations& migrations, const Options& options);
int backup_list(const Config& config, const Migrations& migrations, const Options& options);
int backup_drill(const Config& config, const Migrations& migrations, const Options& options);
int backup_replaced(const Config& config, const Migrations& migrations, const Options& options);
int move_data(const Config& config, const Migrations& migrations, const Options& options);
int restore_backup(const Config& config, const Migrations& migrations, const Options& options);
int parked_list(const Config& config, const Migrations& migrations, const Options& options);
int parked_show(const Config& config, const Migrations& migrations, const Options& options);
int parked_take(const Config& config, const Migrations& migrations, const Options& options);
int parked_untake(const Config& config, const Migrations& migrations, const Options& options);
int reset_password(const Config& config, const Migrations& migrations, const Options& options);
int doctor(const Config& config, const Migrations& migrations, const Options& options);
int health(const Config& config, const Migrations& migrations, const Options& options);
int make_sample_database(const Options& options);

}  // namespace basalt::commands
