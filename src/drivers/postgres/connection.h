// One libpq connection as a driver's Connection. Every statement runs in a transaction of its own that is rolled back, so
// that nothing a person's SQL changes in the session outlives it.
#pragma once
#include <libpq-fe.h>

#include <atomic>
#include <list>
#include <map>
#include <mutex>

#include "drivers/driver.h"
#include "drivers/postgres/types.h"

namespace basalt::drivers::postgres {

struct FreeResult { void operator()(PGresult* result) const { PQclear(result); } };
using Result = std::unique_ptr<PGresult, FreeResult>;
struct FreeConnection { void operator()(PGconn* connection) const { PQfinish(connection); } };
using Handle = std::unique_ptr<PGconn, FreeConnection>;

// libpq keywords and values, ready for PQconnectdbParams.
using Options = std::vector<std::pair<std::string, std::string>>;

// Opens a connection; throws Failure Database with the server's or libpq's words and the detail at fault.
Handle open(const Options& options);

// Which schemas the person wants to see (details schema-filters-type and schema-filters-patterns).
struct SchemaFilter {
  enum class Type { All, Only, Except } type = Type::All;
  std::vector<std::string> patterns;  // `*` stands for any text
  bool wants(std::string_view schema) const;
};

class PostgresConnection final : public Connection {
 public:
  // `keep` lives as long as the connection: files that the options name.
  PostgresConnection(Options options, SchemaFilter filter, std::shared_ptr<const void> keep = nullptr);
  ~PostgresConnection() override = default;

  ServerVersion version() override;
  std::vector<std::string> schemas() override;
  void describe(std::stop_token stop, const std::function<void(DescribedTable)>& table) override;
  std::vector<DescribedForeignKey> foreign_keys() override;
  std::unique_ptr<Cursor> execute(const sql::Statement& statement, const ExecuteOptions& options) override;
  void cancel() override;
  bool is_alive() override;

 private:
  friend class RowCursor;
  friend class CopyCursor;
  friend class StatementCursor;

  // A statement of our own, all rows at once; for what is known to be small.
  Result ask(const char* sql, const std::vector<std::string>& values = {});
  // The same row by row.
  void ask_each(const char* sql, const std::function<void(const PGresult*)>& row);
  void prepare_session(const ExecuteOptions& options);
  void name_types();
  rows::Column column_of(const PGresult* result, int index, Reading& reading) const;
  // What is sent a second time is prepared; the server then need not read it again. nullptr: send it as it is.
  struct Known { std::string key, name; bool prepared = false; };
  Known* known(const sql::Statement& statement, const std::vector<Oid>& types, const ExecuteOptions& options);
  std::unique_ptr<Cursor> execute_copy(const sql::Statement& statement, const ExecuteOptions& options);

  // Waits until the socket can be read, at most until `limit`; false: it passed.
  bool wait_readable(std::optional<std::chrono::steady_clock::time_point> limit);
  // The next result, waiting for it; nullptr between statements.
  Result next_result(std::optional<std::chrono::steady_clock::time_point> limit);
  [[noreturn]] void fail(const PGresult* result);   // with the server's words
  [[noreturn]] void fail_lost();                    // the connection is gone
  [[noreturn]] void fail_late();                    // the deadline passed
  void mark_broken() { broken_ = true; }

  const Options options_;
  const SchemaFilter filter_;
  const std::shared_ptr<const void> keep_;
  Handle handle_;
  std::map<unsigned, std::pair<std::string, char>> own_types_;  // enums, domains, composites: name and kind by oid
  std::string time_zone_, default_time_zone_;
  std::int64_t timeout_ms_ = 0;
  std::list<Known> known_;                // the most recently used first, at most most_known
  std::uint64_t named_ = 0;
  bool prepares_ = true;                  // false: something between us and the server mixes up sessions
  bool broken_ = false;
  std::optional<std::chrono::steady_clock::time_point> deadline_;  // of the running statement
  std::chrono::milliseconds allowed_{0};                           // what the deadline was, for the sentence

  std::mutex mutex_;
  bool running_ = false;                  // GUARDED_BY(mutex_): a statement that cancel() may stop
  std::atomic<bool> cancelled_ = false;
};

}  // namespace basalt::drivers::postgres
