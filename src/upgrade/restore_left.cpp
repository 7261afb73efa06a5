// What restores and upgrades leave beside the data: on purpose, and after a crash.
#include <algorithm>

#include "base/failure.h"
#include "base/log.h"
#include "base/random.h"
#include "upgrade/backup_parts.h"
#include "upgrade/files.h"

namespace basalt::upgrade {

using appdb::Engine;
using appdb::quoted;

namespace {

constexpr std::string_view staging = "uploads.restoring-", replaced_uploads = "uploads.replaced-";

std::int64_t bytes_of(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_regular_file(path, error)) return static_cast<std::int64_t>(std::filesystem::file_size(path, error));
  std::int64_t out = 0;
  for (auto& entry : std::filesystem::recursive_directory_iterator(path, error))
    if (entry.is_regular_file(error)) out += static_cast<std::int64_t>(entry.file_size(error));
  return out;
}

}  // namespace

json::object ReplacedData::to_json() const { return {{"name", name}, {"why", why}, {"at", at}, {"bytes", bytes}}; }

std::filesystem::path staged_uploads(const std::filesystem::path& data_dir, std::string_view generation) { return data_dir / (std::string(staging) + std::string(generation)); }

void place_uploads(const std::filesystem::path& data_dir, std::string_view generation) {
  auto staged = staged_uploads(data_dir, generation), uploads = uploads_of(data_dir);
  std::error_code error;
  if (!std::filesystem::exists(staged, error)) return;
  // Again after a crash in between, this does what is left to do.
  if (std::filesystem::exists(uploads, error) && !std::filesystem::is_empty(uploads, error)) {
    auto keep_as = data_dir / (std::string(replaced_uploads) + file_time());
    for (auto base = keep_as.string(); std::filesystem::exists(keep_as, error);) keep_as = base + "-" + random_hex(3);
    std::filesystem::rename(uploads, keep_as);
  } else {
    std::filesystem::remove(uploads, error);
  }
  if (std::filesystem::is_empty(staged, error)) std::filesystem::remove(staged, error);
  else std::filesystem::rename(staged, uploads);
  sync_folder(data_dir);
}

void remove_scratch_left_in(const std::filesystem::path& backups) {
  remove_left_overs(backups, [](const std::string& name) {
    for (auto* prefix : {".partial-", ".verify-", ".restored-", ".opened-", ".drill-", ".move-"}) if (name.starts_with(prefix)) return true;
    return name.ends_with(".partial") || name.ends_with(".verified.new");
  });
}

void clean_left_overs(Context& context) {
  std::error_code error;
  std::vector<std::string> staged;
  for (auto& entry : std::filesystem::directory_iterator(context.data_dir, error))
    if (auto name = entry.path().filename().string(); name.starts_with(staging)) staged.push_back(name.substr(staging.size()));
  if (!staged.empty()) {
    auto generation = context.store.read([](appdb::Connection& c) { return read_ledger(c).generation; });
    for (auto& wanted : staged)
      if (wanted == generation) place_uploads(context.data_dir, wanted);
  }
  remove_left_overs(context.data_dir, [](const std::string& name) { return name.starts_with(staging); });
  remove_scratch_left_in(backup_folder(context));
  if (context.store.engine() == Engine::Sqlite) {
    auto file = context.store.options().sqlite_path;
    auto prefix = file.filename().string();
    remove_left_overs(file.parent_path(), [&](const std::string& name) {
      for (auto* kind : {".restoring", ".migrating"})
        for (auto* suffix : {"", "-wal", "-shm", "-journal"}) if (name == prefix + kind + suffix) return true;
      return false;
    });
  }
}

std::vector<ReplacedData> replaced_data(Context& context) {
  std::vector<ReplacedData> out;
  std::error_code error;
  auto look = [&](const std::filesystem::path& folder, const std::string& prefix, const char* why) {
    for (auto& entry : std::filesystem::directory_iterator(folder, error)) {
      auto name = entry.path().filename().string();
      if (name.starts_with(prefix)) out.push_back({entry.path().string(), why, name.substr(prefix.size(), 15), bytes_of(entry.path())});
    }
  };
  look(context.data_dir, std::string(replaced_uploads), "uploads");
  if (context.store.engine() == Engine::Sqlite) {
    auto file = context.store.options().sqlite_path;
    look(file.parent_path(), file.filename().string() + ".replaced-", "restore");
    look(file.parent_path(), file.filename().string() + ".before-", "upgrade");
  } else {
    auto prefix = context.store.options().postgres_schema + "_replaced_";
    context.store.read([&](appdb::Connection& c) {
      c.each("SELECT n.nspname AS name, coalesce((SELECT sum(pg_total_relation_size(t.oid)) FROM pg_class t WHERE t.relnamespace = n.oid AND t.relkind = 'r'), 0)::bigint AS bytes FROM pg_namespace n WHERE starts_with(n.nspname, ?)", {prefix},
             [&](const appdb::Row& row) { out.push_back({row.text("name"), "restore", row.text("name").substr(prefix.size()), row.integer("bytes")}); });
    });
  }
  std::sort(out.begin(), out.end(), [](auto& a, auto& b) { return a.at > b.at; });
  return out;
}

void delete_replaced(Context& context, const std::string& name) {
  // Only what the list shows can be deleted, so that no name leads elsewhere.
  for (auto& one : replaced_data(context)) {
    if (one.name != name && std::filesystem::path(one.name).filename() != name) continue;
    if (one.name.starts_with(context.store.options().postgres_schema + "_replaced_") && context.store.engine() == Engine::Postgres)
      context.store.connect()->execute_script("DROP SCHEMA " + quoted(one.name) + " CASCADE");
    else
      std::filesystem::remove_all(one.name);
    log::info("replaced data deleted", {{"name", one.name}});
    return;
  }
  throw Failure(FailureKind::NotFound, "There is no replaced data called " + name + "; `basalt backup replaced` lists what there is.");
}

}  // namespace basalt::upgrade
