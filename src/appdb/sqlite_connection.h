// The SQLite side of Connection, and what only a file can do: copy a consistent snapshot of itself.
#pragma once
#include <filesystem>
#include <list>
#include <set>

#include "appdb/connection.h"

struct sqlite3;
struct sqlite3_stmt;

namespace basalt::appdb {

inline constexpr std::int32_t sqlite_application_id = 0x42534c54;  // "BSLT"
inline constexpr std::string_view protected_table = "protected-table";  // error type

struct SqliteOpening {
  bool read_only = false;        // statements that write are refused
  bool foreign_keys = true;      // off only for migrations, which check all references themselves before they commit
  bool write_ahead_log = true;   // off: journal in memory, for scratch files that are thrown away when anything fails
  std::chrono::milliseconds busy_timeout{10000};
};

class SqliteConnection final : public Connection {
 public:
  // Opens the file, made (readable by its owner only) when missing. Failure BadRequest when it is no SQLite database.
  explicit SqliteConnection(const std::filesystem::path& file, const SqliteOpening& opening = {});
  ~SqliteConnection() override;
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  Engine engine() const override { return Engine::Sqlite; }
  void each(std::string_view sql, const Parameters& parameters, const std::function<void(const Row&)>& row) override;
  std::int64_t execute(std::string_view sql, const Parameters& parameters = {}) override;
  void execute_script(std::string_view sql) override;

  // Copies one consistent snapshot into `target` (replaced when there), synced to disk. `progress` gets 0..1 now and then.
  void copy_to(const std::filesystem::path& target, const std::function<void(double)>& progress = {});
  bool in_transaction() const;
  // Whether another file stands at the path now than the one that is open here (somebody swapped it): one stat().
  bool is_replaced() const;
  // From now on a statement that would write to one of these tables or drop it is refused before it runs, be it by a trigger:
  // Failure Bug, error type protected_table, the table in its details. An empty set ends it.
  void protect(std::set<std::string, std::less<>> tables);
  // Leaves the log (-wal) to others when this is the last connection to close; without, it is moved into the file and removed.
  void keep_log_on_close();
  const std::filesystem::path& file() const { return file_; }

 private:
  friend struct Bulk;  // bulk.cpp: rows as the engine has them
  struct Prepared {
    std::string sql;
    sqlite3_stmt* statement = nullptr;
    std::shared_ptr<const std::vector<std::string>> names;
    std::vector<bool> booleans;  // columns declared BOOLEAN
  };
  class Lease;

  Prepared prepare(std::string_view sql);
  void keep(Prepared prepared);
  std::int64_t run(std::string_view sql, const Parameters& parameters, const std::function<void(const Row&)>* row);
  [[noreturn]] void fail(int code, std::string_view sql) const;
  static int authorize(void* self, int action, const char* first, const char* second, const char* database, const char* trigger);

  std::filesystem::path file_;
  sqlite3* handle_ = nullptr;
  std::list<Prepared> kept_;  // most recently used first
  bool streaming_ = false;
  std::set<std::string, std::less<>> protected_;
  mutable std::string refused_;  // the table that a statement just refused would have written to
};

}  // namespace basalt::appdb
