#include "startup/open_store.h"

#include <unistd.h>

#include <filesystem>

namespace basalt::startup {

std::unique_ptr<appdb::Store> open_store(const Config& config, const ContainerMarks& marks) {
  std::filesystem::path directory = config.data_directory();
  std::error_code error;
  auto options = config.store_options();
  if (options.engine == appdb::Engine::Sqlite && !config.flag("ephemeral") && !std::filesystem::exists(options.sqlite_path, error))
    if (auto lost = container_warning(options.sqlite_path.parent_path(), marks); !lost.empty())
      throw Failure(FailureKind::BadRequest, lost + " No new data is made there; --ephemeral (BASALT_EPHEMERAL=true) allows it where it may be lost.");
  if (!std::filesystem::exists(directory, error)) {
    std::filesystem::create_directories(directory, error);
    if (error) throw Failure(FailureKind::BadRequest, "The data directory " + directory.string() + " cannot be made: " + error.message() + ". Name another with --data-dir.");
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, error);
  }
  if (!std::filesystem::is_directory(directory, error))
    throw Failure(FailureKind::BadRequest, "The data directory " + directory.string() + " is not a directory. Name another with --data-dir.");
  if (::access(directory.c_str(), W_OK | X_OK) != 0)
    throw Failure(FailureKind::BadRequest, "The data directory " + directory.string() + " cannot be written by this user. Change its owner or name another with --data-dir.");
  return appdb::Store::open(std::move(options));
}

void check_encryption_key(appdb::Store& store, const Sealer& sealer) {
  auto known = store.read([](appdb::Connection& c) { return c.query_one("SELECT value FROM upgrade_meta WHERE key = ?", {"key_check"}); });
  auto stored = known ? known->optional_text("value").value_or("") : "";
  auto now = sealer.check_value();
  if (stored == now) return;
  if (stored.empty()) {
    store.write([&](appdb::Connection& c) {
      if (!c.update("upgrade_meta", {{"value", now}}, "key", "key_check")) c.insert("upgrade_meta", {{"key", "key_check"}, {"value", now}}, appdb::Connection::HasId::No);
    });
    return;
  }
  throw Failure(FailureKind::BadRequest, now.empty()
      ? "This application database was written with an encryption key, and none was given. Set BASALT_ENCRYPTION_SECRET_KEY (or MB_ENCRYPTION_SECRET_KEY) to that key."
      : "The encryption key is not the one this application database was written with. Set BASALT_ENCRYPTION_SECRET_KEY (or MB_ENCRYPTION_SECRET_KEY) to that key.");
}

}  // namespace basalt::startup
