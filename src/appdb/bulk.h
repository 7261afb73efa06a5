// Rows in bulk, as the engine has them, without an owned value for each: what backups, restores and fingerprints run on.
#pragma once
#include <span>

#include "appdb/connection.h"

namespace basalt::appdb {

// One value of a row. `bytes` (texts and blobs) is valid during the call that hands it out. Booleans are integers, moments are
// texts in the form of base/time.h (what PostgreSQL has beyond it, infinity or years before 1 and after 9999, as its own text).
struct RawValue {
  enum class Kind : std::uint8_t { Null, Integer, Real, Text, Blob };
  Kind kind = Kind::Null;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view bytes;
};
using RawRow = std::span<const RawValue>;

enum class RawType { Integer, Real, Boolean, Text, Time, Blob };
struct RawColumn { std::string name; RawType type; };

// Calls `row` for each row of a table, in no order, in constant memory. `condition`: SQL of ours, without parameters, absent when
// empty. PostgreSQL: by COPY, each column cast to its type, so that drift to a near type does no harm.
void each_raw(Connection&, std::string_view table, const std::vector<RawColumn>&, const std::function<void(RawRow)>& row, const std::string& condition = {});

// Appends rows to one table: a kept statement on SQLite, COPY on PostgreSQL, where nothing else may run on the connection
// until finish(). Not finished means not there. Failure BadRequest when a value does not fit the column.
class RowWriter {
 public:
  virtual ~RowWriter() = default;
  virtual void add(RawRow row) = 0;  // values in the order of the columns
  virtual void finish() = 0;
};
std::unique_ptr<RowWriter> row_writer(Connection&, std::string_view table, const std::vector<RawColumn>&);

}  // namespace basalt::appdb
