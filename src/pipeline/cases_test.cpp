// Golden cases: query in, rows out, on every engine present. Absent ones are reported as skipped.
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <unistd.h>

#include <charconv>

#include "../../tests/runner/cases.h"
#include "drivers/driver.h"
#include "drivers/duckdb/build_file.h"
#include "drivers/mysql/testing.h"
#include "drivers/testing.h"

namespace basalt::pipeline {
namespace {

// A line of CSV: empty is null, quoted empty is empty.
std::vector<std::optional<std::string>> csv_cells(const std::string& line) {
  std::vector<std::optional<std::string>> cells;
  std::size_t at = 0;
  while (true) {
    std::optional<std::string> cell;
    if (at < line.size() && line[at] == '"') {
      cell.emplace();
      for (++at; at < line.size(); ++at) {
        if (line[at] != '"') *cell += line[at];
        else if (at + 1 < line.size() && line[at + 1] == '"') { *cell += '"'; ++at; }
        else break;
      }
      ++at;
    } else {
      auto end = std::min(line.find(',', at), line.size());
      if (end > at) cell = line.substr(at, end - at);
      at = end;
    }
    cells.push_back(cell);
    if (at >= line.size()) return cells;
    ++at;
  }
}

// The data set as statements: CREATE TABLE and INSERT, in the types of the engine.
std::vector<std::string> statements(const std::string& engine) {
  std::vector<std::string> result;
  for (auto& table : *json::sub_array(cases::schema(), "tables")) {
    auto name = *json::text(table, "name");
    auto& fields = *json::sub_array(table, "fields");
    std::string quote = engine == "mysql" ? "`" : "\"", create = "CREATE TABLE " + quote + name + quote + " (";
    for (auto& field : fields) {
      if (create.back() != '(') create += ", ";
      std::string type = *json::text(field, "database_type");
      if (engine == "mysql" && type == "timestamp") type = "datetime";
      if (engine == "mysql" && type == "timestamp with time zone") type = "timestamp null";
      create += quote + *json::text(field, "name") + quote + " " + type;
    }
    result.push_back(create + ")");
    std::istringstream lines(cases::read_file(cases::root() / "datasets" / "shop" / (name + ".csv")));
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
      std::string insert = "INSERT INTO " + quote + name + quote + " VALUES (";
      std::size_t i = 0;
      for (auto& cell : csv_cells(line)) {
        if (i) insert += ", ";
        std::string type = *json::text(fields[i++], "base_type");
        if (!cell) insert += "NULL";
        else if (type == "type/Integer" || type == "type/Float") insert += *cell;
        else if (type == "type/Boolean" && (engine == "sqlite" || engine == "mysql")) insert += *cell == "true" ? "1" : "0";
        else {
          insert += '\'';
          std::string text = *cell;
          if ((engine == "sqlite" || engine == "mysql") && text.ends_with("+00:00")) text.resize(text.size() - 6);  // its dates are text without zone
          for (char c : text) insert += c == '\'' ? "''" : std::string(1, c);
          insert += '\'';
        }
      }
      result.push_back(insert + ")");
    }
  }
  return result;
}

class Engine {
 public:
  virtual ~Engine() = default;
  json::object details;
};

class SqliteEngine final : public Engine {
 public:
  SqliteEngine() {
    path_ = std::filesystem::temp_directory_path() / ("basalt_cases_" + std::to_string(::getpid()) + ".sqlite");
    std::filesystem::remove(path_);
    sqlite3* database = nullptr;
    sqlite3_open(path_.c_str(), &database);
    for (auto& statement : statements("sqlite"))
      if (sqlite3_exec(database, statement.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(database) + (": " + statement));
    sqlite3_close(database);
    details = {{"db", path_.string()}};
  }
  ~SqliteEngine() override { std::filesystem::remove(path_); }

 private:
  std::filesystem::path path_;
};

class DuckDbEngine final : public Engine {
 public:
  DuckDbEngine() {
    directory_ = std::filesystem::temp_directory_path() / ("basalt_cases_" + std::to_string(::getpid()));
    std::filesystem::create_directories(directory_);
    std::vector<drivers::duckdb::CsvTable> tables;
    for (auto& table : *json::sub_array(cases::schema(), "tables")) {
      auto name = *json::text(table, "name");
      std::string create = "CREATE TABLE \"" + name + "\" (";
      for (auto& field : *json::sub_array(table, "fields")) {
        if (create.back() != '(') create += ", ";
        create += "\"" + *json::text(field, "name") + "\" " + *json::text(field, "database_type");
      }
      // build_file wants no header.
      auto text = cases::read_file(cases::root() / "datasets" / "shop" / (name + ".csv"));
      auto csv = directory_ / (name + ".csv");
      std::ofstream(csv) << text.substr(text.find('\n') + 1);
      tables.push_back({name, create + ")", csv});
    }
    auto file = directory_ / "shop.duckdb";
    drivers::duckdb::build_file(file, tables);
    details = {{"database_file", file.string()}};
  }
  ~DuckDbEngine() override { std::filesystem::remove_all(directory_); }

 private:
  std::filesystem::path directory_;
};

class PostgresEngine final : public Engine {
 public:
  explicit PostgresEngine(const char* uri) : uri_(uri) {
    name_ = "basalt_cases_" + std::to_string(::getpid());
    admin_ = PQconnectdb(uri);
    run(admin_, "CREATE DATABASE " + name_);
    const char* keywords[] = {"dbname", "dbname", nullptr};
    const char* values[] = {uri, name_.c_str(), nullptr};
    auto* own = PQconnectdbParams(keywords, values, 1);
    run(own, "SET TIME ZONE 'UTC'");
    for (auto& statement : statements("postgres")) run(own, statement);
    PQfinish(own);
    details = {{"host", PQhost(admin_)}, {"port", std::atoi(PQport(admin_))}, {"dbname", name_}, {"user", PQuser(admin_)}};
    if (auto* password = PQpass(admin_); password && *password) details["password"] = password;
  }
  ~PostgresEngine() override {
    PQclear(PQexec(admin_, ("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)").c_str()));
    PQfinish(admin_);
  }

 private:
  static void run(PGconn* on, const std::string& text) {
    auto* result = PQexec(on, text.c_str());
    bool good = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    if (!good) throw std::runtime_error(PQerrorMessage(on) + (": " + text));
  }
  std::string uri_, name_;
  PGconn* admin_ = nullptr;
};

class MysqlEngine final : public Engine {
 public:
  explicit MysqlEngine(json::object server) {
    name_ = "basalt_cases_" + std::to_string(::getpid());
    admin_ = driver_.require("mysql").connect(server);
    drivers::testing::run(*admin_, "CREATE DATABASE " + name_ + " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", {.read_only = false});
    server["dbname"] = name_;
    auto own = driver_.require("mysql").connect(server);
    for (auto& statement : statements("mysql")) drivers::testing::run(*own, statement, {.read_only = false});
    details = std::move(server);
  }
  ~MysqlEngine() override { drivers::testing::run(*admin_, "DROP DATABASE IF EXISTS " + name_, {.read_only = false}); }

 private:
  drivers::Drivers driver_{drivers::DriverOptions{std::filesystem::temp_directory_path(), 512}};
  std::string name_;
  std::unique_ptr<drivers::Connection> admin_;
};

// What a value is, whichever engine says it: numbers to six digits, midnights as dates, UTC without a zone.
std::string cell(const rows::Vector& column, std::size_t row) {
  if (column.is_null(row)) return "null";
  auto number = [](double v) {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%.6f", v);
    std::string text = buffer;
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text == "-0" ? std::string("0") : text;
  };
  switch (column.kind()) {
    case rows::Kind::Integer: return std::to_string(column.integer(row));
    case rows::Kind::Boolean: return column.integer(row) ? "true" : "false";
    case rows::Kind::Real: return number(column.real(row));
    case rows::Kind::Decimal: return number(std::strtod(std::string(column.text(row)).c_str(), nullptr));
    default: break;
  }
  std::string text(column.text(row));
  bool date = text.size() >= 10 && text[4] == '-' && text[7] == '-';
  if (!date) return text;
  if (text.size() > 10 && text[10] == 'T') text[10] = ' ';
  if (text.ends_with("Z")) text.pop_back();
  if (text.ends_with("+00:00")) text.resize(text.size() - 6);
  if (text.size() == 23 && text.ends_with(".000")) text.resize(19);
  if (text.size() == 19 && text.ends_with(" 00:00:00")) text.resize(10);
  return text;
}

class Engines {
 public:
  // nullptr: this engine is not here.
  drivers::Connection* find(const std::string& name) {
    if (auto known = connections_.find(name); known != connections_.end()) return known->second.get();
    std::unique_ptr<Engine> engine;
    if (name == "sqlite") engine = std::make_unique<SqliteEngine>();
    if (name == "duckdb") engine = std::make_unique<DuckDbEngine>();
    if (auto* uri = std::getenv("BASALT_TEST_POSTGRES"); name == "postgres" && uri && *uri) engine = std::make_unique<PostgresEngine>(uri);
    if (name == "mysql")
      if (auto server = drivers::mysql::testing::server("information_schema")) engine = std::make_unique<MysqlEngine>(std::move(*server));
    auto& connection = connections_[name];
    if (engine) connection = drivers_.require(name).connect(engine->details);
    if (engine) engines_.push_back(std::move(engine));
    return connection.get();
  }

 private:
  drivers::Drivers drivers_{drivers::DriverOptions{std::filesystem::temp_directory_path(), 512}};
  std::vector<std::unique_ptr<Engine>> engines_;
  std::map<std::string, std::unique_ptr<drivers::Connection>> connections_;
};

class CaseRows : public ::testing::TestWithParam<std::filesystem::path> {
 protected:
  static void SetUpTestSuite() { engines_ = new Engines; }
  static void TearDownTestSuite() { delete engines_; engines_ = nullptr; }
  static Engines* engines_;
};
Engines* CaseRows::engines_ = nullptr;

TEST_P(CaseRows, are_the_same_on_every_engine) {
  auto c = cases::Case::read(GetParam());
  if (c.blocks.contains("error")) return;  // refused before there are rows: the text runner compares the sentence
  std::map<std::string, std::string> results;
  std::string absent;
  for (auto& engine : cases::engines()) {
    auto* connection = engines_->find(engine);
    if (!connection) {
      absent += " " + engine;
      continue;
    }
    auto catalog = cases::catalog(engine);
    auto ready = cases::prepare(c, catalog);
    sql::Statement statement;
    try {
      statement = sql::compile(ready.resolved, *sql::find_dialect(engine)).statement;
    } catch (const Failure& failure) {
      if (failure.kind() != FailureKind::Unsupported) throw;
      continue;  // its `sql` block says so
    }
    std::vector<std::string> lines;
    try {
      drivers::ExecuteOptions options;
      options.time_zone = ready.resolved.time_zone;
      auto cursor = connection->execute(statement, options);
      for (rows::Batch batch; cursor->next(batch);)
        for (std::size_t row = 0; row < batch.rows(); ++row) {
          std::string line;
          for (std::size_t i = 0; i < batch.columns.size(); ++i) line += (i ? " | " : "") + cell(batch.columns[i], row);
          lines.push_back(line);
        }
    } catch (const Failure& failure) {
      FAIL() << engine << ": " << failure.sentence() << "\n" << statement.text;
    }
    if (ready.resolved.stage->order_by.empty()) std::sort(lines.begin(), lines.end());
    std::string text;
    for (std::size_t i = 0; i < lines.size(); ++i) text += (i ? "\n" : "") + lines[i];
    results[engine] = text;
  }
  if (cases::rewriting()) {
    c.set("rows", results);
    c.write();
    return;
  }
  for (auto& [engine, text] : results) {
    auto* wanted = c.block("rows", engine);
    ASSERT_TRUE(wanted) << "the case has no rows";
    EXPECT_EQ(text, *wanted) << engine;
  }
  if (!absent.empty()) GTEST_SKIP() << "not compared, because the engine is not here:" << absent;
}

INSTANTIATE_TEST_SUITE_P(Golden, CaseRows, ::testing::ValuesIn(cases::all_cases()), [](const auto& info) { return info.param.stem().string(); });

}  // namespace
}  // namespace basalt::pipeline
