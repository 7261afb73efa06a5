#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "drivers/all.h"
#include "drivers/testing.h"

namespace basalt::drivers {
namespace {

using testing::failure_of;
using testing::quickest_stop;
using testing::run;

class SqliteDriver : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() / ("basalt_driver_test_" + std::to_string(::getpid()) + ".sqlite");
    std::filesystem::remove(path_);
    write(R"(CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT NOT NULL, active BOOLEAN, born DATE, weight REAL DEFAULT 1.5);
             CREATE TABLE sale (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer, total DECIMAL(10,2));
             CREATE VIEW names AS SELECT name FROM customer;
             INSERT INTO customer VALUES (1, 'Ann', 1, '2001-02-03', 60.5), (2, 'Bob', 0, NULL, NULL);
             INSERT INTO sale VALUES (1, 1, 12.5))");
    connection_ = driver_->connect({{"db", path_.string()}});
  }
  void TearDown() override {
    connection_.reset();
    std::filesystem::remove(path_);
  }
  void write(const char* text) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    char* words = nullptr;
    EXPECT_EQ(sqlite3_exec(database, text, nullptr, nullptr, &words), SQLITE_OK) << words;
    sqlite3_close(database);
  }

  std::filesystem::path path_;
  std::unique_ptr<Driver> driver_ = make_sqlite();
  std::unique_ptr<Connection> connection_;
};

TEST_F(SqliteDriver, ReadsDeclaredTypes) {
  auto answer = run(*connection_, "SELECT *, count(*) OVER () AS n, NULL AS missing, x'00ff' AS bytes, 1.0 AS one FROM customer ORDER BY id");
  EXPECT_EQ(answer.rows[0], "1 | Ann | true | 2001-02-03 | 60.5 | 2 | null | 00ff | 1.0");
  EXPECT_EQ(answer.rows[1], "2 | Bob | false | null | null | 2 | null | 00ff | 1.0");
  EXPECT_EQ(answer.columns[0].base_type, "type/Integer");
  EXPECT_EQ(answer.columns[2].base_type, "type/Boolean");
  EXPECT_EQ(answer.columns[3].base_type, "type/Date");
  EXPECT_EQ(answer.columns[5].base_type, "type/Integer");
}

TEST_F(SqliteDriver, FollowsValuesWhoseTypeChangesFromRowToRow) {
  auto answer = run(*connection_, "SELECT * FROM (VALUES (1, NULL), (2.5, 7), ('three', 'x'), (NULL, x'ff'), (5, 5))");
  EXPECT_EQ(answer.rows, (std::vector<std::string>{"1 | null", "2.5 | 7", "three | x", "null | ff", "5 | 5"}));
  auto nulls_first = run(*connection_, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT CASE WHEN i > 500 THEN i || '' END FROM n");
  EXPECT_EQ(nulls_first.rows[499], "null");
  EXPECT_EQ(nulls_first.rows[500], "501");
  EXPECT_LE(nulls_first.largest_batch, 1000u);
}

TEST_F(SqliteDriver, KeepsTextsWithNulAndBrokenBytes) {
  auto answer = run(*connection_, "SELECT CAST(x'610062ff' AS TEXT) AS t");
  EXPECT_EQ(answer.rows[0], std::string("a\0b\xff", 4));
}

TEST_F(SqliteDriver, BindsValues) {
  sql::Statement statement{"SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7",
                           {std::string("it's"), std::int64_t{1} << 40, 0.5, true, sql::NullValue{}, sql::DateValue{"2024-05-17"}, sql::DecimalValue{"1.25"}}};
  EXPECT_EQ(run(*connection_, statement).rows[0], "it's | 1099511627776 | 0.5 | 1 | null | 2024-05-17 | 1.25");
}

TEST_F(SqliteDriver, RefusesWritesAndOtherFiles) {
  auto other = path_.string() + ".other";
  for (auto text : {std::string("DELETE FROM customer"), std::string("CREATE TABLE more (id INTEGER)"), "ATTACH DATABASE '" + other + "' AS other",
                    "VACUUM INTO '" + other + "'", std::string("PRAGMA writable_schema = 1"), std::string("PRAGMA temp_store_directory = '/'"),
                    std::string("SELECT load_extension('/tmp/x.so')"), std::string("SELECT 1; SELECT 2"), std::string(" ")}) {
    EXPECT_EQ(failure_of([&] { run(*connection_, text); }).kind(), FailureKind::Database) << text;
  }
  EXPECT_FALSE(std::filesystem::exists(other));
  EXPECT_EQ(run(*connection_, "SELECT count(*) FROM customer").rows[0], "2");
  EXPECT_EQ(failure_of([&] { run(*connection_, "SELECT wings FROM customer"); }).sentence(), "no such column: wings");
}

constexpr const char* endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

TEST_F(SqliteDriver, StopsWithin100Milliseconds) {
  auto stopped = quickest_stop([&]() -> Connection& { return *connection_; }, endless);
  EXPECT_EQ(stopped.failure.kind(), FailureKind::Cancelled);
  EXPECT_LT(stopped.after.count(), 100);
  EXPECT_EQ(run(*connection_, "SELECT 1").rows[0], "1");
}

TEST_F(SqliteDriver, StopsAtTheDeadline) {
  auto failure = failure_of([&] { run(*connection_, endless, {.deadline = std::chrono::milliseconds(30)}); });
  EXPECT_EQ(failure.kind(), FailureKind::Timeout);
}

TEST_F(SqliteDriver, DescribesTablesAndKeys) {
  std::vector<DescribedTable> tables;
  connection_->describe({}, [&](DescribedTable table) { tables.push_back(std::move(table)); });
  ASSERT_EQ(tables.size(), 3u);
  EXPECT_EQ(tables[0].name, "customer");
  EXPECT_TRUE(tables[0].columns[0].is_primary_key && tables[0].columns[0].auto_increment && !tables[0].columns[0].required);
  EXPECT_TRUE(tables[0].columns[1].required);
  EXPECT_EQ(tables[0].columns[4].default_value, "1.5");
  EXPECT_TRUE(tables[1].is_view);
  auto keys = connection_->foreign_keys();
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_EQ(keys[0].target_table + "." + keys[0].target_column, "customer.id");
}

TEST_F(SqliteDriver, SaysWhyAFileCannotBeOpened) {
  auto sentence = [&](const std::string& path) { return failure_of([&] { driver_->connect({{"db", path}}); }).sentence(); };
  EXPECT_EQ(sentence("/no/such/file"), "There is no file /no/such/file on the server.");
  auto text = path_.string() + ".txt";
  std::ofstream(text) << "this is only text, and no database at all";
  EXPECT_EQ(sentence(text), "The file " + text + " is not a SQLite database.");
  std::filesystem::remove(text);
  EXPECT_TRUE(failure_of([&] { driver_->connect({}); }).fields().contains("db"));
}

}  // namespace
}  // namespace basalt::drivers
