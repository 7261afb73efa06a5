// One connection to the application database, SQLite or PostgreSQL. SQL is written once, with `?` placeholders, in the
// common part of both (explicit column lists, RETURNING, ON CONFLICT, LIMIT/OFFSET); `engine()` tells where it must differ.
#pragma once
#include <functional>
#include <memory>

#include "appdb/value.h"

namespace basalt::appdb {

enum class Engine { Sqlite, Postgres };

// A column and its value in insert() and update().
using Assignment = std::pair<std::string_view, Parameter>;

// Used by one thread at a time. Every failure is a Failure: Conflict for a broken unique rule, BadRequest for a broken
// reference or check, Unavailable for a store that is gone or locked too long, Bug for wrong SQL; the statement goes to the
// details, values never. The callback of each() must not use the same connection. A PostgreSQL parameter takes its type from
// its place, so a bare `? IS NULL` needs a cast: `CAST(? AS text) IS NULL`.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual Engine engine() const = 0;

  // Calls `row` for each row as it arrives, in constant memory.
  virtual void each(std::string_view sql, const Parameters& parameters, const std::function<void(const Row&)>& row) = 0;
  // Runs a statement without rows; returns how many rows it changed.
  virtual std::int64_t execute(std::string_view sql, const Parameters& parameters = {}) = 0;
  // Runs several statements separated by `;`, without parameters (schema work).
  virtual void execute_script(std::string_view sql) = 0;

  std::vector<Row> query(std::string_view sql, const Parameters& parameters = {});       // for results known to be small
  std::optional<Row> query_one(std::string_view sql, const Parameters& parameters = {}); // the first row
  // The first column of the first row as an integer; 0 when there is no row or it is null.
  std::int64_t count(std::string_view sql, const Parameters& parameters = {});

  // INSERT with a fresh row_uid; returns the new id (0 for tables without an id column: pass `HasId::No`).
  enum class HasId { Yes, No };
  std::int64_t insert(std::string_view table, const std::vector<Assignment>& columns, HasId has_id = HasId::Yes);
  // Many rows in multi-row VALUES with fresh row_uids; rows must match `columns` in size.
  void insert_rows(std::string_view table, const std::vector<std::string>& columns, const std::vector<Parameters>& rows);
  // UPDATE … WHERE `where_column` = `equals`; returns the rows changed. No columns: 0, no statement.
  std::int64_t update(std::string_view table, const std::vector<Assignment>& columns, std::string_view where_column, const Parameter& equals);
};

// `?,?,?` for an IN list of n values (n >= 1).
std::string placeholders(std::size_t n);
// The identifier in double quotes, inner quotes doubled; good for both engines.
std::string quoted(std::string_view identifier);
// For std::string arguments, where std::quoted of <iomanip> would be found as well and be the better match.
inline std::string quoted(const std::string& identifier) { return quoted(std::string_view(identifier)); }
inline std::string quoted(std::string& identifier) { return quoted(std::string_view(identifier)); }
inline std::string quoted(const char* identifier) { return quoted(std::string_view(identifier)); }

}  // namespace basalt::appdb
