// A kind of database that people query: the fields of its connection form, connect, describe, execute, cancel.
#pragma once
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "base/json.h"
#include "rows/batch.h"
#include "sql/statement.h"

namespace basalt::sql { class Dialect; }

namespace basalt::drivers {

// One input of the connection form, written to `engines` of the session properties as the API knows it.
struct DetailField {
  std::string name, display_name;
  std::string type = "string";  // string | password | integer | boolean | select | text
  bool required = false;
  json::value default_value = nullptr;
  std::string placeholder, helper_text;
  std::vector<std::pair<std::string, std::string>> options = {};  // select: value, label
};

struct DescribedColumn {
  std::string name, database_type, base_type;   // base_type: "type/Integer", …
  int position = 0;
  bool nullable = true, is_primary_key = false, auto_increment = false, required = false;
  std::optional<std::string> comment = {}, default_value = {};
};
struct DescribedTable {
  std::optional<std::string> schema;            // absent for engines without schemas
  std::string name;
  bool is_view = false;
  std::optional<std::string> comment = {};
  std::optional<std::int64_t> estimated_rows = {};
  std::vector<DescribedColumn> columns = {};
};
struct DescribedForeignKey {
  std::optional<std::string> schema;
  std::string table, column;
  std::optional<std::string> target_schema;
  std::string target_table, target_column;
};

struct ServerVersion { std::string flavor, version; std::vector<int> numbers; };

struct ExecuteOptions {
  std::string time_zone;                              // IANA name the session runs in; empty: the server's own
  std::optional<std::chrono::milliseconds> deadline;  // from now; over it: Failure Timeout
  bool read_only = true;                              // refuse writes where the engine can
  bool repeatable = false;                            // the text has no literals that mean "now": it may be prepared and used again
  bool bulk = false;                                  // very many rows are expected: take the engine's fastest way out
};

// Rows of one running statement, pulled by one thread. Destroying it early cancels and frees the connection for reuse or closes it.
class Cursor {
 public:
  virtual ~Cursor() = default;
  virtual const std::vector<rows::Column>& columns() const = 0;
  // Fills `batch` (cleared first, vectors made to fit columns()); false when there are no more rows.
  // Throws Failure Database (the engine's own message), Timeout, Cancelled.
  virtual bool next(rows::Batch& batch) = 0;
};

// One connection, used by one thread at a time; cancel() alone may come from another thread.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual ServerVersion version() = 0;
  virtual std::vector<std::string> schemas() = 0;
  // Tables with their columns, one call of `table` each, system schemas left out. Stops when `stop` is requested.
  virtual void describe(std::stop_token stop, const std::function<void(DescribedTable)>& table) = 0;
  virtual std::vector<DescribedForeignKey> foreign_keys() = 0;
  // Runs one statement. Throws Failure Database with the engine's own message.
  virtual std::unique_ptr<Cursor> execute(const sql::Statement& statement, const ExecuteOptions& options) = 0;
  // Stops the running statement in the database itself, within 100 ms; does nothing when none runs. Any thread, may block briefly.
  virtual void cancel() = 0;
  virtual bool is_alive() = 0;  // cheap; false: throw the connection away
};

class Driver {
 public:
  virtual ~Driver() = default;
  virtual std::string_view name() const = 0;          // engine key of the API: "postgres", "sqlite", "duckdb"
  virtual std::string_view display_name() const = 0;
  virtual std::vector<DetailField> detail_fields() const = 0;
  virtual std::vector<std::string> features() const = 0;  // API feature names
  virtual const sql::Dialect& dialect() const = 0;
  // Details whose values are secret (never answered, encrypted at rest), e.g. {"password"}.
  virtual std::vector<std::string> secret_details() const = 0;
  // Connects with the given details. Throws Failure Database with the engine's own message, with_field() where one field is to
  // blame ("host": "check your host settings"). Waits at most 10 s.
  virtual std::unique_ptr<Connection> connect(const json::object& details) const = 0;
};

// Limits and places for drivers that work on local files.
struct DriverOptions {
  std::filesystem::path data_directory;        // where DuckDB may spill: <data>/tmp
  std::size_t duckdb_memory_mb = 512;
};

// All drivers, sorted by name; built once in startup.
class Drivers {
 public:
  explicit Drivers(const DriverOptions& options);
  ~Drivers();
  const Driver* find(std::string_view engine) const;     // nullptr: unknown engine
  const Driver& require(std::string_view engine) const;  // Failure BadRequest naming the known engines
  const std::vector<std::unique_ptr<Driver>>& all() const { return drivers_; }

 private:
  std::vector<std::unique_ptr<Driver>> drivers_;
};

}  // namespace basalt::drivers
