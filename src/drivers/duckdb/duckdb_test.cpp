#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "drivers/all.h"
#include "drivers/duckdb/make_file.h"
#include "drivers/testing.h"

namespace basalt::drivers {
namespace {

using testing::failure_of;
using testing::quickest_stop;
using testing::run;

class DuckDbDriver : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("basalt_duckdb_test_" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ / "rows");
    std::ofstream(folder_ / "rows" / "birds.csv") << "name,wings,seen\nrobin,2,2024-05-17\n\"kiwi, the\",,2024-05-18\n";
    std::ofstream(folder_ / "secret.csv") << "word\nhidden\n";
    driver_ = make_duckdb({.data_directory = folder_ / "data", .duckdb_memory_mb = 256});
    duckdb::make_file(file(), "CREATE TABLE customer (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL, note VARCHAR DEFAULT 'x');"
          "CREATE TABLE sale (id BIGINT PRIMARY KEY, customer_id INTEGER REFERENCES customer (id), total DECIMAL(10, 2));"
          "CREATE VIEW names AS SELECT name FROM customer; COMMENT ON TABLE customer IS 'Who buys';"
          "INSERT INTO customer VALUES (1, 'Ann', NULL), (2, 'Bob', 'y'); INSERT INTO sale VALUES (1, 1, 12.50)");
    connection_ = driver_->connect({{"database_file", file().string()}});
  }
  void TearDown() override {
    connection_.reset();
    driver_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::filesystem::path file() const { return folder_ / "shop.duckdb"; }
  std::filesystem::path folder_;
  std::unique_ptr<Driver> driver_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(DuckDbDriver, ReadsEveryType) {
  auto answer = run(*connection_, R"(
    SELECT true, 1::TINYINT, 2::SMALLINT, 3::INTEGER, 9223372036854775807::BIGINT, 4::UTINYINT, 5::UINTEGER, 18446744073709551615::UBIGINT,
           170141183460469231731687303715884105727::HUGEINT, 0.1::FLOAT, 0.1::DOUBLE, -12.50::DECIMAL(10, 2), 0.005::DECIMAL(4, 3),
           12345678901234567890.12::DECIMAL(38, 2), 'x', DATE '2024-05-17', TIME '08:30:00.5', TIMESTAMP '2024-05-17 08:30:00.123',
           TIMESTAMP_S '1969-12-31 23:59:59', TIMESTAMP_NS '2024-05-17 08:30:00.123456789', TIMESTAMPTZ '2024-05-17 08:30:00+00',
           INTERVAL '1 day 2 hours', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::UUID, '\x00\xFF'::BLOB, [1, NULL, 3], {'a': 1, 'b': 'it"s'},
           MAP {'k': 1.5}, '{"a": 1}'::JSON, 'b'::ENUM ('a', 'b'), '0101'::BIT, NULL::INTEGER, DATE '0044-03-15 (BC)')",
                    {.time_zone = "Europe/Berlin"});
  ASSERT_EQ(answer.rows.size(), 1u);
  EXPECT_EQ(answer.rows[0],
            "true | 1 | 2 | 3 | 9223372036854775807 | 4 | 5 | 18446744073709551615 | 170141183460469231731687303715884105727 | 0.1 | 0.1 | -12.50 | 0.005 | "
            "12345678901234567890.12 | x | 2024-05-17 | 08:30:00.500 | 2024-05-17T08:30:00.123 | 1969-12-31T23:59:59 | 2024-05-17T08:30:00.123456789 | "
            "2024-05-17T10:30:00+02:00 | 1 day 02:00:00 | a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 | 00ff | [1,null,3] | {\"a\":1,\"b\":\"it\\\"s\"} | "
            "{\"k\":1.5} | {\"a\": 1} | b | 0101 | null | -0043-03-15");
  EXPECT_EQ(answer.columns[4].base_type, "type/BigInteger");
  EXPECT_EQ(answer.columns[20].base_type, "type/DateTimeWithLocalTZ");
  EXPECT_EQ(answer.columns[27].base_type, "type/JSON");
}

TEST_F(DuckDbDriver, SumsOfIntegersAreIntegersWhileTheyFit) {
  EXPECT_EQ(run(*connection_, "SELECT sum(i)::HUGEINT FROM range(10) t(i)").rows[0], "45");
  auto answer = run(*connection_, "SELECT sum(9223372036854775807::BIGINT) FROM range(2)");
  EXPECT_EQ(answer.rows[0], "18446744073709551614");
}

TEST_F(DuckDbDriver, StreamsLargeResultsInSmallBatches) {
  auto answer = run(*connection_, "SELECT i, repeat('x', 50) FROM range(100000) t(i)");
  EXPECT_EQ(answer.rows.size(), 100000u);
  EXPECT_LE(answer.largest_batch, 1000u);
  EXPECT_EQ(answer.rows.back(), "99999 | " + std::string(50, 'x'));
  EXPECT_GT(run(*connection_, "SELECT repeat('x', 100000) FROM range(100)").batches, 20u) << "wide rows come in smaller batches";
}

TEST_F(DuckDbDriver, BindsValues) {
  sql::Statement statement{"SELECT $1, $2, $3, $4, $5::INTEGER, $6::DATE, $7::DECIMAL(9, 2)",
                           {std::string("it's"), std::int64_t{1} << 40, 0.5, true, sql::NullValue{}, sql::DateValue{"2024-05-17"}, sql::DecimalValue{"1.25"}}};
  EXPECT_EQ(run(*connection_, statement).rows[0], "it's | 1099511627776 | 0.5 | true | null | 2024-05-17 | 1.25");
}

TEST_F(DuckDbDriver, RefusesWritesAndOtherFiles) {
  auto secret = (folder_ / "secret.csv").string(), out = (folder_ / "out.csv").string();
  for (auto text : {std::string("DELETE FROM customer"), std::string("CREATE TABLE more (id INTEGER)"), "SELECT * FROM '" + secret + "'",
                    "SELECT * FROM read_text('" + secret + "')", "COPY customer TO '" + out + "'", "ATTACH '" + out + "'", std::string("INSTALL httpfs"),
                    std::string("SET memory_limit = '100GB'"), std::string("SET enable_external_access = true"), std::string("SELECT 1; SELECT 2"),
                    "SELECT * FROM glob('" + folder_.string() + "/*')"}) {
    EXPECT_EQ(failure_of([&] { run(*connection_, text); }).kind(), FailureKind::Database) << text;
  }
  EXPECT_FALSE(std::filesystem::exists(out));
  EXPECT_EQ(run(*connection_, "SELECT count(*) FROM customer").rows[0], "2");
}

constexpr const char* endless = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3";

TEST_F(DuckDbDriver, StopsWithin100Milliseconds) {
  auto stopped = quickest_stop([&]() -> Connection& { return *connection_; }, endless);
  EXPECT_EQ(stopped.failure.kind(), FailureKind::Cancelled);
  EXPECT_LT(stopped.after.count(), 100);
  EXPECT_EQ(run(*connection_, "SELECT 1").rows[0], "1");
}

TEST_F(DuckDbDriver, StopsAtTheDeadline) {
  auto failure = failure_of([&] { run(*connection_, endless, {.deadline = std::chrono::milliseconds(50)}); });
  EXPECT_EQ(failure.kind(), FailureKind::Timeout);
  EXPECT_EQ(run(*connection_, "SELECT 1", {.deadline = std::chrono::seconds(10)}).rows[0], "1");
}

TEST_F(DuckDbDriver, LeavesAResultEarly) {
  for (int i = 0; i < 3; ++i) {
    auto cursor = connection_->execute({"SELECT i FROM range(1000000000) t(i)", {}}, {});
    rows::Batch batch;
    ASSERT_TRUE(cursor->next(batch));
  }
  EXPECT_EQ(run(*connection_, "SELECT 1").rows[0], "1");
}

TEST_F(DuckDbDriver, DescribesTablesAndKeys) {
  std::vector<DescribedTable> tables;
  connection_->describe({}, [&](DescribedTable table) { tables.push_back(std::move(table)); });
  ASSERT_EQ(tables.size(), 3u);
  EXPECT_EQ(tables[0].name, "customer");
  EXPECT_EQ(tables[0].schema, "main");
  EXPECT_EQ(tables[0].comment, "Who buys");
  EXPECT_EQ(tables[0].estimated_rows, 2);
  EXPECT_TRUE(tables[0].columns[0].is_primary_key);
  EXPECT_TRUE(tables[0].columns[1].required);
  EXPECT_TRUE(tables[1].is_view);
  EXPECT_EQ(tables[2].columns[2].database_type, "DECIMAL(10,2)");
  auto keys = connection_->foreign_keys();
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_EQ(keys[0].column + " " + keys[0].target_table + "." + keys[0].target_column, "customer_id customer.id");
  EXPECT_EQ(connection_->schemas(), std::vector<std::string>{"main"});
}

TEST_F(DuckDbDriver, ShowsFilesOfRowsAsTables) {
  for (auto path : {folder_ / "rows", folder_ / "rows" / "birds.csv"}) {
    auto connection = driver_->connect({{"database_file", path.string()}});
    auto answer = run(*connection, "SELECT * FROM birds ORDER BY seen");
    EXPECT_EQ(answer.rows, (std::vector<std::string>{"robin | 2 | 2024-05-17", "kiwi, the | null | 2024-05-18"}));
    std::vector<DescribedTable> tables;
    connection->describe({}, [&](DescribedTable table) { tables.push_back(std::move(table)); });
    ASSERT_EQ(tables.size(), 1u);
    EXPECT_EQ(tables[0].columns[2].base_type, "type/Date");
    EXPECT_EQ(failure_of([&] { run(*connection, "SELECT * FROM '" + (folder_ / "secret.csv").string() + "'"); }).kind(), FailureKind::Database);
  }
}

TEST_F(DuckDbDriver, SaysWhyAFileCannotBeOpened) {
  auto sentence = [&](const std::string& path) { return failure_of([&] { driver_->connect({{"database_file", path}}); }).sentence(); };
  EXPECT_EQ(sentence("/no/such/file"), "There is no file /no/such/file on the server.");
  auto text = folder_ / "text.duckdb";
  std::ofstream(text) << std::string(10000, 'x');
  EXPECT_EQ(sentence(text), "The file " + text.string() + " is not a DuckDB database.");
  std::filesystem::create_directories(folder_ / "empty");
  EXPECT_EQ(sentence(folder_ / "empty"), "The folder " + (folder_ / "empty").string() + " has no CSV, Parquet or JSON file.");
}

}  // namespace
}  // namespace basalt::drivers
