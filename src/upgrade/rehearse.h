// The rehearsal: the copy that verified the backup is really migrated, before anything is changed. It gives the time and the
// result to expect. And the checks that compare what happens to the data itself with it. Internal to this folder.
#pragma once
#include <map>

#include "appdb/sqlite_connection.h"
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

// Checks the same change on the data itself, reading little: made before a unit in its transaction, asked after it. PostgreSQL
// counts by itself how many rows a transaction made, changed and took away in each table, so that there no table that the unit
// does not touch may have any of these, whatever its size, and none of its files may be new.
class UnitCheck {
 public:
  // `expected`: of this unit in the rehearsal. Tables above `live_rows` are only counted, and on PostgreSQL only those are read
  // whose rows the unit may change: keep others from writing to held() meanwhile.
  UnitCheck(appdb::Connection&, const Ledger&, const Unit&, const std::map<std::string, Result>& expected);
  // Failure Bug, error type "verification-failed", when the result differs from the rehearsal's though the beginning was the same,
  // or when rows were lost or made. `returned`: how many parked values the unit gave back.
  void require_expected(const Ledger& after, std::int64_t returned) const;
  std::int64_t rows() const;  // of the tables that are touched and keep their rows
  // Tables whose content must not change between the making of this and the unit's end.
  static std::set<std::string> held(appdb::Connection&, const Ledger&, const Unit&);

 private:
  // What PostgreSQL says of a table: the file it is stored in, whether this transaction changed its entry in the catalogue, and what this session did to its rows.
  struct Done {
    std::int64_t file = 0;
    bool by_us = false;
    std::int64_t made = 0, changed = 0, gone = 0, rows = 0;
  };
  static std::map<std::string, Done> done(appdb::Connection&);

  appdb::Connection& connection_;
  const std::map<std::string, Result>& expected_;
  Touched touched_;
  std::map<std::string, std::int64_t> rows_;      // of tables that keep their rows
  std::map<std::string, Done> done_;              // PostgreSQL: of all tables, at the beginning
  std::int64_t uncounted_ = 0;                    // rows, about, of the touched tables that are not read
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

// Runs `work` while SQLite refuses every statement, a trigger's too, that would write to a table of the data which the unit does
// not touch: what the counting and comparing of WholeCheck could miss. Failure as of UnitCheck.
void leaving_others_alone(appdb::SqliteConnection&, const Ledger&, const Unit&, const std::function<void()>& work);

inline constexpr std::int64_t live_rows = 50'000;

Touched touched_by(const Unit&);

}  // namespace basalt::upgrade
