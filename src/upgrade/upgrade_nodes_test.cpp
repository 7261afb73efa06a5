// Upgrades beside others: older and newer nodes on the same data, two upgraders at once, holders that died or were stopped, and
// refusals, which must leave no trace.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "appdb/postgres_connection.h"
#include "base/crypto.h"
#include "base/failure.h"
#include "base/version.h"
#include "migrations/next/all_next.h"
#include "upgrade/drift.h"
#include "upgrade/fingerprint.h"
#include "upgrade/nodes.h"
#include "upgrade/run_lock.h"
#include "upgrade/test_upgrades.h"

namespace basalt::upgrade {
namespace {

using appdb::Connection;
using appdb::Engine;
using appdb::TestStores;
using namespace std::chrono_literals;

const std::string now = "2026-01-02T03:04:05.000006Z";

struct BesideOthers : testing::TestWithParam<Engine> {
  void SetUp() override {
    if (auto missing = TestStores::missing(GetParam())) GTEST_SKIP() << *missing;
    set_version("0.1.0");
    stores.emplace(GetParam());
    store = stores->open();
    auto made = context(first);
    up(made);
    store->write([&](Connection& c) {
      person = c.insert("person", {{"email", "ada@example.com"}, {"entity_id", "p1"}, {"created_at", now}, {"updated_at", now}});
      c.insert("card", {{"name", "Orders"}, {"creator_id", person}, {"visualization_settings", R"({"basalt.note":"check this"})"}, {"entity_id", "c1"}, {"created_at", now}, {"updated_at", now}});
    });
    snippet("active");
    set_version("0.2.0");
  }
  void TearDown() override { set_version("0.0.0"); }

  Context context(const std::vector<migrations::Migration>& known, std::function<void(std::string_view)> hook = {}) {
    Context out{*store, known, stores->folder(), &progress, "", std::move(hook)};
    out.lock_patience = 2000ms;
    return out;
  }
  void snippet(const std::string& name, appdb::Store* by = nullptr) {
    (by ? *by : *store).write([&](Connection& c) { c.insert("snippet", {{"name", name}, {"content", "x"}, {"creator_id", person}, {"entity_id", name}, {"created_at", now}, {"updated_at", now}}); });
  }
  std::string text(const std::string& sql) {
    return store->read([&](Connection& c) {
      auto row = c.query_one(sql);
      if (!row) return std::string("<none>");
      auto v = migrations::value_json(row->values()[0]);
      return v.is_string() ? std::string(v.get_string()) : json::write(v);
    });
  }
  std::string settings() { return text("SELECT visualization_settings FROM card WHERE name = 'Orders'"); }
  Ledger ledger() { return store->read([](Connection& c) { return read_ledger(c); }); }
  // Every row of every table, the bookkeeping too.
  std::map<std::string, std::string> all_rows() {
    return store->read([](Connection& c) {
      std::map<std::string, std::string> out;
      for (auto& t : read_ledger(c).structure.tables) out[t.name] = fingerprint(c, t).text();
      return out;
    });
  }
  std::string refusal_of(const std::function<void()>& work, std::string_view error_type = {}) {
    try {
      work();
    } catch (const Failure& failure) {
      if (!error_type.empty()) {
        EXPECT_EQ(failure.error_type(), error_type) << failure.sentence();
      }
      return failure.sentence();
    }
    ADD_FAILURE() << "was not refused";
    return "";
  }
  void expect_sound(int schema) {
    store->read([&](Connection& c) {
      auto l = read_ledger(c);
      EXPECT_EQ(l.schema, schema);
      for (auto& d : drift(c, l)) EXPECT_FALSE(d.blocks()) << d.sentence;
    });
  }

  std::optional<TestStores> stores;
  std::unique_ptr<appdb::Store> store;
  std::vector<migrations::Migration> first = migrations::all(), next = migrations::all_next();
  Progress progress;
  std::int64_t person = 0;
};

TEST_P(BesideOthers, while_an_older_node_is_live_only_what_it_does_not_notice_is_done) {
  auto older_store = stores->open();
  older_store->serve_as(1);
  Nodes older(*older_store, "alpha", 1);
  older.join();
  auto newer = context(next);
  auto outcome = up(newer);
  EXPECT_EQ(outcome.code, done);
  for (auto part : {"Expanded to schema 4", "1 node still runs", "alpha", "migrate finalize"}) EXPECT_NE(outcome.sentence.find(part), std::string::npos) << outcome.sentence;
  auto there = status(newer);
  EXPECT_EQ(there.schema, 4);
  EXPECT_EQ(there.level, 2);
  EXPECT_EQ(there.compat_floor, 1);
  EXPECT_EQ(there.pending.size(), 2u) << json::write(there.pending);
  EXPECT_EQ(there.nodes.size(), 1u);
  EXPECT_FALSE(there.expanded_at.empty());
  EXPECT_EQ(text("SELECT audience FROM card"), "everyone");
  EXPECT_EQ(settings(), R"({"basalt.note":"check this"})");
  expect_sound(4);
  // The older node goes on reading and writing, and its binary may be started again.
  snippet("by the older one", older_store.get());
  auto again = context(first);
  EXPECT_EQ(status(again).decision, Decision::RunNewer);
  EXPECT_EQ(up(again).code, nothing_to_do);
  // Not while it is live, not while it bakes, and then by itself.
  EXPECT_NE(refusal_of([&] { finalise(newer); }, "older-nodes").find("alpha (0.2.0)"), std::string::npos);
  EXPECT_FALSE(finalise_when_due(newer));
  older.leave();
  EXPECT_FALSE(finalise_when_due(newer));
  EXPECT_EQ(up(newer).code, nothing_to_do);
  newer.bake_time = 0min;
  auto finalised = finalise_when_due(newer);
  ASSERT_TRUE(finalised);
  EXPECT_EQ(finalised->code, done) << finalised->sentence;
  there = status(newer);
  EXPECT_EQ(there.level, 4);
  EXPECT_EQ(there.compat_floor, 4);
  EXPECT_TRUE(there.pending.empty());
  EXPECT_TRUE(there.expanded_at.empty());
  EXPECT_EQ(json::parse(settings()), json::parse(R"({"notes":{"text":"check this","format":"plain"}})"));
  EXPECT_EQ(text("SELECT count(*) FROM snippet"), "2");
  expect_sound(4);
  EXPECT_EQ(finalise(newer).code, nothing_to_do);
  EXPECT_FALSE(finalise_when_due(newer));
  // A process that was away meanwhile writes no more.
  refusal_of([&] { snippet("too late", older_store.get()); }, "fenced");
  EXPECT_EQ(text("SELECT count(*) FROM snippet"), "2");
  // And the way back is the whole way, for which nobody else may have the data open.
  older_store.reset();
  ASSERT_EQ(down(again, 1).to, 1);
  EXPECT_EQ(settings(), R"({"basalt.note":"check this"})");
  EXPECT_EQ(ledger().compat_floor, 1);
  expect_sound(1);
}

TEST_P(BesideOthers, nodes_that_are_dead_or_as_new_do_not_count) {
  Nodes dead(*store, "alpha", 1), equal(*store, "beta", 4), self(*store, "gamma", 1);
  for (auto* node : {&dead, &equal, &self}) node->join();
  store->write([](Connection& c) { c.execute(std::string("UPDATE upgrade_node SET heartbeat = ") + (c.engine() == Engine::Sqlite ? "'2020-01-01T00:00:00.000Z'" : "now() - interval '1 hour'") + " WHERE node = 'alpha'"); });
  auto newer = context(next);
  newer.node_id = self.id();
  up(newer);
  EXPECT_EQ(ledger().level, 4);
}

TEST_P(BesideOthers, a_node_that_starts_between_the_rehearsal_and_the_change_is_waited_for) {
  Nodes late(*store, "late", 1);
  auto newer = context(next, [&](std::string_view edge) { if (edge == "rehearsed") late.join(); });
  auto outcome = up(newer);
  EXPECT_NE(outcome.sentence.find("late"), std::string::npos) << outcome.sentence;
  EXPECT_EQ(ledger().schema, 4);
  EXPECT_EQ(ledger().pending.size(), 2u);
  EXPECT_EQ(ledger().compat_floor, 1);
}

TEST_P(BesideOthers, what_only_expanded_steps_down_beside_older_nodes_but_not_beside_newer_ones) {
  Nodes older(*store, "alpha", 1), newer_node(*store, "omega", 4);
  older.join();
  auto newer = context(next);
  up(newer);
  newer_node.join();
  store->write([](Connection& c) { c.update("card", {{"audience", "board"}}, "name", "Orders"); });
  auto again = context(first);
  EXPECT_NE(refusal_of([&] { down(again, 1); }, "newer-nodes").find("omega"), std::string::npos);
  EXPECT_EQ(ledger().schema, 4);
  newer_node.leave();
  auto serving = stores->open();  // an older server has the data open meanwhile
  serving->read([](Connection& c) { c.count("SELECT count(*) FROM card"); });
  auto outcome = down(again, 1);
  EXPECT_EQ(outcome.parked, 1);
  EXPECT_EQ(ledger().schema, 1);
  EXPECT_TRUE(ledger().pending.empty());
  EXPECT_EQ(ledger().compat_floor, 1);
  snippet("still there", serving.get());
  expect_sound(1);
  older.leave();
  auto up_again = up(newer);
  EXPECT_EQ(up_again.returned, 1);
  EXPECT_EQ(text("SELECT audience FROM card"), "board");
}

TEST_P(BesideOthers, a_part_of_the_way_back_keeps_what_is_still_put_off) {
  Nodes older(*store, "alpha", 1);
  older.join();
  auto newer = context(next);
  up(newer);
  EXPECT_EQ(down(newer, 3).to, 3);
  EXPECT_EQ(ledger().pending, (std::vector<std::pair<int, int>>{{3, 0}}));
  EXPECT_EQ(ledger().level, 2);
  EXPECT_EQ(ledger().compat_floor, 1);
  EXPECT_EQ(up(newer).to, 4);
  EXPECT_EQ(ledger().pending.size(), 2u);
  older.leave();
  EXPECT_EQ(finalise(newer).code, done);
  EXPECT_EQ(ledger().compat_floor, 4);
  expect_sound(4);
}

TEST_P(BesideOthers, a_crash_at_any_edge_of_finalising_leaves_before_or_after_and_goes_on) {
  const Edges edges;
  for (int edge = edges.first;; edge += edges.step) {
    stores.emplace(GetParam());
    store = stores->open();
    set_version("0.1.0");
    auto old = context(first);
    up(old);
    store->write([&](Connection& c) {
      person = c.insert("person", {{"email", "ada@example.com"}, {"entity_id", "p1"}, {"created_at", now}, {"updated_at", now}});
      c.insert("card", {{"name", "Orders"}, {"creator_id", person}, {"visualization_settings", R"({"basalt.note":"check this"})"}, {"entity_id", "c1"}, {"created_at", now}, {"updated_at", now}});
    });
    set_version("0.2.0");
    {
      Nodes older(*store, "alpha", 1);
      older.join();
      auto newer = context(next);
      up(newer);
      older.leave();
    }
    int seen = 0;
    std::string name;
    auto dying = context(next, [&](std::string_view e) { if (!e.starts_with("rehearse: ") && seen++ == edge) { name = e; throw std::runtime_error("power cut"); } });
    try {
      finalise(dying);
    } catch (const std::runtime_error& e) {
      ASSERT_STREQ(e.what(), "power cut") << "after edge " << name;
    }
    SCOPED_TRACE("killed at: " + name);
    store = stores->open();
    auto left = ledger();
    ASSERT_TRUE(left.pending.empty() ? left.compat_floor == 4 : left.compat_floor < 4);
    auto restarted = context(next);
    restarted.bake_time = 0min;
    ASSERT_NO_THROW(up(restarted));
    ASSERT_EQ(ledger().level, 4);
    ASSERT_EQ(json::parse(settings()), json::parse(R"({"notes":{"text":"check this","format":"plain"}})"));
    expect_sound(4);
    if (name.empty()) {
      ASSERT_GT(edge, 6);
      break;
    }
  }
}

TEST_P(BesideOthers, everybody_reads_and_writes_until_the_change_itself) {
  std::vector<std::string> seen;
  auto newer = context(next, [&](std::string_view edge) {
    if (edge == "backed up" || edge == "rehearsed" || edge == "rehearse: before add column audience to card") snippet("at " + std::string(edge));
    // PostgreSQL's readers wait for the short transaction, SQLite's never.
    if (edge == "writers paused" || (GetParam() == Engine::Sqlite && (edge == "before commit" || edge == "changed"))) seen.push_back(text("SELECT name FROM card"));
  });
  auto outcome = up(newer);
  EXPECT_EQ(text("SELECT count(*) FROM snippet"), "4");
  EXPECT_EQ(seen.size(), GetParam() == Engine::Sqlite ? 3u : 1u);
  for (auto& name : seen) EXPECT_EQ(name, "Orders");
  EXPECT_GT(outcome.paused_seconds, 0);
  EXPECT_LT(outcome.paused_seconds, 5);
}

TEST_P(BesideOthers, of_two_upgraders_one_works_and_the_other_waits_and_says_for_whom) {
  Progress waiting;
  Outcome second;
  std::jthread other;
  std::string said;
  auto newer = context(next, [&](std::string_view edge) {
    if (edge != "backed up") return;
    other = std::jthread([&] {
      auto other_store = stores->open();
      Context context{*other_store, next, stores->folder(), &waiting};
      second = up(context);
    });
    while (waiting.now().state != "waiting" && waiting.now().state != "failed") std::this_thread::yield();
    said = waiting.now().step_name;
  });
  auto outcome = up(newer);
  other.join();
  EXPECT_EQ(outcome.code, done);
  EXPECT_EQ(second.code, nothing_to_do) << second.sentence;
  EXPECT_NE(said.find(":" + std::to_string(getpid()) + ", which is upgrading the data since "), std::string::npos) << said;
  EXPECT_EQ(waiting.now().state, "done");
  EXPECT_EQ(text("SELECT count(*) FROM upgrade_backup"), "1");
}

TEST_P(BesideOthers, who_waited_long_for_its_turn_did_not_stand_still) {
  Progress waiting;
  Outcome second;
  std::jthread other;
  constexpr auto stand_still = 3s;
  auto first = context(next, [&](std::string_view edge) {
    if (edge != "backed up") return;
    other = std::jthread([&] {
      auto other_store = stores->open();
      Context context{*other_store, next, stores->folder(), &waiting};
      context.stand_still = stand_still;
      second = up(context);
    });
    while (waiting.now().state != "waiting" && waiting.now().state != "failed") std::this_thread::yield();
    for (auto until = std::chrono::steady_clock::now() + stand_still + 200ms; std::chrono::steady_clock::now() < until;) std::this_thread::yield();
    throw std::runtime_error("power cut");
  });
  EXPECT_THROW(up(first), std::runtime_error);
  other.join();
  EXPECT_EQ(second.code, done) << second.sentence;
  EXPECT_EQ(second.to, 4);
}

TEST_P(BesideOthers, a_holder_that_stood_still_commits_nothing) {
  auto sleeper = context(next);
  sleeper.stand_still = 0ms;
  refusal_of([&] { up(sleeper); }, "fenced");
  EXPECT_EQ(ledger().schema, 1);
  auto newer = context(next);
  EXPECT_EQ(up(newer).to, 4);
}

TEST_P(BesideOthers, a_lock_is_released_only_when_its_holder_is_gone) {
  auto newer = context(next);
  EXPECT_EQ(release_locks(newer).code, nothing_to_do);
  std::string refused;
  json::value holder;
  auto busy = context(next, [&](std::string_view edge) {
    if (edge != "rehearsed") return;
    auto other = context(next);
    refused = refusal_of([&] { release_locks(other); }, "lock-held");
    auto there = status(other);
    holder = there.lock;
    EXPECT_FALSE(there.running.is_null());
  });
  up(busy);
  EXPECT_NE(refused.find(":" + std::to_string(getpid())), std::string::npos) << refused;
  ASSERT_TRUE(holder.is_object());
  EXPECT_EQ(json::text(holder, "purpose"), "upgrade");
  EXPECT_TRUE(status(newer).lock.is_null());
  EXPECT_TRUE(status(newer).running.is_null());
  // What a crash leaves.
  if (GetParam() == Engine::Sqlite) std::ofstream(stores->options().sqlite_path.string() + ".upgrading") << R"({"host":"gone","pid":7,"purpose":"upgrade"})";
  else store->connect()->execute("UPDATE upgrade_lock SET owner_host = 'gone', owner_pid = 7 WHERE name = 'upgrade'");
  EXPECT_TRUE(status(newer).lock.is_null());
  auto released = release_locks(newer);
  EXPECT_EQ(released.code, done);
  EXPECT_NE(released.sentence.find("gone:7"), std::string::npos) << released.sentence;
  EXPECT_EQ(release_locks(newer).code, nothing_to_do);
}

TEST_P(BesideOthers, the_progress_counts_what_was_rehearsed) {
  std::vector<double> left;
  auto newer = context(next, [&](std::string_view edge) {
    if (edge == "before reshape the documents in card.visualization_settings" || edge.starts_with("after migration")) {
      auto now_there = progress.now();
      EXPECT_EQ(now_there.steps, GetParam() == Engine::Sqlite ? 3 : now_there.steps);
      if (now_there.eta_seconds) left.push_back(*now_there.eta_seconds);
    }
  });
  up(newer);
  EXPECT_FALSE(left.empty());
}

TEST_P(BesideOthers, half_made_files_of_a_killed_run_are_swept_although_nothing_is_to_do) {
  auto newer = context(next);
  up(newer);
  auto half = stores->folder() / "upgrade-state.json.new";
  std::ofstream(half) << "{";
  EXPECT_EQ(up(newer).code, nothing_to_do);
  EXPECT_FALSE(std::filesystem::exists(half));
}

// The run is written down as it goes on, for those who look from another node.
TEST_P(BesideOthers, a_run_is_closed_with_what_became_of_it) {
  Nodes older(*store, "alpha", 1);
  older.join();
  auto newer = context(next);
  up(newer);
  EXPECT_EQ(text("SELECT state FROM upgrade_run ORDER BY id DESC LIMIT 1"), "observing");
  EXPECT_EQ(text("SELECT count(*) FROM upgrade_run WHERE ended_at IS NULL"), "0");
  older.leave();
  finalise(newer);
  EXPECT_EQ(text("SELECT state FROM upgrade_run ORDER BY id DESC LIMIT 1"), "finalised");
  EXPECT_EQ(text("SELECT units_done - units_total FROM upgrade_run ORDER BY id DESC LIMIT 1"), "0");
  EXPECT_EQ(text("SELECT count(*) FROM upgrade_run"), "2");
}

// A refused run leaves every file, and every row, as it was.
TEST_P(BesideOthers, what_is_refused_leaves_no_trace) {
  auto files = [&] {
    std::map<std::string, std::string> out;
    for (auto& entry : std::filesystem::recursive_directory_iterator(stores->folder())) {
      if (!entry.is_regular_file()) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      std::stringstream bytes;
      bytes << in.rdbuf();
      out[entry.path().string()] = sha256_hex(bytes.str());
    }
    return out;
  };
  auto expect_no_trace = [&](const std::string& name, const std::function<void()>& refused) {
    SCOPED_TRACE(name);
    auto rows = all_rows();
    store.reset();
    auto before = files();
    store = stores->open();
    refusal_of(refused);
    EXPECT_EQ(all_rows(), rows);
    store.reset();
    EXPECT_EQ(files(), before);
    store = stores->open();
  };
  auto as_node = [&](const std::string& name, int target, bool there) {
    Nodes node(*store, name, target);
    node.join();
    if (!there) node.leave();
  };
  as_node("alpha", 1, true);
  auto run = [&](const std::function<void(Context&)>& what, const std::vector<migrations::Migration>& known) {
    return [&, what] {
      auto c = context(known);
      what(c);
    };
  };
  auto upgrade_it = run([](Context& c) { up(c); }, next);
  store->connect()->execute_script("DROP INDEX " + appdb::quoted(migrations::unique_name(*ledger().structure.table("snippet"), {{"name"}})));
  expect_no_trace("drift", upgrade_it);
  store->connect()->execute_script(migrations::create_unique_sql(*ledger().structure.table("snippet"), {{"name"}})[0]);
  expect_no_trace("down below the first", run([](Context& c) { down(c, 0); }, first));
  upgrade_it();
  expect_no_trace("finalise beside an older node", run([](Context& c) { finalise(c); }, next));
  as_node("alpha", 1, false);
  as_node("omega", 4, true);
  expect_no_trace("step down beside a newer node", run([](Context& c) { down(c, 1); }, first));
  as_node("omega", 4, false);
  run([](Context& c) { finalise(c); }, next)();
  expect_no_trace("step down while somebody has the data open", [&] {
    auto serving = stores->open();
    serving->read([](Connection& c) { c.count("SELECT count(*) FROM card"); });
    auto c = context(first);
    c.lock_patience = 1ms;
    down(c, 1);
  });
  expect_no_trace("newer data", run([](Context& c) { up(c); }, first));
  expect_no_trace("a step down upwards", run([](Context& c) { down(c, 9); }, first));
  store->write([](Connection& c) { c.execute("UPDATE upgrade_down SET operations = '[]' WHERE migration = 4"); });
  expect_no_trace("a damaged way back", run([](Context& c) { down(c, 1); }, first));
}

INSTANTIATE_TEST_SUITE_P(Engines, BesideOthers, testing::Values(Engine::Sqlite, Engine::Postgres), [](auto& info) { return info.param == Engine::Sqlite ? "sqlite" : "postgres"; });

// ---- PostgreSQL: sessions that end under the run

struct LostSessions : BesideOthers {
  void kill_the_holder() {
    auto admin = stores->open();
    admin->connect()->count("SELECT count(pg_terminate_backend(l.pid)) FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.pid <> pg_backend_pid() AND l.mode = 'ExclusiveLock' "
                            "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())");
  }
};

TEST_P(LostSessions, a_session_that_the_server_ends_changes_nothing_more_and_a_restart_goes_on) {
  for (std::string at : {"backed up", "rehearsed", "run opened", "before add column audience to card", "before commit", "committed", "writers paused", "finished under pause"}) {
    SCOPED_TRACE(at);
    stores.emplace(GetParam());
    store = stores->open();
    auto old = context(first);
    up(old);
    bool killed = false;
    auto dying = context(next, [&](std::string_view edge) {
      if (edge != at || std::exchange(killed, true)) return;
      kill_the_holder();
    });
    refusal_of([&] { up(dying); });
    EXPECT_TRUE(killed);
    store = stores->open();
    auto newer = context(next);
    EXPECT_NO_THROW(up(newer));
    EXPECT_EQ(ledger().level, 4);
    expect_sound(4);
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, LostSessions, testing::Values(Engine::Postgres), [](auto&) { return "postgres"; });

}  // namespace
}  // namespace basalt::upgrade
