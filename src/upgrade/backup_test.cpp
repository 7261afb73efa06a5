#include "upgrade/backup.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/failure.h"
#include "base/version.h"
#include "migrations/next/all_next.h"
#include "upgrade/test_home.h"

namespace basalt::upgrade {
namespace {

using appdb::Connection;
using appdb::Engine;
using appdb::TestStores;

struct Between : testing::TestWithParam<std::pair<Engine, Engine>> {
  void SetUp() override {
    set_version("0.1.0");
    for (auto engine : {GetParam().first, GetParam().second})
      if (auto missing = TestStores::missing(engine)) GTEST_SKIP() << *missing;
  }
};

TEST_P(Between, a_backup_restores_every_row_over_other_data_which_is_kept) {
  Home from(GetParam().first), to(GetParam().second);
  from.create();
  from.fill();
  auto source = from.context();
  auto info = backup_create(source, "manual", "test");
  EXPECT_FALSE(info.verified_at.empty());
  EXPECT_GT(info.rows, 600);
  to.create();
  to.store->write([](Connection& c) { c.insert("setting", {{"key", "site-name"}, {"value", "\"old\""}, {"updated_at", now}}, Connection::HasId::No); });
  auto target = to.context();
  auto outcome = restore(target, info.path);
  EXPECT_EQ(outcome.code, done);
  EXPECT_NE(outcome.sentence.find("is kept as"), std::string::npos) << outcome.sentence;
  EXPECT_TRUE(std::filesystem::exists(outcome.backup));
  EXPECT_EQ(to.content(), from.content());
  EXPECT_EQ(to.store->read([](Connection& c) { return c.count("SELECT count(*) FROM session"); }), 0);
  EXPECT_EQ(status(target).decision, Decision::Run);
  EXPECT_EQ(status(target).instance_id, status(source).instance_id);
  // Ids of deleted rows are not given out again, and the rules are in force.
  auto id = to.store->write([](Connection& c) {
    return c.insert("card", {{"name", "new"}, {"database_id", c.count("SELECT id FROM \"database\"")}, {"creator_id", c.count("SELECT id FROM person")}, {"entity_id", "n"}, {"created_at", now}, {"updated_at", now}});
  });
  EXPECT_GT(id, Home::last);
  EXPECT_THROW(to.store->write([](Connection& c) { c.insert("dashboard_tab", {{"dashboard_id", 99}, {"name", "x"}, {"entity_id", "n"}, {"created_at", now}, {"updated_at", now}}); }), Failure);
  EXPECT_THROW(to.store->write([](Connection& c) { c.insert("permission_group", {{"name", "All Users"}, {"entity_id", "n"}, {"created_at", now}}); }), Failure);
}

TEST_P(Between, a_backup_restores_into_an_empty_store_and_steps_to_the_running_version) {
  Home from(GetParam().first), to(GetParam().second, migrations::all_next());
  from.create();
  from.fill();
  auto source = from.context();
  auto info = backup_create(source, "manual", "test");
  set_version("0.2.0");
  auto target = to.context();
  EXPECT_EQ(restore(target, info.path).to, 4);
  EXPECT_EQ(to.store->read([](Connection& c) { return c.count("SELECT count(*) FROM card WHERE audience = 'everyone'"); }), 600);
  auto newer = backup_create(target, "manual", "test");
  EXPECT_EQ(newer.schema, 4);
  // And a backup of newer data into the older version.
  set_version("0.1.0");
  auto outcome = restore(source, newer.path);
  EXPECT_EQ(outcome.to, 1) << outcome.sentence;
  EXPECT_EQ(status(source).schema, 1);
  EXPECT_EQ(from.store->read([](Connection& c) { return c.count("SELECT count(*) FROM card"); }), 600);
}

INSTANTIATE_TEST_SUITE_P(Engines, Between,
                         testing::Values(std::pair(Engine::Sqlite, Engine::Sqlite), std::pair(Engine::Sqlite, Engine::Postgres), std::pair(Engine::Postgres, Engine::Sqlite), std::pair(Engine::Postgres, Engine::Postgres)),
                         [](auto& info) {
                           auto name = [](Engine e) { return std::string(e == Engine::Sqlite ? "sqlite" : "postgres"); };
                           return name(info.param.first) + "_to_" + name(info.param.second);
                         });

TEST(Backup, a_flipped_byte_a_missing_end_and_a_foreign_file_are_noticed) {
  Home home(Engine::Sqlite);
  home.create();
  home.fill();
  auto context = home.context();
  auto info = backup_create(context, "manual", "test");
  std::string bytes;
  {
    std::ifstream in(info.path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  auto damaged = home.stores.folder() / "damaged.basalt-backup";
  auto refused = [&](const std::string& content) {
    std::ofstream(damaged, std::ios::binary | std::ios::trunc) << content;
    auto before = home.content();
    EXPECT_THROW(backup_verify(context, damaged), Failure);
    EXPECT_THROW(restore(context, damaged), Failure);
    EXPECT_EQ(home.content(), before);
  };
  for (double where : {0.3, 0.6, 0.9, 0.999}) {
    auto copy = bytes;
    copy[static_cast<std::size_t>(static_cast<double>(copy.size() - 1) * where)] ^= 0x41;
    refused(copy);
  }
  refused(bytes.substr(0, bytes.size() - 5));
  refused(bytes.substr(0, 100));
  refused("");
  refused("SQLite format 3");
  EXPECT_THROW(backup_verify(context, home.stores.folder() / "nowhere"), Failure);
  EXPECT_FALSE(backup_verify(context, info.path).verified_at.empty());
}

TEST(Backup, of_sealed_secrets_is_not_restored_under_another_key) {
  Home with_key(Engine::Sqlite, migrations::all(), "check-1"), other(Engine::Sqlite, migrations::all(), "check-2"), none(Engine::Sqlite);
  with_key.create();
  auto source = with_key.context();
  auto info = backup_create(source, "manual", "test");
  auto wrong = other.context(), without = none.context();
  EXPECT_THROW(restore(wrong, info.path), Failure);
  EXPECT_THROW(restore(without, info.path), Failure);
  EXPECT_EQ(restore(source, info.path).code, done);
}

TEST(Backup, old_ones_go_but_never_the_newest_verified_nor_the_last_of_a_schema_nor_made_by_hand) {
  std::vector<BackupInfo> list;
  auto add = [&](int schema, std::string kind, bool verified) {
    BackupInfo b;
    b.id = std::to_string(list.size());
    b.schema = schema;
    b.kind = std::move(kind);
    b.verified_at = verified ? now : "";
    list.push_back(b);
  };
  for (int i = 0; i < 6; ++i) add(3, "upgrade", false);  // 0..5
  add(3, "upgrade", true);                               // 6: newest verified
  add(3, "upgrade", true);                               // 7
  add(2, "upgrade", true);                               // 8: last of schema 2
  add(2, "manual", true);                                // 9
  add(2, "scheduled", true);                             // 10
  std::vector<std::string> gone;
  for (auto& b : backups_to_delete(list)) gone.push_back(b.id);
  EXPECT_EQ(gone, (std::vector<std::string>{"5", "7", "10"}));
}

}  // namespace
}  // namespace basalt::upgrade
