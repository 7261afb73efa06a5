// Against a real server: BASALT_TEST_MYSQL is the URI of one where tests may make databases.
#include <fstream>
#include <sstream>

#include "drivers/all.h"
#include "drivers/mysql/testing.h"
#include "drivers/testing.h"
#include "sql/compile.h"

namespace basalt::drivers {
namespace {

using testing::failure_of;
using testing::quickest_stop;
using testing::run;

const ExecuteOptions writes{.read_only = false};

class MysqlDriver : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server = mysql::testing::server("information_schema");
    if (!server) GTEST_SKIP() << "BASALT_TEST_MYSQL is not set: no MySQL or MariaDB to test against";
    details_ = *server;
    admin_ = driver_->connect(details_);
    name_ = "basalt_driver_test_" + std::to_string(::getpid());
    change("DROP DATABASE IF EXISTS " + name_);
    change("CREATE DATABASE " + name_ + " CHARACTER SET utf8mb4");
    details_["dbname"] = name_;
    connection_ = driver_->connect(details_);
    own_ = driver_->connect(details_);
  }
  void TearDown() override {
    connection_.reset();
    if (admin_) change("DROP DATABASE IF EXISTS " + name_);
  }
  void change(const std::string& sql) { run(*admin_, sql, writes); }
  // Statements in the test's own database.
  void prepare_data(std::initializer_list<const char*> statements) {
    for (auto* sql : statements) run(*own_, sql, writes);
  }
  std::string other_sessions(const std::string& query) {
    return run(*admin_, sql::Statement{"SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = ? AND COMMAND <> 'Sleep' AND INFO LIKE ?", {name_, query}}).rows[0];
  }
  json::object with(const char* key, json::value value) {
    auto details = details_;
    details[key] = std::move(value);
    return details;
  }

  std::unique_ptr<Driver> driver_ = make_mysql();
  std::unique_ptr<Connection> admin_, own_, connection_;
  std::string name_;
  json::object details_;
};

// The same statement by the text protocol, and prepared with a value.
sql::Statement by_text(const std::string& sql) { return {sql, {}}; }
sql::Statement prepared(const std::string& sql) { return {"SELECT * FROM (" + sql + ") AS source WHERE 1 = ?", {std::int64_t(1)}}; }

TEST_F(MysqlDriver, ReadsEveryTypeByTextAndPreparedAlike) {
  prepare_data({R"(CREATE TABLE every_type (
      a_bool BOOLEAN, a_tinyint TINYINT, an_utinyint TINYINT UNSIGNED, a_smallint SMALLINT, a_mediumint MEDIUMINT, an_int INT, an_uint INT UNSIGNED, a_bigint BIGINT, an_ubigint BIGINT UNSIGNED,
      a_float FLOAT, a_double DOUBLE, a_decimal DECIMAL(30, 2), a_bit BIT(1), bits BIT(10), wide_bits BIT(64), a_year YEAR, a_date DATE, no_date DATE, half_a_date DATE, a_time TIME(3), a_long_time TIME,
      a_datetime DATETIME(6), no_datetime DATETIME, an_instant TIMESTAMP(3) NULL, a_char CHAR(3), a_varchar VARCHAR(20), a_text TEXT, latin VARCHAR(20) CHARACTER SET latin1, an_enum ENUM('sad', 'happy'),
      a_set SET('a', 'b'), some_bytes VARBINARY(9), a_blob BLOB, fixed_bytes BINARY(3), a_document JSON, a_point POINT, an_uuid UUID, nothing INT))",
                "SET STATEMENT sql_mode = '', time_zone = '+00:00' FOR INSERT INTO every_type VALUES (true, -7, 200, -300, 8000000, -2147483648, 4294967295, -9223372036854775808, 18446744073709551615, "
                "0.1, 0.1, 1234567890123456789012345.50, b'1', b'1000000001', 18446744073709551615, 2024, '2024-05-17', '0000-00-00', '2024-00-00', '08:30:00.500', '-838:59:59', "
                "'2024-05-17 08:30:00.123', '0000-00-00 00:00:00', '2024-05-17 08:30:00', 'x', 'y''s', 'ä€😀', 'naïve', 'happy', 'a,b', x'00ff27', 'blob', 'a', '{\"a\": 1}', POINT(1, 2), "
                "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', NULL)"});
  const std::string values =
      "true | -7 | 200 | -300 | 8000000 | -2147483648 | 4294967295 | -9223372036854775808 | 18446744073709551615 | 0.1 | 0.1 | 1234567890123456789012345.50 | true | 513 | "
      "18446744073709551615 | 2024 | 2024-05-17 | null | null | 08:30:00.5 | -838:59:59 | 2024-05-17T08:30:00.123 | null | 2024-05-17T10:30:00+02:00 | x | y's | ä€😀 | naïve | happy | a,b | "
      "00ff27 | 626c6f62 | 610000 | {\"a\": 1} | 000000000101000000000000000000f03f0000000000000040 | a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 | null";
  for (auto& statement : {by_text("SELECT * FROM every_type"), prepared("SELECT * FROM every_type")}) {
    auto answer = run(*connection_, statement, {.time_zone = "Europe/Berlin"});
    ASSERT_EQ(answer.rows.size(), 1u);
    EXPECT_EQ(answer.rows[0], values) << statement.text;
    std::map<std::string, std::string> types;
    for (auto& column : answer.columns) types[column.name] = column.database_type + " " + column.base_type;
    EXPECT_EQ(types["a_bool"], "TINYINT type/Boolean");
    EXPECT_EQ(types["an_ubigint"], "BIGINT UNSIGNED type/BigInteger");
    EXPECT_EQ(types["a_bit"], "BIT type/Boolean");
    EXPECT_EQ(types["a_year"], "YEAR type/Integer");
    EXPECT_EQ(types["a_decimal"], "DECIMAL type/Decimal");
    EXPECT_EQ(types["a_datetime"], "DATETIME type/DateTime");
    EXPECT_EQ(types["an_instant"], "TIMESTAMP type/DateTimeWithLocalTZ");
    EXPECT_EQ(types["an_enum"], "ENUM type/Text");
    EXPECT_EQ(types["some_bytes"], "VARBINARY type/*");
    if (statement.values.empty()) {
      EXPECT_EQ(types["a_document"], "JSON type/JSON");
      EXPECT_EQ(types["an_uuid"], "UUID type/UUID");
    }
  }
}

TEST_F(MysqlDriver, ReadsInstantsOnTheClocksOfTheSession) {
  prepare_data({"CREATE TABLE moment (at TIMESTAMP NULL)", "SET STATEMENT time_zone = '+00:00' FOR INSERT INTO moment VALUES ('2024-01-01 00:30:00'), ('2024-07-01 22:30:00')"});
  auto rows = [&](const char* zone) { return run(*connection_, "SELECT at FROM moment ORDER BY at", {.time_zone = zone}).rows; };
  EXPECT_EQ(rows("Europe/Berlin"), (std::vector<std::string>{"2024-01-01T01:30:00+01:00", "2024-07-02T00:30:00+02:00"}));
  EXPECT_EQ(rows("Asia/Kolkata"), (std::vector<std::string>{"2024-01-01T06:00:00+05:30", "2024-07-02T04:00:00+05:30"}));
  EXPECT_EQ(rows("America/Los_Angeles"), (std::vector<std::string>{"2023-12-31T16:30:00-08:00", "2024-07-01T15:30:00-07:00"}));
  EXPECT_EQ(rows(""), (std::vector<std::string>{"2024-01-01T00:30:00Z", "2024-07-01T22:30:00Z"}));
  EXPECT_EQ(failure_of([&] { rows("Mars/Olympus"); }).kind(), FailureKind::BadRequest);
  EXPECT_EQ(failure_of([&] { rows("'; DROP TABLE moment; --"); }).kind(), FailureKind::BadRequest);
  // Known to the system, not to this server, whose tables hold a few zones only.
  auto failure = failure_of([&] { rows("Australia/Sydney"); });
  EXPECT_EQ(failure.kind(), FailureKind::Unsupported);
  EXPECT_NE(failure.sentence().find("Australia/Sydney"), std::string::npos) << failure.sentence();
  EXPECT_EQ(rows("UTC").size(), 2u) << "the connection can go on";
  // A zone that never changes its offset needs no tables: nor does UTC by any name.
  EXPECT_EQ(rows("Etc/GMT-3"), (std::vector<std::string>{"2024-01-01T03:30:00+03:00", "2024-07-02T01:30:00+03:00"}));
  EXPECT_EQ(rows("Etc/UTC").size(), 2u);
  // To convert to such a zone would give null in every row.
  auto converted = [&](const char* zone) { return run(*connection_, sql::Statement{"SELECT CONVERT_TZ(at, '+00:00', ?) FROM moment ORDER BY at LIMIT 1", {std::string(zone)}}).rows[0]; };
  EXPECT_EQ(converted("Asia/Seoul"), "2024-01-01T09:30:00");
  EXPECT_EQ(failure_of([&] { converted("Australia/Sydney"); }).kind(), FailureKind::Unsupported);
}

TEST_F(MysqlDriver, HandsOnLargeResultsInSmallBatches) {
  for (auto& statement : {by_text("SELECT seq, REPEAT('x', 100) AS x FROM seq_1_to_25000"), prepared("SELECT seq, REPEAT('x', 100) AS x FROM seq_1_to_25000")}) {
    auto answer = run(*connection_, statement);
    EXPECT_EQ(answer.rows.size(), 25000u);
    EXPECT_LE(answer.largest_batch, 1000u);
    EXPECT_EQ(answer.rows.back(), "25000 | " + std::string(100, 'x'));
  }
}

TEST_F(MysqlDriver, ReadsTextsOfManyLengths) {
  for (auto& statement : {by_text("SELECT LENGTH(x), x FROM (SELECT REPEAT('ab', seq * seq * 40) AS x FROM seq_0_to_100) AS t"), prepared("SELECT LENGTH(x), x FROM (SELECT REPEAT('ab', seq * seq * 40) AS x FROM seq_0_to_100) AS t")}) {
    auto answer = run(*connection_, statement);
    ASSERT_EQ(answer.rows.size(), 101u);
    for (auto& row : answer.rows) {
      auto bar = row.find(" | ");
      EXPECT_EQ(std::to_string(row.size() - bar - 3), row.substr(0, bar));
    }
  }
}

TEST_F(MysqlDriver, HandsOnSlowRowsWithoutWaitingForMore) {
  auto cursor = connection_->execute({"SELECT seq, IF(seq > 20000, SLEEP(3600), 0), REPEAT('x', 100) FROM seq_1_to_20001", {}}, {});
  std::size_t rows = 0;
  // The server keeps up to 16 kB to itself; what it sent comes without the row that sleeps for an hour.
  for (rows::Batch batch; rows < 19000 && cursor->next(batch);) rows += batch.rows();
  EXPECT_GE(rows, 19000u);
  EXPECT_LT(rows, 20001u);
}

TEST_F(MysqlDriver, TellsColumnsOfAnEmptyResult) {
  for (auto& statement : {by_text("SELECT 1 AS one, 'x' AS x FROM DUAL WHERE false"), prepared("SELECT 1 AS one, 'x' AS x FROM DUAL WHERE false")}) {
    auto answer = run(*connection_, statement);
    EXPECT_TRUE(answer.rows.empty());
    ASSERT_EQ(answer.columns.size(), 2u);
    EXPECT_EQ(answer.columns[1].name, "x");
  }
}

TEST_F(MysqlDriver, BindsValuesOfEveryKind) {
  sql::Statement statement{
      "SELECT ?, ? + 1, ?, ?, CAST(? AS DATE) - INTERVAL 1 DAY, CAST(? AS TIME), CAST(? AS DATETIME(6)), ?, ? * 2, CONCAT('a', ?), SUBSTRING('hello', ?, 2), ? IS NULL",
      {std::string("it's"), std::int64_t{41}, std::int64_t{5'000'000'000}, 0.5, sql::DateValue{"2024-03-01"}, sql::TimeValue{"08:30:00"},
       sql::TimestampValue{"2024-05-17 08:30:00.25"}, true, sql::DecimalValue{"1.10"}, std::string("b"), std::int64_t{2}, sql::NullValue{}}};
  EXPECT_EQ(run(*connection_, statement).rows[0], "it's | 42 | 5000000000 | 0.5 | 2024-02-29 | 08:30:00 | 2024-05-17T08:30:00.25 | 1 | 2.20 | ab | el | 1");
  EXPECT_EQ(failure_of([&] { run(*connection_, sql::Statement{"SELECT ?, ?", {std::int64_t{1}}}); }).kind(), FailureKind::BadRequest);
  EXPECT_EQ(run(*connection_, sql::Statement{"SELECT '?', ? /* ? */", {std::int64_t{1}}}).rows[0], "? | 1");
}

TEST_F(MysqlDriver, GivesEveryValueBackByteForByteInEverySqlMode) {
  const std::string evil[] = {"'", "''", "\\", "\\'", "\\\\'; DROP TABLE kept; -- ", "\"", "`", "a\nb\r\tc", " both ends ", std::string("a\0b", 3), "%_", "ä€😀", "' OR '1' = '1", "/* */ -- # ;", "\x1a", "\xc3\xa4\\", "?", "$1"};
  prepare_data({"CREATE TABLE kept (value VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin)"});
  for (auto& value : evil) run(*own_, sql::Statement{"INSERT INTO kept VALUES (?)", {value}}, writes);
  for (auto* mode : {"", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES", "ANSI,NO_BACKSLASH_ESCAPES"}) {
    auto connection = driver_->connect(with("additional-options", json::value(std::string("sessionVariables=sql_mode='") + mode + "'")));
    if (*mode) { EXPECT_NE(run(*connection, "SELECT @@sql_mode").rows[0].find(std::string(mode).substr(0, 4)), std::string::npos); }
    for (auto& value : evil) {
      EXPECT_EQ(run(*connection, sql::Statement{"SELECT ?", {value}}).rows[0], value) << mode;
      EXPECT_EQ(run(*connection, sql::Statement{"SELECT COUNT(*) FROM kept WHERE value = ?", {value}}).rows[0], "1") << mode << " " << value;
      // As a name: of a column, of a table, of an alias. A name cannot hold a zero, and is of the base plane.
      if (value.find('\0') != std::string::npos || value.find("😀") != std::string::npos) continue;
      std::string name, sql = "SELECT ";
      driver_->dialect().quote(name, value);
      auto answer = run(*connection, sql + name + "." + name + " FROM (SELECT 1 AS " + name + ") AS " + name);
      ASSERT_EQ(answer.columns.size(), 1u);
      // Blanks at its ends are not kept by the server.
      if (value != "\x1a" && value.back() != ' ') { EXPECT_EQ(answer.columns[0].name, value) << mode; }
      EXPECT_EQ(answer.rows[0], "1") << mode;
    }
  }
  EXPECT_EQ(run(*connection_, "SELECT COUNT(*) FROM kept").rows[0], std::to_string(std::size(evil)));
}

TEST_F(MysqlDriver, SaysWhatTheServerSays) {
  for (auto& statement : {by_text("SELECT nothing FROM information_schema.TABLES"), sql::Statement{"SELECT nothing FROM information_schema.TABLES WHERE 1 = ?", {std::int64_t(1)}}}) {
    auto failure = failure_of([&] { run(*connection_, statement); });
    EXPECT_EQ(failure.kind(), FailureKind::Database);
    EXPECT_EQ(failure.sentence(), "ERROR 1054 (42S22): Unknown column 'nothing' in 'SELECT'");
    EXPECT_EQ(run(*connection_, "SELECT 1").rows[0], "1") << "the connection can go on";
  }
  auto failure = failure_of([&] { run(*connection_, "SELECT 1\nFRON x"); });
  EXPECT_NE(failure.sentence().find("at line 2"), std::string::npos) << failure.sentence();
  // Rows came before it failed.
  prepare_data({"CREATE FUNCTION refuses(n INT) RETURNS INT DETERMINISTIC BEGIN IF n > 3000 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'too many'; END IF; RETURN n; END"});
  for (auto& statement : {by_text("SELECT refuses(seq), REPEAT('x', 100) AS x FROM seq_1_to_5000"), prepared("SELECT refuses(seq) AS a, REPEAT('x', 100) AS x FROM seq_1_to_5000")}) {
    failure = failure_of([&] { run(*connection_, statement); });
    EXPECT_EQ(failure.sentence(), "ERROR 1644 (45000): too many");
    EXPECT_EQ(run(*connection_, "SELECT 1").rows[0], "1");
    EXPECT_TRUE(connection_->is_alive());
  }
}

TEST_F(MysqlDriver, RunsOneStatementAndItsFirstResult) {
  EXPECT_EQ(failure_of([&] { run(*connection_, "SELECT 1; SELECT 2"); }).kind(), FailureKind::Database);
  EXPECT_EQ(run(*connection_, "SELECT 1 AS one ; -- the end").rows[0], "1");
  EXPECT_EQ(run(*connection_, "SHOW VARIABLES LIKE 'character_set_client'").rows[0], "character_set_client | utf8mb4");
  prepare_data({"CREATE PROCEDURE two() BEGIN SELECT 1 AS one; SELECT 2 AS two; END"});
  EXPECT_EQ(run(*connection_, "CALL two()", writes).rows, std::vector<std::string>{"1"});
  EXPECT_EQ(run(*connection_, "SELECT 3").rows[0], "3") << "the connection can go on";
}

TEST_F(MysqlDriver, RefusesWritesAndFilesOfThisMachine) {
  prepare_data({"CREATE TABLE kept (id INT)", "INSERT INTO kept VALUES (1)"});
  for (auto text : {"DELETE FROM kept", "INSERT INTO kept VALUES (2)", "CREATE TABLE more (id INT)", "DROP TABLE kept", "TRUNCATE TABLE kept", "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE kept", "SELECT 1; DELETE FROM kept"})
    EXPECT_EQ(failure_of([&] { run(*connection_, text); }).kind(), FailureKind::Database) << text;
  EXPECT_EQ(run(*connection_, "SELECT COUNT(*) FROM kept").rows[0], "1");
  // Read-only is no setting that one statement could change for the next.
  run(*connection_, "SET SESSION TRANSACTION READ WRITE", writes);
  EXPECT_EQ(failure_of([&] { run(*connection_, "DELETE FROM kept"); }).kind(), FailureKind::Database);
}

TEST_F(MysqlDriver, RunsOnlyQueriesWhereNothingMayBeWritten) {
  prepare_data({"CREATE TABLE kept (id INT)", "INSERT INTO kept VALUES (1)", "CREATE PROCEDURE cleans() BEGIN SET SESSION TRANSACTION READ WRITE; DELETE FROM kept; END"});
  for (std::string text : {"BEGIN NOT ATOMIC SET SESSION TRANSACTION READ WRITE; DELETE FROM kept; END", "SET STATEMENT tx_read_only = 0 FOR DELETE FROM kept", "SET SESSION TRANSACTION READ WRITE",
                           "EXECUTE IMMEDIATE 'DELETE FROM kept'", "PREPARE x FROM 'DELETE FROM kept'", "CALL cleans()", "ANALYZE DELETE FROM kept", "IF TRUE THEN SET SESSION TRANSACTION READ WRITE; DELETE FROM kept; END IF",
                           "/*!BEGIN NOT ATOMIC SET SESSION TRANSACTION READ WRITE; DELETE FROM kept; END*/", "/*M! BEGIN NOT ATOMIC SET SESSION TRANSACTION READ WRITE; DELETE FROM kept; END */",
                           "/* SELECT */ -- SELECT\n# SELECT\n begin not atomic set session transaction read write; delete from kept; end", "START TRANSACTION READ WRITE", "SELECT * FROM kept INTO OUTFILE 'basalt_kept'",
                           "SELECT 1 /*!50000 INTO/* x */dumpfile 'basalt_kept' */", "SELECT 'it\\'s' INTO OUTFILE 'basalt_kept'"}) {
    auto failure = failure_of([&] { run(*connection_, text); });
    EXPECT_TRUE(failure.sentence().starts_with("Only queries are run here")) << text << "\n" << failure.sentence();
    failure_of([&] { run(*connection_, "DELETE FROM kept"); });
  }
  for (auto text : {"WITH x AS (SELECT 1) DELETE FROM kept", "EXPLAIN BEGIN NOT ATOMIC DELETE FROM kept; END", ""})
    EXPECT_EQ(failure_of([&] { run(*connection_, text); }).kind(), FailureKind::Database) << text;
  EXPECT_EQ(run(*own_, "SELECT COUNT(*) FROM kept").rows[0], "1");
  for (auto text : {"-- all\n/* of */ # them\n ((SELECT id FROM kept))", "with x as (select id from kept) select * from x", "VALUES (1)", "SELECT id /* into outfile */ FROM kept WHERE 'into outfile' <> \"into dumpfile\""})
    EXPECT_EQ(run(*connection_, text).rows, std::vector<std::string>{"1"}) << text;
  for (auto text : {"SHOW TABLES", "DESC kept", "describe kept", "EXPLAIN SELECT * FROM kept"}) EXPECT_FALSE(run(*connection_, text).rows.empty()) << text;
}

TEST_F(MysqlDriver, ReadsShownTextsAsTheyWere) {
  for (std::string text : {"C:\\new", "\\' OR 1=1 -- ", "'\\", "\\\\", "it's"})
    EXPECT_EQ(run(*connection_, sql::show({"SELECT ? AS shown", {text}}, *sql::find_dialect("mysql"))).rows, std::vector<std::string>{text});
}

TEST_F(MysqlDriver, ForgetsWhatAStatementChangedInTheSession) {
  run(*connection_, "SET SESSION sql_mode = 'ANSI_QUOTES', time_zone = '+09:00'", writes);
  EXPECT_EQ(run(*connection_, "SELECT @@sql_mode LIKE '%ANSI_QUOTES%', @@time_zone").rows[0], "0 | +00:00");
  run(*connection_, "SELECT @secret := 7");
  EXPECT_EQ(run(*connection_, "SELECT @secret").rows[0], "null");
  run(*connection_, "SELECT get_lock('basalt', 0)");
  EXPECT_EQ(run(*connection_, "SELECT IS_FREE_LOCK('basalt')").rows[0], "1");
  EXPECT_EQ(run(*connection_, "SELECT @@time_zone, @@character_set_results", {.time_zone = "Europe/Berlin"}).rows[0], "Europe/Berlin | utf8mb4");
}

TEST_F(MysqlDriver, StopsAStatementInTheDatabaseWithin100Milliseconds) {
  std::unique_ptr<Connection> connection;
  auto fresh = [&]() -> Connection& { return *(connection = driver_->connect(details_)); };
  auto stopped = quickest_stop(fresh, "SELECT SLEEP(600) AS cancel_me");
  EXPECT_EQ(stopped.failure.kind(), FailureKind::Cancelled);
  EXPECT_LT(stopped.after.count(), 100);
  EXPECT_EQ(other_sessions("SELECT SLEEP(600) AS cancel_me%"), "0");
  EXPECT_FALSE(connection->is_alive()) << "a late cancel must not hit the next statement";
  stopped = quickest_stop(fresh, "SELECT COUNT(*) FROM seq_1_to_1000000 a, seq_1_to_1000000 b WHERE MD5(a.seq) = MD5(b.seq)");
  EXPECT_EQ(stopped.failure.kind(), FailureKind::Cancelled);
  EXPECT_LT(stopped.after.count(), 100);
}

TEST_F(MysqlDriver, StopsAStatementWhoseRowsAreNotWanted) {
  for (auto& statement : {by_text("SELECT seq AS unwanted, REPEAT('x', 100) AS x FROM seq_1_to_100000000"), prepared("SELECT seq AS unwanted, REPEAT('x', 100) AS x FROM seq_1_to_100000000")}) {
    auto connection = driver_->connect(details_);
    auto cursor = connection->execute(statement, {});
    rows::Batch batch;
    ASSERT_TRUE(cursor->next(batch));
    cursor.reset();
    EXPECT_FALSE(connection->is_alive());
    connection.reset();
    // The server needs a moment to look up from its work.
    auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (other_sessions("%unwanted%") != "0" && std::chrono::steady_clock::now() < limit) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(other_sessions("%unwanted%"), "0");
  }
}

TEST_F(MysqlDriver, KeepsTheConnectionWhenOnlyTheLastRowsAreNotWanted) {
  for (auto& statement : {by_text("SELECT seq FROM seq_1_to_1001"), prepared("SELECT seq FROM seq_1_to_1001")}) {
    // The last row has a moment to come, which a busy machine may not give: then another connection tries.
    for (int tries = 0; tries < 5; ++tries) {
      {
        auto cursor = connection_->execute(statement, {});
        rows::Batch batch;
        ASSERT_TRUE(cursor->next(batch));
      }
      if (connection_->is_alive()) break;
      connection_ = driver_->connect(details_);
      EXPECT_LT(tries, 4) << "the connection is never kept";
    }
    EXPECT_EQ(run(*connection_, "SELECT 1").rows[0], "1");
  }
}

TEST_F(MysqlDriver, StopsAtTheDeadline) {
  prepare_data({"CREATE PROCEDURE sleeps() BEGIN SELECT SLEEP(600); END"});
  for (auto& statement : {by_text("SELECT SLEEP(600)"), prepared("SELECT SLEEP(600)"), by_text("CALL sleeps()")}) {
    auto began = std::chrono::steady_clock::now();
    auto failure = failure_of([&] { run(*connection_, statement, {.deadline = std::chrono::milliseconds(50), .read_only = false}); });
    EXPECT_EQ(failure.kind(), FailureKind::Timeout) << failure.sentence();
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
    EXPECT_EQ(run(*connection_, "SELECT 1").rows[0], "1");
  }
}

TEST_F(MysqlDriver, TellsWhenTheServerIsGone) {
  for (auto& statement : {by_text("SELECT seq, REPEAT('x', 1000) AS x FROM seq_1_to_1000000"), prepared("SELECT seq, REPEAT('x', 1000) AS x FROM seq_1_to_1000000")}) {
    auto connection = driver_->connect(details_);
    auto cursor = connection->execute(statement, {});
    rows::Batch batch;
    ASSERT_TRUE(cursor->next(batch));
    auto id = run(*admin_, sql::Statement{"SELECT ID FROM information_schema.PROCESSLIST WHERE DB = ? AND INFO LIKE '%1000000%'", {name_}}).rows;
    ASSERT_EQ(id.size(), 1u);
    change("KILL HARD CONNECTION " + id[0]);
    auto failure = failure_of([&] { while (cursor->next(batch)) {} });
    EXPECT_EQ(failure.kind(), FailureKind::Database);
    EXPECT_TRUE(failure.sentence().starts_with("The connection to the database was lost")) << failure.sentence();
    cursor.reset();
    EXPECT_FALSE(connection->is_alive());
  }
  change("KILL HARD CONNECTION " + run(*connection_, "SELECT CONNECTION_ID()").rows[0]);
  auto failure = failure_of([&] { while (connection_->is_alive()) {} run(*connection_, "SELECT 1"); });
  EXPECT_EQ(failure.kind(), FailureKind::Database);
}

TEST_F(MysqlDriver, NamesTheFieldThatKeepsItFromConnecting) {
  auto blamed = [&](const char* key, json::value value) { return failure_of([&] { driver_->connect(with(key, std::move(value))); }); };
  EXPECT_TRUE(blamed("dbname", "no_such_database").fields().contains("dbname"));
  EXPECT_TRUE(blamed("port", 1).fields().contains("port"));
  EXPECT_TRUE(blamed("port", 99999).fields().contains("port"));
  EXPECT_TRUE(blamed("host", "no.such.host.invalid").fields().contains("host"));
  for (auto* host : {"127.0.0.1;plugin-dir=/tmp", "host=x", "/run/mysqld/mysqld.sock", "a,b"}) EXPECT_EQ(blamed("host", host).kind(), FailureKind::BadRequest) << host;
  EXPECT_TRUE(blamed("dbname", "").fields().contains("dbname"));
  EXPECT_TRUE(blamed("user", "").fields().contains("user"));
  auto failure = blamed("password", "wrong-secret");
  EXPECT_TRUE(failure.fields().contains("password")) << failure.sentence();
  EXPECT_EQ(failure.kind(), FailureKind::Database);
  EXPECT_EQ(failure.sentence().find("wrong-secret"), std::string::npos);
  EXPECT_TRUE(blamed("additional-options", "sessionVariables=sql_log_bin=0").fields().contains("additional-options"));
  EXPECT_TRUE(blamed("additional-options", "sessionVariables=sql_mode=(SELECT 1)").fields().contains("additional-options"));
}

TEST_F(MysqlDriver, ConnectsOverTlsWithItsOwnAuthorityAndClientCertificate) {
  auto* folder = std::getenv("BASALT_TEST_MYSQL_TLS");
  if (!folder || !*folder) GTEST_SKIP() << "BASALT_TEST_MYSQL_TLS is not set: no certificates to test with";
  auto file = [&](const std::string& name) {
    std::ifstream in(std::string(folder) + "/" + name);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  };
  auto cipher = [](Connection& connection) { return run(connection, "SELECT VARIABLE_VALUE <> '' FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'Ssl_cipher'").rows[0]; };
  EXPECT_EQ(cipher(*connection_), "0");
  details_["ssl"] = true;
  EXPECT_EQ(cipher(*driver_->connect(details_)), "1");
  auto stopped = quickest_stop([&]() -> Connection& { return *(connection_ = driver_->connect(details_)); }, "SELECT SLEEP(600)");
  EXPECT_EQ(stopped.failure.kind(), FailureKind::Cancelled);

  details_["ssl-mode"] = "verify-full";
  auto failure = failure_of([&] { driver_->connect(details_); });
  EXPECT_TRUE(failure.fields().contains("ssl")) << "nobody vouches for this authority: " << failure.sentence();
  details_["ssl-cert"] = file("ca.pem");
  EXPECT_EQ(cipher(*driver_->connect(details_)), "1");

  auto person = "basalt_certified_" + std::to_string(::getpid());
  change("CREATE USER " + person + " IDENTIFIED BY 'x' REQUIRE SUBJECT '/CN=client'");
  change("GRANT ALL ON " + name_ + ".* TO " + person);
  details_["user"] = person;
  details_["password"] = "x";
  EXPECT_EQ(failure_of([&] { driver_->connect(details_); }).kind(), FailureKind::Database) << "without its certificate";
  details_["ssl-client-cert"] = file("client.pem");
  EXPECT_TRUE(failure_of([&] { driver_->connect(details_); }).fields().contains("ssl-key"));
  details_["ssl-key"] = file("client-key.pem");
  EXPECT_EQ(cipher(*driver_->connect(details_)), "1");
  change("DROP USER " + person);
}

TEST_F(MysqlDriver, DescribesTablesViewsAndKeys) {
  prepare_data({"CREATE TABLE customer (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL COMMENT 'Full name', born DATE, note VARCHAR(9) DEFAULT 'x', likes JSON, fond BOOLEAN, wide BIGINT UNSIGNED) COMMENT 'Who buys'",
                "CREATE TABLE sale (id BIGINT AUTO_INCREMENT PRIMARY KEY, customer_id INT, amount DECIMAL(10, 2) NOT NULL, twice DECIMAL(10, 2) AS (amount * 2), FOREIGN KEY (customer_id) REFERENCES customer (id))",
                "CREATE TABLE pair (a INT, b INT, PRIMARY KEY (a, b))", "CREATE TABLE of_pair (a INT, b INT, FOREIGN KEY (a, b) REFERENCES pair (a, b))",
                "CREATE VIEW names AS SELECT name FROM customer", "CREATE SEQUENCE counter", "INSERT INTO customer (name) VALUES ('Ann')"});
  std::vector<DescribedTable> tables;
  connection_->describe({}, [&](DescribedTable table) { tables.push_back(std::move(table)); });
  std::string names;
  for (auto& table : tables) names += table.schema.value_or("") + table.name + (table.is_view ? "* " : " ");
  EXPECT_EQ(names, "customer names* of_pair pair sale ");
  auto& customer = tables[0];
  EXPECT_EQ(customer.comment, "Who buys");
  ASSERT_EQ(customer.columns.size(), 7u);
  EXPECT_TRUE(customer.columns[0].is_primary_key && customer.columns[0].auto_increment && !customer.columns[0].required);
  EXPECT_TRUE(customer.columns[1].required && !customer.columns[1].nullable);
  EXPECT_EQ(customer.columns[1].comment, "Full name");
  EXPECT_EQ(customer.columns[2].base_type, "type/Date");
  EXPECT_EQ(customer.columns[3].default_value, "'x'");
  EXPECT_EQ(customer.columns[4].base_type, "type/JSON");
  EXPECT_EQ(customer.columns[5].base_type, "type/Boolean");
  EXPECT_EQ(customer.columns[6].database_type, "BIGINT UNSIGNED");
  EXPECT_FALSE(tables[4].columns[3].required);
  auto keys = connection_->foreign_keys();
  ASSERT_EQ(keys.size(), 1u) << "keys of several columns are left out";
  EXPECT_EQ(keys[0].table + "." + keys[0].column + " " + keys[0].target_table + "." + keys[0].target_column, "sale.customer_id customer.id");
  EXPECT_TRUE(connection_->schemas().empty());
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(failure_of([&] { connection_->describe(stop.get_token(), [](DescribedTable) {}); }).kind(), FailureKind::Cancelled);
}

TEST_F(MysqlDriver, ShowsMoreDatabasesAsSchemas) {
  prepare_data({"CREATE TABLE here (id INT)"});
  auto other = name_ + "_other";
  change("CREATE DATABASE " + other);
  change("CREATE TABLE " + other + ".there (id INT)");
  details_["schema-filters-type"] = "inclusion";
  details_["schema-filters-patterns"] = name_ + "*";
  auto filtered = driver_->connect(details_);
  EXPECT_EQ(filtered->schemas(), (std::vector<std::string>{name_, other}));
  std::string names;
  filtered->describe({}, [&](DescribedTable table) { names += *table.schema + "." + table.name + " "; });
  EXPECT_EQ(names, name_ + ".here " + other + ".there ");
  change("DROP DATABASE " + other);
}

TEST_F(MysqlDriver, TellsItsVersion) {
  auto version = connection_->version();
  EXPECT_EQ(version.flavor, "MariaDB");
  ASSERT_EQ(version.numbers.size(), 3u);
  EXPECT_GE(version.numbers[0], 10);
  EXPECT_TRUE(connection_->is_alive());
}

}  // namespace
}  // namespace basalt::drivers
