// One libmariadb connection as a driver's Connection, for MySQL and MariaDB. The library's calls that do not block are used
// throughout, so that every wait ends at the deadline and rows that have come are handed on while more are awaited.
#pragma once
#include <mysql.h>

#include <atomic>
#include <map>
#include <mutex>

#include "drivers/driver.h"
#include "drivers/mysql/types.h"

namespace basalt::drivers::mysql {

struct CloseHandle { void operator()(MYSQL* handle) const { mysql_close(handle); } };
using Handle = std::unique_ptr<MYSQL, CloseHandle>;
struct FreeResult { void operator()(MYSQL_RES* result) const { mysql_free_result(result); } };
using Result = std::unique_ptr<MYSQL_RES, FreeResult>;
struct CloseStatement { void operator()(MYSQL_STMT* statement) const { mysql_stmt_close(statement); } };
using StatementHandle = std::unique_ptr<MYSQL_STMT, CloseStatement>;

// How and where to connect; empty texts are left to the library.
struct Options {
  std::string host, dbname, user, password;
  unsigned port = 3306;
  bool tls = false, verify = false;                     // verify: the certificate must be valid and name the host
  std::string ca_file, certificate_file, key_file;      // PEM
  bool compress = false;
  unsigned connect_seconds = 10;
  std::vector<std::string> session = {};                // assignments for SET SESSION, checked before: "sql_mode = 'ANSI'"
};

// Opens a connection; throws Failure Database with the server's or the library's words and the detail at fault.
Handle open(const Options& options);

// Which databases of the server are shown. All: only the one that is connected to, and tables have no schema; otherwise each
// database is a schema.
struct SchemaFilter {
  enum class Type { Own, Only, Except } type = Type::Own;
  std::vector<std::string> patterns;  // `*` stands for any text
  bool wants(std::string_view schema) const;
};

class MysqlConnection final : public Connection {
 public:
  // `keep` lives as long as the connection: files that the options name.
  MysqlConnection(Options options, SchemaFilter filter, std::shared_ptr<const void> keep = nullptr);
  ~MysqlConnection() override;

  ServerVersion version() override;
  std::vector<std::string> schemas() override;
  void describe(std::stop_token stop, const std::function<void(DescribedTable)>& table) override;
  std::vector<DescribedForeignKey> foreign_keys() override;
  std::unique_ptr<Cursor> execute(const sql::Statement& statement, const ExecuteOptions& options) override;
  void cancel() override;
  bool is_alive() override;

 private:
  friend class MysqlCursor;
  friend class TextCursor;
  friend class StatementCursor;
  using Clock = std::chrono::steady_clock;
  using Moment = std::optional<Clock::time_point>;

  // A call of the library in two parts: `start` begins it, `resume` goes on when the socket is ready; both say what to wait for.
  template <class Start, class Resume> void finish(Start start, Resume resume) {
    for (int waits_for = start(); waits_for;) waits_for = resume(wait(waits_for, deadline_));
  }
  // Waits for what the library asked for and says what came; past `limit`: Failure Timeout, and the connection is broken.
  int wait(int waits_for, Moment limit);
  // The same, but says 0 when nothing came until `limit`.
  int wait_until(int waits_for, Moment limit);

  void send(std::string_view sql);                       // and waits for the first answer
  // A statement of our own, row by row; at most the last result counts.
  void ask_each(const std::string& sql, const std::function<void(MYSQL_ROW)>& row);
  std::optional<std::string> ask(const std::string& sql);  // the first value of the first row
  std::string quoted(std::string_view text);             // a text literal for our own statements
  std::string wanted_databases();                        // the condition on TABLE_SCHEMA
  void begin_session();
  void allow(std::chrono::seconds time);                 // for our own statements from now on
  void prepare_session(const ExecuteOptions& options);
  void set_zone(const std::string& zone);
  bool has_zone(const std::string& name);                // the server's tables hold it
  [[noreturn]] void fail(unsigned code, const char* state, const char* words);
  [[noreturn]] void fail();                              // with what the connection says
  [[noreturn]] void fail_lost();
  [[noreturn]] void fail_late();
  void mark_broken() { broken_ = true; }
  void finished();

  const Options options_;
  const SchemaFilter filter_;
  const std::shared_ptr<const void> keep_;
  Handle handle_;
  bool is_mariadb_ = false;
  std::string time_zone_;                 // of the session; empty: not set yet
  const TimeZone* zone_ = nullptr;        // its rules; nullptr: not known
  std::int64_t timeout_ms_ = 0;
  bool read_only_ = false;
  bool changed_ = false;                  // the last statement may have left something behind in the session
  std::map<std::string, bool, std::less<>> has_zone_;    // what was asked of the server, by zone
  bool broken_ = false;
  Moment deadline_;                       // of the running statement
  std::chrono::milliseconds allowed_{0};  // what the deadline was, for the sentence

  std::mutex mutex_;
  bool running_ = false;                  // GUARDED_BY(mutex_): a statement that cancel() may stop
  std::atomic<bool> cancelled_ = false;
};

}  // namespace basalt::drivers::mysql
