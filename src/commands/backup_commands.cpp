// backup and restore: make, verify, list, put back.
#include <cstdio>
#include <iostream>

#include "commands/opened.h"

namespace basalt::commands {
namespace {

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
  return changing([&] {
    Opened opened(config, migrations);
    StepPrinter printer(opened.progress, options.json);
    return print(upgrade::restore(opened.context, options.file), options.json);
  });
}

}  // namespace basalt::commands
