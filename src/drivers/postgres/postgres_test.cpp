// Against a real server: BASALT_TEST_POSTGRES is the URI of one where tests may make databases.
#include <libpq-fe.h>

#include "drivers/all.h"
#include "drivers/testing.h"

namespace basalt::drivers {
namespace {

using testing::failure_of;
using testing::quickest_stop;
using testing::run;

class PostgresDriver : public ::testing::Test {
 protected:
  void SetUp() override {
    auto* uri = std::getenv("BASALT_TEST_POSTGRES");
    if (!uri || !*uri) GTEST_SKIP() << "BASALT_TEST_POSTGRES is not set: no PostgreSQL to test against";
    admin_ = PQconnectdb(uri);
    ASSERT_EQ(PQstatus(admin_), CONNECTION_OK) << PQerrorMessage(admin_);
    name_ = "basalt_driver_test_" + std::to_string(::getpid());
    sql("DROP DATABASE IF EXISTS " + name_);
    sql("CREATE DATABASE " + name_);
    details_ = {{"host", PQhost(admin_)}, {"port", std::atoi(PQport(admin_))}, {"dbname", name_}, {"user", PQuser(admin_)}};
    if (auto* password = PQpass(admin_); password && *password) details_["password"] = password;
    connection_ = driver_->connect(details_);
  }
  void TearDown() override {
    connection_.reset();
    if (admin_ && !name_.empty()) sql("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
    PQfinish(admin_);
  }
  void sql(const std::string& text, PGconn* on = nullptr) {
    auto* result = PQexec(on ? on : admin_, text.c_str());
    auto status = PQresultStatus(result);
    EXPECT_TRUE(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) << PQresultErrorMessage(result);
    PQclear(result);
  }
  // Statements in the test's own database.
  void prepare_data(const std::string& text) {
    auto* uri = std::getenv("BASALT_TEST_POSTGRES");
    const char* keywords[] = {"dbname", "dbname", nullptr};
    const char* values[] = {uri, name_.c_str(), nullptr};
    auto* own = PQconnectdbParams(keywords, values, 1);
    ASSERT_EQ(PQstatus(own), CONNECTION_OK) << PQerrorMessage(own);
    sql(text, own);
    PQfinish(own);
  }
  std::string other_sessions(const std::string& query) {
    auto text = "SELECT count(*) FROM pg_stat_activity WHERE datname = '" + name_ + "' AND state = 'active' AND query LIKE '" + query + "'";
    auto* result = PQexec(admin_, text.c_str());
    std::string count = PQgetvalue(result, 0, 0);
    PQclear(result);
    return count;
  }

  std::unique_ptr<Driver> driver_ = make_postgres();
  PGconn* admin_ = nullptr;
  std::string name_;
  json::object details_;
  std::unique_ptr<Connection> connection_;
};

constexpr const char* every_type = R"(
SELECT true AS a_bool, 7::int2 AS an_int2, -8::int4 AS an_int4, 9223372036854775807::int8 AS an_int8, 1.5::float4 AS a_float4,
       0.1::float8 AS a_float8, 'NaN'::float8 AS not_a_number, 12.50::numeric AS a_numeric, 'NaN'::numeric AS no_numeric, 12.5::money AS a_money,
       'x'::text AS a_text, 'y'::varchar(3) AS a_varchar, 'z'::char(3) AS a_char, '\x00ff'::bytea AS some_bytes,
       date '2024-05-17' AS a_date, time '08:30:00.5' AS a_time, timestamp '2024-05-17 08:30:00.123' AS a_timestamp,
       timestamptz '2024-05-17 08:30:00+00' AS an_instant, interval '1 day 2 hours' AS an_interval,
       'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS a_uuid, '{"a": 1}'::jsonb AS a_document, ARRAY[1, 2] AS an_array,
       inet '127.0.0.1' AS an_address, 'infinity'::timestamp AS never, date '0044-03-15 BC' AS ides, NULL::int4 AS nothing)";

constexpr const char* every_value =
    "true | 7 | -8 | 9223372036854775807 | 1.5 | 0.1 | null | 12.50 | NaN | 12.50 | x | y | z   | 00ff | 2024-05-17 | 08:30:00.5 | "
    "2024-05-17T08:30:00.123 | 2024-05-17T10:30:00+02:00 | 1 day 02:00:00 | a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 | {\"a\": 1} | {1,2} | "
    "127.0.0.1 | infinity | 0044-03-15 BC | null";

TEST_F(PostgresDriver, ReadsEveryTypeRowByRowAndByCopyAlike) {
  for (bool bulk : {false, true}) {
    ExecuteOptions options{.time_zone = "Europe/Berlin", .bulk = bulk};
    auto answer = run(*connection_, every_type, options);
    ASSERT_EQ(answer.rows.size(), 1u);
    EXPECT_EQ(answer.rows[0], every_value) << (bulk ? "by COPY" : "row by row");
    EXPECT_EQ(answer.columns[0].name, "a_bool");
    EXPECT_EQ(answer.columns[3].base_type, "type/BigInteger");
    EXPECT_EQ(answer.columns[7].database_type, "numeric");
    EXPECT_EQ(answer.columns[17].base_type, "type/DateTimeWithLocalTZ");
    EXPECT_EQ(answer.columns[20].kind, rows::Kind::Json);
  }
}

TEST_F(PostgresDriver, ReadsWhatCopyHasToEscape) {
  auto text = "SELECT E'a\\tb\\nc\\\\d\\re\\\\N' AS t, '' AS empty, NULL::text AS nothing, E'\\\\N' AS no_null, 'ä€😀' AS wide";
  auto by_row = run(*connection_, text), by_copy = run(*connection_, text, {.bulk = true});
  EXPECT_EQ(by_row.rows, by_copy.rows);
  EXPECT_EQ(by_copy.rows[0], "a\tb\nc\\d\re\\N |  | null | \\N | ä€😀");
}

TEST_F(PostgresDriver, HandsOnLargeResultsInSmallBatches) {
  for (bool bulk : {false, true}) {
    auto answer = run(*connection_, "SELECT g, repeat('x', 100) FROM generate_series(1, 25000) AS g", {.bulk = bulk});
    EXPECT_EQ(answer.rows.size(), 25000u);
    EXPECT_LE(answer.largest_batch, 1000u);
    EXPECT_EQ(answer.rows.back(), "25000 | " + std::string(100, 'x'));
  }
}

TEST_F(PostgresDriver, HandsOnSlowRowsWithoutWaitingForMore) {
  auto cursor = connection_->execute({"SELECT g, pg_sleep(CASE WHEN g > 3000 THEN 3600 ELSE 0 END) FROM generate_series(1, 3001) AS g", {}}, {});
  std::size_t rows = 0;
  // The server keeps up to 8 kB to itself; what it sent comes without the row that sleeps for an hour.
  for (rows::Batch batch; rows < 1000 && cursor->next(batch);) rows += batch.rows();
  EXPECT_GE(rows, 1000u);
  EXPECT_LT(rows, 3001u);
}

TEST_F(PostgresDriver, TellsColumnsOfAnEmptyResult) {
  for (bool bulk : {false, true}) {
    auto answer = run(*connection_, "SELECT 1 AS one, 'x' AS x WHERE false", {.bulk = bulk});
    EXPECT_TRUE(answer.rows.empty());
    ASSERT_EQ(answer.columns.size(), 2u);
    EXPECT_EQ(answer.columns[1].name, "x");
  }
}

TEST_F(PostgresDriver, BindsValuesOfEveryKind) {
  sql::Statement statement{
      "SELECT $1::text, $2 + 1, $3, $4, $5 - 1, $6, $7, $8, $9 * 2, concat('a', $10), substring('hello', $11, 2)",
      {std::string("it's"), std::int64_t{41}, std::int64_t{5'000'000'000}, 0.5, sql::DateValue{"2024-03-01"}, sql::TimeValue{"08:30:00"},
       sql::TimestampValue{"2024-05-17 08:30:00"}, true, sql::DecimalValue{"1.10"}, std::string("b"), std::int64_t{2}}};
  EXPECT_EQ(run(*connection_, statement).rows[0], "it's | 42 | 5000000000 | 0.5 | 2024-02-29 | 08:30:00 | 2024-05-17T08:30:00 | true | 2.20 | ab | el");
  EXPECT_EQ(run(*connection_, sql::Statement{"SELECT $1::int4 IS NULL", {sql::NullValue{}}}).rows[0], "true");
  auto failure = failure_of([&] { run(*connection_, sql::Statement{"SELECT $1::text", {std::string("a\0b", 3)}}); });
  EXPECT_EQ(failure.kind(), FailureKind::BadRequest);
}

TEST_F(PostgresDriver, ComparesTextsWithEnumsAndNamesTheirType) {
  prepare_data("CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TABLE person (name text, mood mood); INSERT INTO person VALUES ('Ann', 'happy')");
  auto connection = driver_->connect(details_);
  auto answer = run(*connection, sql::Statement{"SELECT mood FROM person WHERE mood = $1", {std::string("happy")}});
  EXPECT_EQ(answer.rows, std::vector<std::string>{"happy"});
  EXPECT_EQ(answer.columns[0].database_type, "mood");
  EXPECT_EQ(answer.columns[0].base_type, "type/PostgresEnum");
}

TEST_F(PostgresDriver, SaysWhatTheServerSays) {
  for (bool bulk : {false, true}) {
    auto failure = failure_of([&] { run(*connection_, "SELECT nothing FROM pg_class", {.bulk = bulk}); });
    EXPECT_EQ(failure.kind(), FailureKind::Database);
    EXPECT_EQ(failure.sentence(), "ERROR: column \"nothing\" does not exist\n  Position: 8");
    EXPECT_EQ(run(*connection_, "SELECT 1").rows[0], "1") << "the connection can go on";
    failure = failure_of([&] { run(*connection_, "SELECT 1 / (3 - g) FROM generate_series(1, 5) AS g", {.bulk = bulk}); });
    EXPECT_EQ(failure.sentence(), "ERROR: division by zero");
    EXPECT_EQ(run(*connection_, "SELECT 1").rows[0], "1");
    EXPECT_TRUE(connection_->is_alive());
  }
}

TEST_F(PostgresDriver, RunsInCopyModeWhatCopyCannotRun) {
  EXPECT_EQ(run(*connection_, "SHOW server_encoding;", {.bulk = true}).rows[0], "UTF8");
  EXPECT_EQ(run(*connection_, "SELECT 1 AS one ; -- the end", {.bulk = true}).rows[0], "1");
  EXPECT_EQ(run(*connection_, "VALUES (1, 'a') ;; ", {.bulk = true}).rows[0], "1 | a");
}

TEST_F(PostgresDriver, RefusesWrites) {
  prepare_data("CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)");
  for (bool bulk : {false, true}) {
    for (auto text : {"DELETE FROM kept", "WITH gone AS (DELETE FROM kept RETURNING *) SELECT * FROM gone", "SELECT nextval('pg_class'), 1; DELETE FROM kept",
                      "SELECT 1) TO STDOUT; COMMIT; DELETE FROM kept; COPY (SELECT 1", "CREATE TABLE more (id int)"}) {
      EXPECT_EQ(failure_of([&] { run(*connection_, text, {.bulk = bulk}); }).kind(), FailureKind::Database) << text;
    }
  }
  EXPECT_EQ(run(*connection_, "SELECT count(*) FROM kept").rows[0], "1");
}

TEST_F(PostgresDriver, ForgetsWhatAStatementChangedInTheSession) {
  run(*connection_, "SELECT set_config('search_path', 'nowhere', false), set_config('TimeZone', 'Asia/Tokyo', false), set_config('default_transaction_read_only', 'off', false)");
  EXPECT_EQ(run(*connection_, "SHOW search_path").rows[0], "\"$user\", public");
  EXPECT_EQ(run(*connection_, "SHOW default_transaction_read_only").rows[0], "on");
  EXPECT_EQ(run(*connection_, "SHOW TimeZone", {.time_zone = "Europe/Berlin"}).rows[0], "Europe/Berlin");
  auto failure = failure_of([&] { run(*connection_, "COPY (SELECT 1) TO STDOUT"); });
  EXPECT_EQ(failure.kind(), FailureKind::Database);
}

TEST_F(PostgresDriver, StopsAStatementInTheDatabaseWithin100Milliseconds) {
  for (bool bulk : {false, true}) {
    std::unique_ptr<Connection> connection;
    auto fresh = [&]() -> Connection& { return *(connection = driver_->connect(details_)); };
    auto stopped = quickest_stop(fresh, "SELECT pg_sleep(600) AS cancel_me", {.bulk = bulk});
    EXPECT_EQ(stopped.failure.kind(), FailureKind::Cancelled);
    EXPECT_LT(stopped.after.count(), 100);
    EXPECT_EQ(other_sessions("SELECT pg_sleep(600) AS cancel_me"), "0");
    EXPECT_FALSE(connection->is_alive()) << "a late cancel must not hit the next statement";
  }
}

TEST_F(PostgresDriver, StopsAStatementWhoseRowsAreNotWanted) {
  auto connection = driver_->connect(details_);
  for (bool bulk : {false, true}) {
    connection = driver_->connect(details_);
    auto cursor = connection->execute({"SELECT generate_series(1, 100000000) AS g /* unwanted */", {}}, {.bulk = bulk});
    rows::Batch batch;
    ASSERT_TRUE(cursor->next(batch));
    cursor.reset();
    EXPECT_FALSE(connection->is_alive());
    connection.reset();
    // The server needs a moment to look up from its work.
    auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    while (other_sessions("%unwanted%") != "0" && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
    EXPECT_EQ(other_sessions("%unwanted%"), "0");
  }
}

TEST_F(PostgresDriver, KeepsTheConnectionWhenOnlyTheLastRowsAreNotWanted) {
  {
    auto cursor = connection_->execute({"SELECT generate_series(1, 1001) AS g", {}}, {});
    rows::Batch batch;
    ASSERT_TRUE(cursor->next(batch));
  }
  EXPECT_TRUE(connection_->is_alive());
  EXPECT_EQ(run(*connection_, "SELECT 1").rows[0], "1");
  // A failure among the rows that are left is nobody's any more.
  { auto cursor = connection_->execute({"SELECT 1 / (3 - g) FROM generate_series(1, 3) AS g", {}}, {}); }
  EXPECT_TRUE(connection_->is_alive());
  EXPECT_EQ(run(*connection_, "SELECT 1").rows[0], "1");
}

TEST_F(PostgresDriver, StopsAtTheDeadline) {
  for (bool bulk : {false, true}) {
    auto began = std::chrono::steady_clock::now();
    auto failure = failure_of([&] { run(*connection_, "SELECT pg_sleep(600)", {.deadline = std::chrono::milliseconds(50), .bulk = bulk}); });
    EXPECT_EQ(failure.kind(), FailureKind::Timeout);
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(2));
    EXPECT_EQ(run(*connection_, "SELECT 1").rows[0], "1");
  }
}

TEST_F(PostgresDriver, TellsWhenTheServerIsGone) {
  for (bool bulk : {false, true}) {
    auto connection = driver_->connect(details_);
    auto cursor = connection->execute({"SELECT g, repeat('x', 1000) FROM generate_series(1, 1000000) AS g", {}}, {.bulk = bulk});
    rows::Batch batch;
    ASSERT_TRUE(cursor->next(batch));
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + name_ + "' AND query LIKE '%1000000%'");
    auto failure = failure_of([&] { while (cursor->next(batch)) {} });
    EXPECT_EQ(failure.kind(), FailureKind::Database);
    EXPECT_TRUE(failure.sentence().starts_with("The connection to the database was lost")) << failure.sentence();
    cursor.reset();
    EXPECT_FALSE(connection->is_alive());
  }
  sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + name_ + "'");
  auto failure = failure_of([&] { while (connection_->is_alive()) {} run(*connection_, "SELECT 1"); });
  EXPECT_EQ(failure.kind(), FailureKind::Database);
}

TEST_F(PostgresDriver, NamesTheFieldThatKeepsItFromConnecting) {
  auto blamed = [&](const char* key, json::value value) {
    auto details = details_;
    details[key] = std::move(value);
    return failure_of([&] { driver_->connect(details); });
  };
  EXPECT_TRUE(blamed("dbname", "no_such_database").fields().contains("dbname"));
  EXPECT_TRUE(blamed("port", 1).fields().contains("port"));
  EXPECT_TRUE(blamed("host", "no.such.host.invalid").fields().contains("host"));
  EXPECT_TRUE(blamed("dbname", "").fields().contains("dbname"));
  auto user = blamed("user", "no_such_user");
  EXPECT_TRUE(user.fields().contains("user")) << user.sentence();
  EXPECT_EQ(user.kind(), FailureKind::Database);
}

TEST_F(PostgresDriver, RefusesAWrongPassword) {
  sql("DROP ROLE IF EXISTS basalt_test_person");
  sql("CREATE ROLE basalt_test_person LOGIN PASSWORD 'right'");
  auto details = details_;
  details["user"] = "basalt_test_person";
  details["password"] = "wrong";
  // The server must ask this role for its password (tests/runner/postgres.sh sees to it).
  auto failure = failure_of([&] { driver_->connect(details); });
  EXPECT_TRUE(failure.fields().contains("password"));
  EXPECT_EQ(failure.sentence().find("wrong"), std::string::npos);
  sql("DROP ROLE basalt_test_person");
}

TEST_F(PostgresDriver, DescribesTablesViewsAndKeys) {
  prepare_data(R"(
    CREATE SCHEMA shop; CREATE SCHEMA hidden;
    CREATE TABLE shop.customer (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, born date, note varchar(9) DEFAULT 'x');
    COMMENT ON TABLE shop.customer IS 'Who buys'; COMMENT ON COLUMN shop.customer.name IS 'Full name';
    CREATE TABLE shop.sale (id bigserial PRIMARY KEY, customer_id int REFERENCES shop.customer, amount numeric(10, 2) NOT NULL);
    CREATE TABLE shop.log (at timestamptz NOT NULL, what text) PARTITION BY RANGE (at);
    CREATE TABLE shop.log_2024 PARTITION OF shop.log FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE VIEW shop.names AS SELECT name FROM shop.customer; CREATE MATERIALIZED VIEW shop.kept AS SELECT 1 AS one;
    CREATE DOMAIN shop.age AS int; CREATE TABLE hidden.secret (age shop.age, tags text[]);
    INSERT INTO shop.customer (name) VALUES ('Ann'); ANALYZE shop.customer)");
  std::vector<DescribedTable> tables;
  connection_->describe({}, [&](DescribedTable table) { tables.push_back(std::move(table)); });
  std::string names;
  for (auto& table : tables) names += *table.schema + "." + table.name + (table.is_view ? "* " : " ");
  EXPECT_EQ(names, "hidden.secret shop.customer shop.kept* shop.log shop.names* shop.sale ");
  auto& customer = tables[1];
  EXPECT_EQ(customer.comment, "Who buys");
  EXPECT_EQ(customer.estimated_rows, 1);
  ASSERT_EQ(customer.columns.size(), 4u);
  EXPECT_TRUE(customer.columns[0].is_primary_key && customer.columns[0].auto_increment && !customer.columns[0].required);
  EXPECT_TRUE(customer.columns[1].required && !customer.columns[1].nullable);
  EXPECT_EQ(customer.columns[1].comment, "Full name");
  EXPECT_EQ(customer.columns[2].base_type, "type/Date");
  EXPECT_EQ(customer.columns[3].default_value, "'x'::character varying");
  EXPECT_EQ(tables[0].columns[0].database_type, "int4");
  EXPECT_EQ(tables[0].columns[1].base_type, "type/Array");
  EXPECT_TRUE(tables[5].columns[0].auto_increment);
  auto keys = connection_->foreign_keys();
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_EQ(keys[0].table + "." + keys[0].column + " " + keys[0].target_table + "." + keys[0].target_column, "sale.customer_id customer.id");
  EXPECT_EQ(connection_->schemas(), (std::vector<std::string>{"hidden", "public", "shop"}));

  details_["schema-filters-type"] = "exclusion";
  details_["schema-filters-patterns"] = "hid*, pub*";
  auto filtered = driver_->connect(details_);
  EXPECT_EQ(filtered->schemas(), std::vector<std::string>{"shop"});
  std::size_t count = 0;
  filtered->describe({}, [&](DescribedTable) { ++count; });
  EXPECT_EQ(count, 5u);
}

TEST_F(PostgresDriver, PreparesWhatIsSentAgain) {
  prepare_data("CREATE TABLE thing (id int, price numeric); INSERT INTO thing VALUES (1, 1.50), (2, 2.50)");
  ExecuteOptions again{.repeatable = true};
  auto prepared = [&] { return run(*connection_, "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'q%'").rows[0]; };
  auto priced = [&](std::int64_t id) { return run(*connection_, sql::Statement{"SELECT price FROM thing WHERE id = $1", {id}}, again).rows[0]; };
  EXPECT_EQ(priced(1), "1.50");
  EXPECT_EQ(prepared(), "0") << "once is not again";
  EXPECT_EQ(priced(2), "2.50");
  EXPECT_EQ(prepared(), "1");
  EXPECT_EQ(priced(1), "1.50") << "the values are those of the run";
  EXPECT_EQ(prepared(), "1");
  for (int i = 0; i < 3; ++i) run(*connection_, "SELECT date 'today'");
  EXPECT_EQ(prepared(), "1") << "people's own SQL may mean now";

  auto failure = failure_of([&] { for (int i = 0; i < 3; ++i) run(*connection_, sql::Statement{"SELECT 1 / (id - $1) FROM thing", {std::int64_t(1)}}, again); });
  EXPECT_NE(std::string(failure.what()).find("division by zero"), std::string::npos) << failure.what();
  EXPECT_EQ(priced(1), "1.50") << "the connection can go on";
}

TEST_F(PostgresDriver, ForgetsWhatItPreparedWhenTheServerDid) {
  prepare_data("CREATE TABLE thing (id int, price numeric); INSERT INTO thing VALUES (1, 1.50)");
  ExecuteOptions again{.repeatable = true};
  sql::Statement all{"SELECT * FROM thing", {}};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(run(*connection_, all, again).rows[0], "1 | 1.50");
  prepare_data("ALTER TABLE thing ADD COLUMN name text DEFAULT 'x'");
  EXPECT_EQ(run(*connection_, all, again).rows[0], "1 | 1.50 | x") << "other columns than when it was prepared";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(run(*connection_, all, again).rows[0], "1 | 1.50 | x");
  prepare_data("ALTER TABLE thing DROP COLUMN price");
  EXPECT_EQ(run(*connection_, all, again).rows[0], "1 | x");
  for (int i = 0; i < 3; ++i) run(*connection_, all, again);
  run(*connection_, "DEALLOCATE ALL");
  EXPECT_EQ(run(*connection_, all, again).rows[0], "1 | x") << "as behind a pooler that mixes up sessions";
  EXPECT_TRUE(connection_->is_alive());
}

TEST_F(PostgresDriver, PreparesForOneTimeZoneAndKeepsFewStatements) {
  ExecuteOptions berlin{.time_zone = "Europe/Berlin", .repeatable = true}, tokyo{.time_zone = "Asia/Tokyo", .repeatable = true};
  sql::Statement instant{"SELECT extract(epoch FROM timestamptz '2024-05-17 12:00:00')::int8", {}};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(run(*connection_, instant, berlin).rows[0], "1715940000");
    EXPECT_EQ(run(*connection_, instant, tokyo).rows[0], "1715914800");
  }
  for (int i = 0; i < 200; ++i)
    for (int twice = 0; twice < 2; ++twice) run(*connection_, sql::Statement{"SELECT " + std::to_string(i), {}}, berlin);
  EXPECT_EQ(run(*connection_, "SELECT count(*) <= 64 FROM pg_prepared_statements").rows[0], "true");
}

TEST_F(PostgresDriver, TellsItsVersion) {
  auto version = connection_->version();
  EXPECT_EQ(version.flavor, "PostgreSQL");
  EXPECT_EQ(version.numbers.size(), 2u);
  EXPECT_TRUE(connection_->is_alive());
}

}  // namespace
}  // namespace basalt::drivers
