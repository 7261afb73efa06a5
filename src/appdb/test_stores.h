// Throw-away stores for tests, a fresh folder or PostgreSQL database each. Header only, included by *_test.cpp.
#pragma once
#include <cstdlib>

#include "appdb/postgres_connection.h"
#include "appdb/store.h"
#include "base/random.h"

namespace basalt::appdb {

class TestStores {
 public:
  // The reason to skip when the engine's server is not given.
  static std::optional<std::string> missing(Engine engine) {
    if (engine == Engine::Sqlite || std::getenv("BASALT_TEST_POSTGRES")) return std::nullopt;
    return "BASALT_TEST_POSTGRES is not set: postgresql:// URI of a server where tests may create databases";
  }

  explicit TestStores(Engine engine) : folder_(std::filesystem::temp_directory_path() / ("basalt-test-" + random_hex(8))) {
    std::filesystem::create_directories(folder_);
    options_.engine = engine;
    options_.sqlite_path = folder_ / "basalt.sqlite";
    if (engine == Engine::Sqlite) return;
    admin_uri_ = std::getenv("BASALT_TEST_POSTGRES");
    database_ = "basalt_test_" + random_hex(6);
    PostgresConnection(admin_uri_, "public").execute_script("CREATE DATABASE " + database_);
    // A second dbname in a key=value text or URI query wins over the first.
    options_.postgres_uri = admin_uri_.find("://") == std::string::npos ? admin_uri_ + " dbname=" + database_
                                                                        : admin_uri_ + (admin_uri_.find('?') == std::string::npos ? "?" : "&") + "dbname=" + database_;
  }
  ~TestStores() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
    if (database_.empty()) return;
    try {
      PostgresConnection(admin_uri_, "public").execute_script("DROP DATABASE IF EXISTS " + database_ + " WITH (FORCE)");
    } catch (...) {
    }
  }
  TestStores(const TestStores&) = delete;

  const StoreOptions& options() const { return options_; }
  const std::filesystem::path& folder() const { return folder_; }
  std::unique_ptr<Store> open() const { return Store::open(options_); }

 private:
  std::filesystem::path folder_;
  StoreOptions options_;
  std::string admin_uri_, database_;
};

}  // namespace basalt::appdb
