// Who serves a store, and who does its scheduled jobs.
#include "upgrade/nodes.h"

#include <gtest/gtest.h>

#include "base/failure.h"
#include "upgrade/test_upgrades.h"

namespace basalt::upgrade {
namespace {

using appdb::Connection;
using appdb::Engine;

struct NodesOnBothEngines : testing::TestWithParam<Engine> {
  void SetUp() override {
    if (auto missing = appdb::TestStores::missing(GetParam())) GTEST_SKIP() << *missing;
    stores.emplace(GetParam());
    store = open_fresh(*stores);
  }
  std::vector<Node> known(std::string_view self = {}) {
    return store->read([&](Connection& c) { return nodes(c, self); });
  }
  std::vector<Node> older(int target, std::string_view except = {}) {
    return store->read([&](Connection& c) { return older_live_nodes(c, target, except); });
  }
  // As if so many seconds had passed since.
  void age(const std::string& table, const std::string& where, int seconds) {
    auto s = std::to_string(seconds);
    store->write([&](Connection& c) {
      c.execute("UPDATE " + table + " SET heartbeat = " + (GetParam() == Engine::Sqlite ? "strftime('%Y-%m-%dT%H:%M:%fZ', heartbeat, '-" + s + " seconds')" : "heartbeat - interval '" + s + " seconds'") + " WHERE " + where);
    });
  }
  std::optional<appdb::TestStores> stores;
  std::unique_ptr<appdb::Store> store;
};

TEST_P(NodesOnBothEngines, who_joins_is_seen_until_it_leaves_or_is_silent_for_half_a_minute) {
  Nodes a(*store, "a:3000", 1), b(*store, "b:3000", 4);
  a.join();
  b.join();
  auto all = known(b.id());
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "a:3000");
  EXPECT_EQ(all[0].id, a.id());
  EXPECT_TRUE(all[0].live && !all[0].self && all[1].live && all[1].self);
  EXPECT_EQ(all[0].target, 1);
  ASSERT_EQ(older(4).size(), 1u);
  EXPECT_EQ(older(4)[0].name, "a:3000");
  EXPECT_TRUE(older(4, a.id()).empty());
  EXPECT_TRUE(older(1).empty());

  age("upgrade_node", "node = 'a:3000'", 25);
  EXPECT_EQ(older(4).size(), 1u);
  age("upgrade_node", "node = 'a:3000'", 10);
  EXPECT_TRUE(older(4).empty());
  EXPECT_EQ(known().size(), 2u);
  EXPECT_FALSE(known()[1].live);
  a.beat();
  EXPECT_EQ(older(4).size(), 1u);
  a.leave();
  EXPECT_EQ(known().size(), 1u);
}

TEST_P(NodesOnBothEngines, a_crashed_node_that_starts_again_takes_its_own_place) {
  { Nodes crashed(*store, "a:3000", 1); crashed.join(); }
  Nodes again(*store, "a:3000", 4);
  again.join();
  ASSERT_EQ(known().size(), 1u);
  EXPECT_TRUE(older(4).empty());
}

TEST_P(NodesOnBothEngines, two_that_live_under_one_name_are_both_seen) {
  Nodes old(*store, "same", 1), newer(*store, "same", 4);
  old.join();
  newer.join();
  old.beat();
  newer.beat();
  EXPECT_EQ(known().size(), 2u);
  ASSERT_EQ(older(4).size(), 1u);
  EXPECT_EQ(older(4)[0].id, old.id());
  EXPECT_NE(older(4)[0].name, "same");
}

TEST_P(NodesOnBothEngines, a_job_is_held_by_one_node_until_it_leaves_or_falls_silent) {
  Nodes a(*store, "a", 1), b(*store, "b", 1);
  a.join();
  b.join();
  Leases of_a(*store, a), of_b(*store, b);
  EXPECT_TRUE(of_a.hold("syncs"));
  EXPECT_FALSE(of_b.hold("syncs"));
  EXPECT_TRUE(of_b.hold("backup"));
  EXPECT_TRUE(of_a.hold("syncs"));
  age("upgrade_lock", "name = 'job:syncs'", 50);
  EXPECT_FALSE(of_b.hold("syncs"));
  of_a.renew();
  age("upgrade_lock", "name = 'job:syncs'", 50);
  EXPECT_FALSE(of_b.hold("syncs"));
  age("upgrade_lock", "name = 'job:syncs'", 20);
  EXPECT_TRUE(of_b.hold("syncs"));
  EXPECT_FALSE(of_a.hold("syncs"));
  b.leave();
  EXPECT_TRUE(of_a.hold("syncs"));
  EXPECT_TRUE(of_a.hold("backup"));
}

TEST_P(NodesOnBothEngines, a_store_without_data_knows_no_nodes_and_nobody_fails) {
  appdb::TestStores none(GetParam());
  auto empty = none.open();
  Nodes a(*empty, "a", 1);
  a.join();
  a.leave();
  EXPECT_TRUE(empty->read([](Connection& c) { return nodes(c); }).empty());
}

INSTANTIATE_TEST_SUITE_P(Engines, NodesOnBothEngines, testing::Values(Engine::Sqlite, Engine::Postgres), [](auto& info) { return info.param == Engine::Sqlite ? "sqlite" : "postgres"; });

}  // namespace
}  // namespace basalt::upgrade
