// What the files of the executor share. Internal to this folder.
#pragma once
#include <algorithm>

#include "base/failure.h"
#include "migrations/execute.h"

namespace basalt::migrations {

template <class... F> struct Cases : F... { using F::operator()...; };
template <class... F> Cases(F...) -> Cases<F...>;

// Quoted and with commas between; `prefix` as in "t.".
std::string list(const std::vector<std::string>& names, const std::string& prefix = "");
// Failure Bug when it is not there.
const Table& need(const Structure&, std::string_view name);
// The condition for rows whose value differs from what a new row would get.
std::string not_preset(const Column&);

// The value as another type, null where it has none there; and the nearest one that the column can hold.
json::value plain_value(const json::value&, Type);
json::value fitted(json::value, const Column&, const json::value& fallback);
std::string first_characters(const std::string& text, std::int64_t count);  // characters, not bytes

// Many updates of one column by row_uid, sent together: a server is asked once for 2000 rows. Later ones win.
class ColumnUpdates {
 public:
  ColumnUpdates(appdb::Connection& connection, std::string table, Column column) : connection_(connection), table_(std::move(table)), column_(std::move(column)) {}
  void add(std::string row_uid, appdb::Parameter value);
  void flush();  // call at the end; what is not flushed is lost

 private:
  appdb::Connection& connection_;
  std::string table_;
  Column column_;
  std::vector<std::pair<std::string, appdb::Parameter>> waiting_;
  std::size_t bytes_ = 0;
};

}  // namespace basalt::migrations
