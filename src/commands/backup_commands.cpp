// backup, restore and move: make, verify, list, try out, put back, carry elsewhere.
#include <cstdio>
#include <iostream>

#include "commands/opened.h"
#include "upgrade/drill.h"
#include "upgrade/move.h"

namespace basalt::commands {
namespace {

std::string megabytes(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

void print(const upgrade::BackupInfo& backup, bool json) {
  if (json) { std::cout << json::write_pretty(backup.to_json()) << "\n"; return; }
  if (backup.encrypted && backup.tables == 0) {
    std::cout << backup.path << "\n  schema " << backup.schema << ", encrypted, " << megabytes(backup.bytes) << ", from " << backup.engine << " by " << backup.binary << " at " << backup.created_at << "\n  "
              << (backup.verified_at.empty() ? "not verified" : "verified at " + backup.verified_at) << "\n";
    return;
  }
  std::cout << backup.path << "\n  schema " << backup.schema << (backup.encrypted ? ", encrypted" : "") << ", " << backup.tables << " tables, " << backup.rows << " rows, " << megabytes(backup.bytes) << ", from " << backup.engine << " by "
            << backup.binary << " at " << backup.created_at << "\n  " << (backup.verified_at.empty() ? "not verified" : "verified at " + backup.verified_at) << "\n";
}

std::string newest(Opened& opened) {
  auto all = upgrade::backup_list(opened.context);
  if (all.empty()) throw Failure(FailureKind::BadRequest, "There is no backup in " + (opened.context.data_dir / "backups").string() + " yet: basalt backup create makes one.");
  return all.front().path;
}

}  // namespace

int backup_create(const Config& config, const Migrations& migrations, const Options& options) {
  Opened opened(config, migrations);
  print(upgrade::backup_create(opened.context, "manual", options.reason.empty() ? "by hand" : options.reason), options.json);
  return done;
}

int backup_verify(const Config& config, const Migrations& migrations, const Options& options) {
  Opened opened(config, migrations);
  print(upgrade::backup_verify(opened.context, options.file.empty() ? newest(opened) : options.file), options.json);
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

int backup_drill(const Config& config, const Migrations& migrations, const Options& options) {
  Opened opened(config, migrations);
  StepPrinter printer(opened.progress, options.json);
  upgrade::DrillOptions how;
  how.encryption_key = config.text("encryption-secret-key");
  auto result = upgrade::drill(opened.context, options.file.empty() ? newest(opened) : options.file, how);
  if (options.json) print(json::value(result.to_json()));
  else std::cout << result.sentence << "\n";
  return done;
}

int backup_replaced(const Config& config, const Migrations& migrations, const Options& options) {
  Opened opened(config, migrations);
  if (!options.delete_name.empty()) {
    upgrade::delete_replaced(opened.context, options.delete_name);
    if (!options.json) std::cout << "Deleted " << options.delete_name << ".\n";
    return done;
  }
  auto all = upgrade::replaced_data(opened.context);
  if (options.json) {
    json::array out;
    for (auto& one : all) out.push_back(one.to_json());
    print(json::value(out));
    return done;
  }
  if (all.empty()) std::cout << "Nothing was put aside.\n";
  for (auto& one : all) std::cout << one.name << "\n  put aside by " << (one.why == "upgrade" ? "an upgrade" : "a restore") << ", " << megabytes(one.bytes) << "\n";
  return done;
}

int move_data(const Config& config, const Migrations& migrations, const Options& options) {
  return changing([&] {
    appdb::StoreOptions to = config.store_options();
    std::filesystem::path directory = config.data_directory();
    std::string then;
    auto& where = options.move_to;
    if (where.find("://") != std::string::npos || where.starts_with("jdbc:")) {
      to.engine = appdb::Engine::Postgres;
      to.postgres_uri = startup::postgres_uri(where);
      then = "Set BASALT_DATABASE_URI (or MB_DB_CONNECTION_URI) to the address that you moved to, and keep the data directory " + directory.string() + " for backups.";
    } else {
      std::filesystem::path path = where.starts_with("sqlite:") ? where.substr(7) : where;
      if (path.empty()) throw Failure(FailureKind::BadRequest, "Say where to: --to postgres://user@host/database, sqlite:FILE or a directory.");
      bool file = path.has_extension() && !std::filesystem::is_directory(path);
      to.engine = appdb::Engine::Sqlite;
      directory = file ? (path.has_parent_path() ? path.parent_path() : std::filesystem::path(".")) : path;
      to.sqlite_path = file ? path : path / "basalt.db";
      std::error_code error;
      if (!std::filesystem::exists(directory, error)) {
        std::filesystem::create_directories(directory, error);
        if (error) throw Failure(FailureKind::BadRequest, "The directory " + directory.string() + " cannot be made: " + error.message() + ".");
        std::filesystem::permissions(directory, std::filesystem::perms::owner_all, error);
      }
      then = "Set BASALT_DATA_DIR (or --data-dir) to " + directory.string() + (path == to.sqlite_path && path.filename() != "basalt.db" ? ", BASALT_DB_FILE (or --db-file) to " + to.sqlite_path.string() : std::string()) +
             ", and BASALT_DATABASE_URI and MB_DB_CONNECTION_URI to nothing.";
    }
    Opened opened(config, migrations);
    StepPrinter printer(opened.progress, options.json);
    auto outcome = upgrade::move(opened.context, to, directory);
    outcome.sentence += " " + then;
    return print(outcome, options.json);
  });
}

int restore_backup(const Config& config, const Migrations& migrations, const Options& options) {
  return changing([&] {
    Opened opened(config, migrations);
    StepPrinter printer(opened.progress, options.json);
    return print(upgrade::restore(opened.context, options.file), options.json);
  });
}

}  // namespace basalt::commands
