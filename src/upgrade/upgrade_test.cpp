#include <gtest/gtest.h>

#include "migrations/next/all_next.h"
#include "upgrade/test_upgrades.h"

namespace basalt::upgrade {
namespace {

using appdb::Engine;
using appdb::TestStores;

struct FreshStore : testing::TestWithParam<Engine> {};

TEST_P(FreshStore, is_created_at_once_and_is_then_up_to_date) {
  if (auto missing = TestStores::missing(GetParam())) GTEST_SKIP() << *missing;
  TestStores stores(GetParam());
  auto store = stores.open();
  auto known = migrations::all();
  Context context{*store, known, stores.folder()};
  auto outcome = up(context);
  EXPECT_EQ(outcome.code, done);
  EXPECT_EQ(outcome.to, 1);
  RecordProperty("seconds", std::to_string(outcome.seconds));
  std::cout << "created in " << outcome.seconds << " s\n";
  EXPECT_EQ(up(context).code, nothing_to_do);
  auto names = store->read([](appdb::Connection& c) { return c.query("SELECT id, name, kind FROM permission_group ORDER BY id"); });
  ASSERT_EQ(names.size(), 2u);
  EXPECT_EQ(names[0].integer("id"), 1);
  EXPECT_EQ(names[0].text("name"), "All Users");
  EXPECT_EQ(names[1].integer("id"), 2);
}

INSTANTIATE_TEST_SUITE_P(Engines, FreshStore, testing::Values(Engine::Sqlite, Engine::Postgres), [](auto& info) { return info.param == Engine::Sqlite ? "sqlite" : "postgres"; });

}  // namespace
}  // namespace basalt::upgrade
