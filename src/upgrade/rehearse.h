// The rehearsal: the copy that verified the backup is really migrated, before anything is changed. It gives the time and the
// result to expect. And the checks that compare what happens to the data itself with it. Internal to this folder.
#pragma once
#include <map>

#include "upgrade/backup.h"
#include "upgrade/run_parts.h"

namespace basalt::upgrade {

// What one unit did to the tables that it touches and whose rows stay the same ones: content before and after.
struct Result { Fingerprint before, after; };

struct Expectation {
  std::vector<double> seconds;                         // of each unit
  std::vector<std::map<std::string, Result>> results;  // of each unit, by the table's name before it; only where the same comes out each time
  double total() const;
};

// SQLite: migrates `made.restored`. PostgreSQL: loads the touched tables and what they refer to into a schema of their own
// beside the data, within a transaction that is rolled back; without the right to make a schema, as SQLite. Checks everything:
// untouched tables are untouched, rows are neither lost nor made, references hold, the file is sound. Failure Bug, error type
// "verification-failed".
Expectation rehearse(Context&, Attempt&, const MadeBackup&, const Job&);

// Checks the same change on the data itself, reading little: made before a unit in its transaction, asked after it.
class UnitCheck {
 public:
  // `expected`: of this unit in the rehearsal. Tables above `live_rows` are only counted.
  UnitCheck(appdb::Connection&, const Ledger&, const Unit&, const std::map<std::string, Result>& expected);
  // Failure Bug, error type "verification-failed", when the result differs from the rehearsal's though the beginning was the same,
  // or when rows were lost or made.
  void require_expected(const Ledger& after) const;
  std::int64_t rows() const;  // of the tables that are touched and keep their rows

 private:
  appdb::Connection& connection_;
  const std::map<std::string, Result>& expected_;
  std::map<std::string, std::int64_t> rows_;      // of tables that keep their rows
  std::map<std::string, Fingerprint> before_;     // of tables small enough
};

// SQLite: nothing beside the way changed either. Counts all tables, compares small ones, within the transaction of the change.
class WholeCheck {
 public:
  WholeCheck(appdb::Connection&, const Ledger&, const Way&);
  void require_untouched(const Ledger& after) const;

 private:
  std::int64_t broken() const;

  appdb::Connection& connection_;
  Touched touched_;
  std::map<std::string, std::int64_t> rows_;
  std::map<std::string, Fingerprint> small_;
  std::vector<std::string> references_;  // tables whose references may break
  std::int64_t broken_before_ = 0;
};

inline constexpr std::int64_t live_rows = 50'000;

Touched touched_by(const Unit&);

}  // namespace basalt::upgrade
