// Fingerprints of tables: equal for equal rows, whatever their order, the order of their columns, and the engine.
#pragma once
#include "appdb/bulk.h"
#include "migrations/structure.h"

namespace basalt::upgrade {

// Sums of two 64-bit hashes over all rows: rows can come in any order, and a changed, lost or doubled row shows.
struct Fingerprint {
  std::int64_t rows = 0;
  std::uint64_t first = 0, second = 0;

  void add(const Fingerprint& other) { rows += other.rows; first += other.first; second += other.second; }
  std::string text() const;   // "1204:9f86d081884c7d65a1b2c3d4e5f60718"
  bool operator==(const Fingerprint&) const;
};

// Hashes rows of one table. `row` must have all of the table's columns by name, or be given in the order of `names()`.
class RowHasher {
 public:
  explicit RowHasher(const migrations::Table&);
  const std::vector<std::string>& names() const { return names_; }  // sorted
  const std::vector<appdb::RawColumn>& columns() const { return columns_; }  // the same, as bulk reading wants them
  void add(const std::vector<appdb::Value>& values_in_order_of_names);
  void add(appdb::RawRow values_in_order_of_names);
  const Fingerprint& result() const { return sum_; }

 private:
  std::vector<std::string> names_;
  std::vector<appdb::RawColumn> columns_;
  std::string buffer_;
  Fingerprint sum_;
};

// `condition`: SQL of ours that picks some of the rows; absent when empty.
Fingerprint fingerprint(appdb::Connection&, const migrations::Table&, const std::string& condition = {});
appdb::RawType raw_type(migrations::Type);
// Which rows there are, not what is in them.
Fingerprint row_fingerprint(appdb::Connection&, const migrations::Table&);

}  // namespace basalt::upgrade
