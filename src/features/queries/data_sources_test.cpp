#include "features/queries/data_sources.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <thread>

#include "base/failure.h"

namespace basalt::features {
namespace {

class DataSourcesTest : public ::testing::Test {
 protected:
  DataSourcesTest() {
    folder_ = std::filesystem::temp_directory_path() / ("basalt_data_sources_test_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    store_ = appdb::Store::open({.sqlite_path = folder_ / "store.db"});
    make_file("one.sqlite");
    make_file("two.sqlite");
    store_->write([&](appdb::Connection& c) {
      c.execute_script("CREATE TABLE \"database\" (id INTEGER PRIMARY KEY, engine TEXT, details TEXT)");
      c.execute("INSERT INTO \"database\" (id, engine, details) VALUES (1, 'sqlite', ?)", {"sealed " + details("one.sqlite")});
    });
  }
  ~DataSourcesTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::string details(const char* name) const { return json::write(json::object{{"db", (folder_ / name).string()}}); }
  void make_file(const char* name) const { appdb::Store::open({.sqlite_path = folder_ / name})->write([](appdb::Connection& c) { c.execute_script("CREATE TABLE t (id INTEGER)"); }); }
  DataSources make(DataSourceOptions options) {
    return DataSources(*store_, drivers_, [](const std::string& stored) { return stored.substr(7); }, options);
  }
  static const void* address(const std::shared_ptr<pipeline::ConnectionLease>& lease) { return &lease->connection(); }

  std::filesystem::path folder_;
  std::unique_ptr<appdb::Store> store_;
  drivers::Drivers drivers_{drivers::DriverOptions{std::filesystem::temp_directory_path(), 64}};
};

TEST_F(DataSourcesTest, GivesAConnectionBackToThePool) {
  auto sources = make({});
  auto first = sources.lease(DatabaseId(1), {});
  auto* where = address(first);
  auto second = sources.lease(DatabaseId(1), {});
  EXPECT_NE(address(second), where) << "one is in use: a second is opened";
  first.reset();
  EXPECT_EQ(address(sources.lease(DatabaseId(1), {})), where);
}

TEST_F(DataSourcesTest, ClosesBrokenIdleAndSurplusConnections) {
  auto sources = make({.idle_time = std::chrono::milliseconds(0), .idle_connections = 1});
  std::vector<std::shared_ptr<pipeline::ConnectionLease>> leases;
  for (int i = 0; i < 3; ++i) leases.push_back(sources.lease(DatabaseId(1), {}));
  leases[0]->mark_broken();
  leases.clear();
  sources.close_idle();
  EXPECT_TRUE(sources.lease(DatabaseId(1), {}));
}

TEST_F(DataSourcesTest, RefusesADatabaseThatIsNotThere) {
  auto sources = make({});
  try {
    sources.lease(DatabaseId(9), {});
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.kind(), FailureKind::NotFound);
  }
}

TEST_F(DataSourcesTest, SaysSoWhenAllConnectionsAreBusy) {
  auto sources = make({.connections = 1, .patience = std::chrono::milliseconds(10)});
  auto taken = sources.lease(DatabaseId(1), {});
  try {
    sources.lease(DatabaseId(1), {});
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.kind(), FailureKind::Unavailable);
  }
  taken.reset();
  EXPECT_TRUE(sources.lease(DatabaseId(1), {}));
}

TEST_F(DataSourcesTest, StopsWaitingWhenTheClientHasGone) {
  auto sources = make({.connections = 1});
  auto taken = sources.lease(DatabaseId(1), {});
  std::stop_source client;
  std::optional<FailureKind> kind;
  std::thread waiting([&] {
    try {
      sources.lease(DatabaseId(1), client.get_token());
    } catch (const Failure& failure) {
      kind = failure.kind();
    }
  });
  client.request_stop();
  waiting.join();
  EXPECT_EQ(kind, FailureKind::Cancelled);
}

TEST_F(DataSourcesTest, HandsOutConnectionsToEveryoneWhoWaits) {
  auto sources = make({.connections = 2});
  std::atomic<int> in_use = 0, most = 0, served = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 50; ++k) {
        auto lease = sources.lease(DatabaseId(1), {});
        int now = ++in_use, seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {}
        std::this_thread::yield();
        --in_use;
        ++served;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(served, 400);
  EXPECT_LE(most, 2);
}

TEST_F(DataSourcesTest, UsesNewDetailsAfterADrop) {
  auto sources = make({});
  auto old = sources.lease(DatabaseId(1), {});
  store_->write([&](appdb::Connection& c) { c.execute("UPDATE \"database\" SET details = ? WHERE id = 1", {"sealed " + details("missing.sqlite")}); });
  sources.drop(DatabaseId(1));
  EXPECT_THROW(sources.lease(DatabaseId(1), {}), Failure);
  old.reset();  // given back to a pool that is gone: closed
  EXPECT_THROW(sources.lease(DatabaseId(1), {}), Failure);
}

}  // namespace
}  // namespace basalt::features
