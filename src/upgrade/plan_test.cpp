// Plans: what they say, and that asking changes not a byte.
#include "upgrade/plan.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "appdb/looking_store.h"
#include "appdb/sqlite_connection.h"
#include "base/crypto.h"
#include "base/failure.h"
#include "base/version.h"
#include "migrations/next/all_next.h"
#include "upgrade/data_state.h"
#include "upgrade/nodes.h"
#include "upgrade/test_upgrades.h"

namespace basalt::upgrade {
namespace {

using appdb::Connection;
using appdb::Engine;
using appdb::TestStores;

const std::string moment = "2026-01-02T03:04:05.000006Z";

struct Plans : testing::TestWithParam<Engine> {
  void SetUp() override {
    if (auto missing = TestStores::missing(GetParam())) GTEST_SKIP() << *missing;
    set_version("0.1.0");
    stores.emplace(GetParam());
    store = stores->open();
    auto context = Context{*store, first, stores->folder()};
    up(context);
    set_version("0.2.0");
  }
  void TearDown() override { set_version("0.0.0"); }
  Context next_binary() { return {*store, next, stores->folder()}; }

  void fill() {
    store->write([&](Connection& c) {
      auto person = c.insert("person", {{"email", "ada@example.com"}, {"entity_id", "p1"}, {"created_at", moment}, {"updated_at", moment}});
      for (auto name : {"Orders", "People"})
        c.insert("card", {{"name", name}, {"creator_id", person}, {"visualization_settings", R"({"basalt.note":"check"})"}, {"entity_id", name}, {"created_at", moment}, {"updated_at", moment}});
    });
  }
  static const PlanOperation* operation(const Plan& plan, const std::string& start) {
    for (auto& step : plan.steps) for (auto& one : step.operations) if (one.text.starts_with(start)) return &one;
    return nullptr;
  }
  // All files of the store and what is beside it, by content.
  std::map<std::string, std::string> files() {
    std::map<std::string, std::string> out;
    for (auto& entry : std::filesystem::recursive_directory_iterator(stores->folder())) {
      if (!entry.is_regular_file()) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      std::stringstream bytes;
      bytes << in.rdbuf();
      out[entry.path().string()] = sha256_hex(bytes.str());
    }
    return out;
  }

  std::optional<TestStores> stores;
  std::unique_ptr<appdb::Store> store;
  std::vector<migrations::Migration> first = migrations::all(), next = migrations::all_next();
};

TEST_P(Plans, say_what_would_happen_to_which_rows) {
  fill();
  auto context = next_binary();
  auto all = plan(context);
  EXPECT_EQ(all.from, 1);
  EXPECT_EQ(all.to, 4);
  EXPECT_TRUE(all.reasons.empty()) << all.blocked;
  ASSERT_EQ(all.steps.size(), 3u);
  EXPECT_EQ(all.steps[0].rows, 2);
  auto* reshape = operation(all, "reshape");
  ASSERT_TRUE(reshape);
  EXPECT_EQ(reshape->phase, "now") << "nobody older is there";
  EXPECT_EQ(reshape->rows, 2);
  EXPECT_GT(all.eta_p95_seconds, all.eta_seconds);
  EXPECT_EQ(all.eta_from, "model");
  EXPECT_GT(all.bytes_needed, 0);
  EXPECT_EQ(all.engine.substr(0, 6), GetParam() == Engine::Sqlite ? "SQLite" : "Postgr");
  EXPECT_EQ(all.later_places.size(), 3u);
  EXPECT_TRUE(all.drift.empty());
}

TEST_P(Plans, put_off_what_older_nodes_cannot_live_with_and_name_the_silent_ones) {
  fill();
  Nodes alpha(*store, "alpha:3000", 1);
  set_version("0.1.0");
  alpha.join();
  Nodes beta(*store, "beta:3000", 1);
  beta.join();
  set_version("0.2.0");
  store->write([&](Connection& c) { c.execute("UPDATE upgrade_node SET heartbeat = ? WHERE node = ?", {to_text(system_clock().now() - std::chrono::minutes(5)), "beta:3000"}); });
  auto context = next_binary();
  auto all = plan(context);
  ASSERT_EQ(all.older_nodes.size(), 1u) << json::write(all.to_json());
  EXPECT_EQ(all.older_nodes[0].name, "alpha:3000");
  ASSERT_EQ(all.stale_nodes.size(), 1u);
  EXPECT_EQ(all.stale_nodes[0].name, "beta:3000");
  EXPECT_EQ(operation(all, "add column")->phase, "now");
  EXPECT_EQ(operation(all, "reshape")->phase, "finalise");
  EXPECT_NE(plan_text(all, "basalt migrate up").find("alpha:3000 (0.1.0) serves an older version"), std::string::npos) << plan_text(all, "");
  up(context);
  auto after = plan(context);
  EXPECT_TRUE(after.steps.empty());
  EXPECT_FALSE(after.waiting.empty());
  EXPECT_NE(plan_text(after, "").find("expanded"), std::string::npos) << plan_text(after, "");
}

TEST_P(Plans, are_blocked_by_drift_with_its_repair) {
  store->connect()->execute_script("DROP INDEX \"i_card_collection_id\"");
  auto context = next_binary();
  auto all = plan(context);
  ASSERT_EQ(all.reasons.size(), 1u);
  auto text = plan_text(all, "basalt migrate up");
  EXPECT_NE(text.find("BLOCKED"), std::string::npos) << text;
  EXPECT_EQ(text.find("To do it"), std::string::npos) << text;
  EXPECT_NE(repair_text(all, "").find("CREATE INDEX \"i_card_collection_id\""), std::string::npos);
  try {
    up(context);
    FAIL() << "went on";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error_type(), "drift") << failure.sentence();
  }
  EXPECT_EQ(plan(context).from, 1);
  store->connect()->execute_script(repair_text(all, ""));
  EXPECT_EQ(up(context).code, done);
}

TEST_P(Plans, are_blocked_in_a_sentence_where_there_is_no_way) {
  auto context = next_binary();
  EXPECT_NE(plan(context, 9).blocked.find("knows no way"), std::string::npos);
  EXPECT_NE(plan(context, 0).blocked.find("oldest schema"), std::string::npos);
  store->write([](Connection& c) { c.execute("UPDATE upgrade_down SET checksum = 'x' WHERE migration = 1"); });
  EXPECT_NE(plan(context).blocked.find("another form"), std::string::npos) << plan(context).blocked;
}

TEST_P(Plans, know_from_history_how_long_it_took) {
  auto context = next_binary();
  up(context);
  down(context, 1);
  auto again = plan(context);
  EXPECT_EQ(again.eta_from, "history");
  store->write([](Connection& c) { c.execute("UPDATE upgrade_history SET ms = 90000 WHERE direction = 'up' AND migration = 4"); });
  EXPECT_GT(plan(context).eta_seconds, 90);
}

TEST_P(Plans, say_what_the_way_back_parks) {
  fill();
  auto context = next_binary();
  up(context);
  store->write([](Connection& c) { c.update("card", {{"audience", "board"}}, "name", "Orders"); });
  auto back = plan(context, 1);
  ASSERT_EQ(back.steps.size(), 3u);
  EXPECT_EQ(back.steps[2].will_park, 1);
  EXPECT_NE(plan_text(back, "basalt migrate down --to 1").find("1 value is parked"), std::string::npos) << plan_text(back, "");
  down(context, 1);
  auto again = plan(context);
  EXPECT_EQ(again.later_parks, 1);
}

TEST_P(Plans, a_rehearsal_measures_and_leaves_the_data_alone) {
  fill();
  auto context = next_binary();
  auto state = [&] { return store->read([](Connection& c) { return data_state(c).root; }); };
  auto before = state();
  auto all = rehearsed_plan(context);
  EXPECT_EQ(all.eta_from, "rehearsal");
  EXPECT_EQ(state(), before);
  EXPECT_EQ(all.from, 1);
  EXPECT_EQ(plan(context).eta_from, "rehearsal");
  up(context);
  EXPECT_NE(plan(context, 1).eta_from, "rehearsal") << "another way was rehearsed";
}

// Law 5. A crash left a log that the file does not have yet: nobody may tidy it up while looking.
TEST_P(Plans, asking_changes_not_a_byte) {
  fill();
  store->connect()->execute_script("DROP INDEX \"i_card_collection_id\"");
  store.reset();
  std::optional<std::filesystem::path> copy;
  auto options = stores->options();
  if (GetParam() == Engine::Sqlite) {
    // As after kill -9: the file with its log, copied while somebody had it open.
    appdb::SqliteConnection crashed(options.sqlite_path);
    crashed.execute("UPDATE person SET first_name = 'in the log'");
    std::filesystem::create_directories(stores->folder() / "crashed");
    for (auto* part : {"", "-wal"}) std::filesystem::copy_file(options.sqlite_path.string() + part, stores->folder() / "crashed" / ("basalt.sqlite" + std::string(part)));
    options.sqlite_path = stores->folder() / "crashed" / "basalt.sqlite";
  }
  auto catalogue = [&] {
    return GetParam() == Engine::Sqlite ? std::string() : appdb::PostgresConnection(options.postgres_uri, options.postgres_schema).query_one("SELECT string_agg(relname || relfilenode || n_tup_ins || n_tup_upd || n_tup_del, ',' ORDER BY relname) AS t FROM pg_class JOIN pg_stat_user_tables USING (relname)")->text("t");
  };
  auto before = files();
  auto tables = catalogue();
  {
    auto looking = appdb::open_to_look(options);
    Context context{*looking, next, stores->folder()};
    auto all = plan(context);
    EXPECT_EQ(all.steps.size(), 3u);
    EXPECT_FALSE(all.blocked.empty());
    EXPECT_EQ(plan(context, 9).steps.size(), 0u);
    EXPECT_EQ(looking->read([](Connection& c) { return c.query_one("SELECT first_name FROM person")->optional_text("first_name").value_or(""); }), GetParam() == Engine::Sqlite ? "in the log" : "");
    EXPECT_THROW(looking->write([](Connection& c) { c.execute("DELETE FROM person"); }), Failure);
    EXPECT_THROW(looking->read([](Connection& c) { c.execute("DELETE FROM person"); }), Failure);
    EXPECT_THROW(looking->connect()->execute("DELETE FROM person"), Failure);
  }
  auto after = files();
  std::erase_if(after, [](auto& file) { return file.first.ends_with("-shm"); });
  std::erase_if(before, [](auto& file) { return file.first.ends_with("-shm"); });
  EXPECT_EQ(after, before);
  EXPECT_EQ(catalogue(), tables);
}

TEST(LookingStore, makes_nothing_where_there_is_nothing) {
  TestStores stores(Engine::Sqlite);
  auto next = migrations::all_next();
  {
    auto looking = appdb::open_to_look(stores.options());
    Context context{*looking, next, stores.folder()};
    auto all = plan(context);
    EXPECT_TRUE(all.fresh);
    EXPECT_EQ(all.steps.size(), 4u);
  }
  EXPECT_TRUE(std::filesystem::is_empty(stores.folder()));
  if (TestStores::missing(Engine::Postgres)) return;
  TestStores postgres(Engine::Postgres);
  {
    auto looking = appdb::open_to_look(postgres.options());
    Context context{*looking, next, postgres.folder()};
    EXPECT_TRUE(plan(context).fresh);
  }
  EXPECT_EQ(appdb::PostgresConnection(postgres.options().postgres_uri, "public").count("SELECT count(*) FROM pg_namespace WHERE nspname = 'basalt'"), 0);
}

INSTANTIATE_TEST_SUITE_P(BothEngines, Plans, testing::Values(Engine::Sqlite, Engine::Postgres), [](auto& info) { return std::string(info.param == Engine::Sqlite ? "Sqlite" : "Postgres"); });

}  // namespace
}  // namespace basalt::upgrade
