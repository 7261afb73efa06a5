// A store with people and cards in it, for tests of backups and what builds on them. Header only.
#pragma once
#include <fstream>

#include "migrations/next/all_next.h"
#include "upgrade/backup.h"
#include "upgrade/test_upgrades.h"

namespace basalt::upgrade {

inline const std::string now = "2026-01-02T03:04:05.000006Z";

struct Home {
  explicit Home(appdb::Engine engine, std::vector<migrations::Migration> known = migrations::all(), std::string key_check = "") : stores(engine), known(std::move(known)), key(std::move(key_check)) {
    store = stores.open();
  }
  Context context() { return {*store, known, stores.folder(), nullptr, key, {}}; }
  void create() {
    auto c = context();
    up(c);
  }
  void fill() {
    store->write([](appdb::Connection& c) {
      auto person = c.insert("person", {{"email", "größe😀@example.com"}, {"entity_id", "p1"}, {"is_active", false}, {"created_at", now}, {"updated_at", now}, {"attributes", "{\"a\": [1, 2.50, \"\\u00e9\"]}"}});
      c.insert("session", {{"key_hash", "secret"}, {"person_id", person}, {"created_at", now}, {"expires_at", now}});
      auto database = c.insert("database", {{"name", "Shop"}, {"engine", "postgres"}, {"entity_id", "d1"}, {"created_at", now}, {"updated_at", now}, {"cache_ttl", std::int64_t{9223372036854775807}}});
      c.insert("card", {{"name", "deleted"}, {"database_id", database}, {"creator_id", person}, {"entity_id", "c0"}, {"created_at", now}, {"updated_at", now}});
      for (int i = 0; i < 600; ++i)
        c.insert("card", {{"name", "card " + std::to_string(i)}, {"database_id", database}, {"creator_id", person}, {"average_query_time", i / 7.0}, {"entity_id", "c" + std::to_string(i)}, {"created_at", now}, {"updated_at", now}});
      // Refers forward within its own table, as rows do in life.
      c.execute("UPDATE card SET source_card_id = (SELECT max(id) FROM card) WHERE name = 'card 1'");
      last = c.insert("card", {{"name", "last"}, {"database_id", database}, {"creator_id", person}, {"entity_id", "cl"}, {"created_at", now}, {"updated_at", now}});
      c.execute("DELETE FROM card WHERE name IN ('deleted', 'last')");
    });
  }
  std::map<std::string, std::string> content() {
    return store->read([](appdb::Connection& c) {
      std::map<std::string, std::string> out;
      auto structure = read_ledger(c).structure;
      for (auto& t : structure.tables)
        if (t.in_backup && !t.name.starts_with("upgrade_")) out[t.name] = fingerprint(c, t).text();
      return out;
    });
  }
  static inline std::int64_t last = 0;
  appdb::TestStores stores;
  std::vector<migrations::Migration> known;
  std::string key;
  std::unique_ptr<appdb::Store> store;
};

// Uploaded files, and what is in the data directory's uploads now.
inline void upload(const std::filesystem::path& data_dir, const std::string& name, const std::string& content) {
  auto path = data_dir / "uploads" / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}
inline std::map<std::string, std::string> uploaded(const std::filesystem::path& data_dir) {
  std::map<std::string, std::string> out;
  std::error_code error;
  for (auto& entry : std::filesystem::recursive_directory_iterator(data_dir / "uploads", error)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    out[std::filesystem::relative(entry.path(), data_dir / "uploads").string()].assign(std::istreambuf_iterator<char>(in), {});
  }
  return out;
}
inline std::string bytes_of_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace basalt::upgrade
