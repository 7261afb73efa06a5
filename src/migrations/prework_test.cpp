// What is done before and after the short transaction on PostgreSQL, while others read and write.
#include "migrations/prework.h"

#include <atomic>
#include <thread>

#include "base/failure.h"
#include "migrations/law_store.h"

namespace basalt::migrations {
namespace {

using appdb::Connection;
using appdb::Engine;
using appdb::TestStores;
using Seconds = std::chrono::duration<double>;

Operation made(const std::function<void(Schema&)>& build) {
  Schema schema;
  build(schema);
  return std::move(schema).operations().front();
}

struct BeforeAndAfter : testing::Test, LawStore {
  void SetUp() override {
    if (auto missing = TestStores::missing(Engine::Postgres)) GTEST_SKIP() << *missing;
    open(Engine::Postgres, 3);
  }
  Planned planned(const std::function<void(Schema&)>& build, int number = 0) { return {3, number, prepare(made(build), structure)}; }
  std::int64_t index_oid(const std::string& name) { return connection->count("SELECT indexrelid::bigint FROM pg_index WHERE indexrelid = to_regclass(?) AND indisvalid", {name}); }
  // Executes like a run on PostgreSQL does: slow work is left for afterwards.
  Counters execute(const Planned& p, bool leave = true) {
    connection->execute_script("BEGIN");
    Executor executor(*connection, structure, p.migration, 0, now);
    executor.leave_slow_work(leave);
    executor.run(p.operation, p.number, Direction::Up);
    EXPECT_TRUE(probe(*connection, p.operation, p.migration, p.number).value_or(true));
    connection->execute_script("COMMIT");
    return executor.counters();
  }
};

TEST_F(BeforeAndAfter, an_index_is_made_beforehand_and_taken_over) {
  auto index = planned([](Schema& s) { s.create_index("thing", {"label", "n"}); });
  ASSERT_TRUE(prework(*connection, structure, {index}));
  auto oid = index_oid("i_thing_label_n");
  ASSERT_GT(oid, 0);
  execute(index);
  EXPECT_EQ(index_oid("i_thing_label_n"), oid) << "made twice";
  EXPECT_EQ(connection->count("SELECT count(*) FROM upgrade_backfill"), 0);
}

TEST_F(BeforeAndAfter, the_invalid_rest_of_an_index_is_dropped_and_made_anew) {
  auto index = planned([](Schema& s) { s.create_index("thing", {"label"}); });
  auto reader = store->connect();
  reader->execute_script("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM thing");  // its snapshot keeps the index from becoming valid
  connection->execute_script("SET statement_timeout = 300");
  EXPECT_THROW(connection->execute_script("CREATE INDEX CONCURRENTLY i_thing_label ON thing (label)"), Failure);
  connection->execute_script("SET statement_timeout = 0");
  reader->execute_script("COMMIT");
  ASSERT_EQ(index_state(*connection, *structure.table("thing"), {{"label"}}), IndexState::Invalid);
  ASSERT_TRUE(prework(*connection, structure, {index}));
  EXPECT_EQ(index_state(*connection, *structure.table("thing"), {{"label"}}), IndexState::Valid);
}

TEST_F(BeforeAndAfter, the_change_itself_replaces_an_invalid_index_too) {
  connection->execute_script("CREATE INDEX i_thing_label ON thing (label)");
  connection->execute_script("UPDATE pg_index SET indisvalid = FALSE WHERE indexrelid = 'i_thing_label'::regclass");
  execute(planned([](Schema& s) { s.create_index("thing", {"label"}); }));
  EXPECT_EQ(index_state(*connection, *structure.table("thing"), {{"label"}}), IndexState::Valid);
}

TEST_F(BeforeAndAfter, an_index_of_somebody_else_under_the_name_is_not_touched) {
  connection->execute_script("CREATE INDEX i_thing_label ON leaf (value)");
  EXPECT_THROW(prework(*connection, structure, {planned([](Schema& s) { s.create_index("thing", {"label"}); })}), Failure);
  EXPECT_GT(index_oid("i_thing_label"), 0);
}

TEST_F(BeforeAndAfter, what_hangs_on_something_not_done_yet_is_left_to_the_change) {
  auto rename = planned([](Schema& s) { s.rename_column("thing", "label", "tag"); });
  Planned index{3, 1, CreateIndex{"thing", {{"tag"}}}}, old{3, 1, CreateIndex{"thing", {{"label"}}}};
  EXPECT_TRUE(prework(*connection, structure, {rename, index}));
  EXPECT_TRUE(prework(*connection, structure, {rename, old}));
  EXPECT_FALSE(index_exists(*connection, "i_thing_tag"));
  EXPECT_FALSE(index_exists(*connection, "i_thing_label"));
}

TEST_F(BeforeAndAfter, documents_are_reshaped_beforehand_and_what_was_written_meanwhile_afterwards) {
  auto reshape = [](Schema& s) { s.reshape_json("thing", "document", {added({"extra"}), move({"title"}, {"head", "title"}), preset({"head", "mode"}, "plain")}); };
  for (int i = 100; i < 900; ++i) connection->insert("thing", {{"name", "more " + std::to_string(i)}, {"document", i % 3 ? any_document(random) : json::write(json::object{{"title", "t" + std::to_string(i)}})}});
  auto operation = planned(reshape);
  auto& changes = std::get<ReshapeJson>(operation.operation).changes;

  int batches = 0;
  EXPECT_FALSE(prework(*connection, structure, {operation}, {.go_on = [&] { return ++batches < 3; }})) << "told to stop";
  auto position = connection->query_one("SELECT last_key, rows_done FROM upgrade_backfill WHERE table_name = 'backfill_3_0'");
  ASSERT_TRUE(position);
  EXPECT_GT(position->integer("rows_done"), 0);
  auto half = connection->count("SELECT count(*) FROM backfill_3_0");
  EXPECT_LT(half, connection->count("SELECT count(document) FROM thing"));

  connection->execute("UPDATE thing SET document = '{\"title\":\"before it went on\"}' WHERE id % 7 = 0");
  EXPECT_TRUE(prework(*connection, structure, {operation}));
  EXPECT_EQ(connection->count("SELECT count(*) FROM backfill_3_0"), connection->count("SELECT count(document) FROM thing"));
  connection->execute("UPDATE thing SET document = '{\"title\":\"written meanwhile\",\"extra\":1}' WHERE id % 11 = 0");
  connection->execute("DELETE FROM thing WHERE id = 200");
  connection->execute("UPDATE thing SET document = NULL WHERE id = 201");
  connection->insert("thing", {{"name", "new"}, {"document", R"({"title":"new row"})"}});

  std::map<std::string, std::string> expected;
  std::int64_t lost = 0;
  connection->each("SELECT row_uid, document FROM thing WHERE document IS NOT NULL", {}, [&](const appdb::Row& row) {
    auto made = reshaped_text(row.text("document"), changes, Direction::Up);
    expected[row.text("row_uid")] = made.text.value_or(row.text("document"));
    lost += made.lost ? 1 : 0;
  });
  auto before = content();
  auto counters = execute(operation);
  std::map<std::string, std::string> found;
  connection->each("SELECT row_uid, document FROM thing WHERE document IS NOT NULL", {}, [&](const appdb::Row& row) { found[row.text("row_uid")] = row.text("document"); });
  EXPECT_EQ(difference(expected, found), "");
  EXPECT_EQ(counters.parked, lost);
  EXPECT_GT(lost, 0);
  EXPECT_EQ(connection->count("SELECT count(*) FROM upgrade_park WHERE state = 'parked'"), lost);
  EXPECT_FALSE(table_exists(*connection, "backfill_3_0"));
  EXPECT_EQ(connection->count("SELECT count(*) FROM upgrade_backfill"), 0);

  run({operation.operation}, 3, Direction::Down);
  EXPECT_EQ(difference(before, content()), "") << "what was parked in bulk must come back as well";
  // Once more: now the rows with something parked are the change's own business.
  run({operation.operation}, 3, Direction::Up);
  EXPECT_TRUE(prework(*connection, structure, {}));
}

TEST_F(BeforeAndAfter, values_parked_on_the_way_down_come_back_though_the_documents_were_reshaped_beforehand) {
  auto operation = planned([](Schema& s) { s.reshape_json("thing", "document", {added({"extra"}), move({"title"}, {"head", "title"})}); });
  execute(operation);
  connection->execute(R"(UPDATE thing SET document = '{"head":{"title":"x"},"extra":"kept"}' WHERE id % 2 = 0)");
  auto fresh = content();
  run({operation.operation}, 3, Direction::Down);
  EXPECT_TRUE(prework(*connection, structure, {operation}));
  execute(operation);
  EXPECT_EQ(difference(fresh, content()), "");
}

TEST_F(BeforeAndAfter, a_side_table_made_for_another_change_is_not_used) {
  EXPECT_TRUE(prework(*connection, structure, {planned([](Schema& s) { s.reshape_json("thing", "document", {move({"title"}, {"wrong"})}); })}));
  auto operation = planned([](Schema& s) { s.reshape_json("thing", "document", {move({"title"}, {"right"})}); });
  EXPECT_FALSE(backfill_matches(*connection, std::get<ReshapeJson>(operation.operation), 3, 0));
  execute(operation);
  EXPECT_EQ(connection->count("SELECT count(*) FROM thing WHERE document LIKE '%wrong%'"), 0);
  EXPECT_GT(connection->count("SELECT count(*) FROM thing WHERE document LIKE '%right%'"), 0);
  forget_prework(*connection);
  EXPECT_FALSE(table_exists(*connection, "backfill_3_0"));
}

TEST_F(BeforeAndAfter, rules_are_proved_and_indexes_made_after_the_change) {
  auto catalogue = [&] {
    std::map<std::string, std::string> out;
    connection->each("SELECT conname AS name, pg_get_constraintdef(oid) || convalidated AS text FROM pg_constraint WHERE connamespace = current_schema()::regnamespace AND conrelid = 'thing'::regclass", {},
                     [&](const appdb::Row& row) { out[row.text("name")] = row.text("text"); });
    connection->each("SELECT indexname AS name, indexdef AS text FROM pg_indexes WHERE tablename = 'thing'", {}, [&](const appdb::Row& row) { out[row.text("name")] = row.text("text"); });
    connection->each("SELECT attname AS name, attnotnull::text AS text FROM pg_attribute WHERE attrelid = 'thing'::regclass AND attnum > 0 AND NOT attisdropped", {}, [&](const appdb::Row& row) { out[row.text("name")] = row.text("text"); });
    return out;
  };
  std::vector<Planned> all;
  Structure s = structure;
  for (auto& build : std::vector<std::function<void(Schema&)>>{
           [](Schema& x) { x.add_column("thing", text("audience").required().by_default("all").at_most(20)); },
           [](Schema& x) { x.add_column("thing", reference("leaf").set_null()); },
           [](Schema& x) { x.change_column("thing", text("label").required().at_most(30), "-"); },
           [](Schema& x) { x.add_enum_value("thing", "kind", "c", "a"); },
       }) {
    all.push_back({3, static_cast<int>(all.size()), prepare(made(build), s)});
    apply_to(s, all.back().operation, 3, all.back().number);
  }
  auto clean = structure;
  // What it is when everything is done at once, thrown away again.
  connection->execute_script("BEGIN");
  for (auto& p : all) {
    Executor executor(*connection, structure, p.migration, 0, now);
    executor.run(p.operation, p.number, Direction::Up);
  }
  auto expected = catalogue();
  auto expected_rows = content();
  connection->execute_script("ROLLBACK");
  structure = clean;

  for (auto& p : all) execute(p);
  EXPECT_TRUE(postwork_due(*connection));
  EXPECT_NE(difference(expected, catalogue()), "") << "nothing was left for afterwards";
  EXPECT_THROW(connection->insert("thing", {{"name", "null"}, {"label", nullptr}}), Failure) << "new rows keep the new rules at once";
  EXPECT_THROW(connection->insert("thing", {{"name", "long"}, {"label", "-"}, {"audience", std::string(21, 'x')}}), Failure);
  EXPECT_FALSE(postwork(*connection, structure, {.go_on = [] { return false; }}));
  EXPECT_TRUE(postwork(*connection, structure));
  EXPECT_FALSE(postwork_due(*connection));
  EXPECT_EQ(difference(expected, catalogue()), "");
  EXPECT_EQ(difference(expected_rows, content()), "");
}

TEST_F(BeforeAndAfter, nobody_waits_long_behind_it_while_somebody_sits_on_a_row) {
  execute(planned([](Schema& s) { s.change_column("thing", text("label").required(), "-"); }));
  ASSERT_TRUE(postwork_due(*connection));
  auto sitting = store->connect(), working = store->connect();
  sitting->execute_script("BEGIN; SELECT id FROM thing WHERE id = 1 FOR UPDATE");
  std::atomic<bool> finished = false;
  std::thread after([&] {
    EXPECT_TRUE(postwork(*connection, structure));
    finished = true;
  });
  // Others read and write all the while; what stands in the queue before them gives up after a second.
  double longest = 0;
  auto start = std::chrono::steady_clock::now();
  int times = 0;
  while (Seconds(std::chrono::steady_clock::now() - start).count() < 3) {
    auto began = std::chrono::steady_clock::now();
    working->execute("UPDATE thing SET n = n + 1 WHERE id = 2");
    working->count("SELECT count(*) FROM thing");
    longest = std::max(longest, Seconds(std::chrono::steady_clock::now() - began).count());
    ++times;
  }
  EXPECT_FALSE(finished) << "it cannot be done while the row is held";
  EXPECT_LT(longest, 1.5);
  EXPECT_GT(times, 50);
  sitting->execute_script("COMMIT");
  after.join();
  EXPECT_FALSE(postwork_due(*connection));
}

TEST_F(BeforeAndAfter, what_was_begun_and_is_not_wanted_any_more_goes_away) {
  EXPECT_TRUE(prework(*connection, structure, {planned([](Schema& s) { s.create_index("thing", {"label"}); }), planned([](Schema& s) { s.reshape_json("thing", "document", {move({"title"}, {"t"})}); }, 1)}));
  EXPECT_TRUE(index_exists(*connection, "i_thing_label"));
  forget_prework(*connection);
  EXPECT_FALSE(index_exists(*connection, "i_thing_label"));
  EXPECT_FALSE(table_exists(*connection, "backfill_3_1"));
  EXPECT_EQ(connection->count("SELECT count(*) FROM upgrade_backfill"), 0);
}

TEST(BeforeAndAfterSqlite, there_is_nothing_to_do) {
  LawStore sqlite;
  sqlite.open(Engine::Sqlite, 3);
  EXPECT_TRUE(prework(*sqlite.connection, sqlite.structure, {{3, 0, CreateIndex{"thing", {{"label"}}}}}));
  EXPECT_TRUE(postwork(*sqlite.connection, sqlite.structure));
  EXPECT_FALSE(index_exists(*sqlite.connection, "i_thing_label"));
}

}  // namespace
}  // namespace basalt::migrations
