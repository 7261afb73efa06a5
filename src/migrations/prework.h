// What takes long and can be done while everybody reads and writes: before the short transaction that makes a change, and
// after it. PostgreSQL only; SQLite changes a copy, there is nothing to spare.
#pragma once
#include <chrono>

#include "migrations/execute.h"

namespace basalt::migrations {

// An operation that is still to be run, prepared, with its place.
struct Planned {
  int migration = 0, number = 0;
  Operation operation;
};

struct Prework {
  // Asked between batches; false: stop here. Where it stopped is stored (table upgrade_backfill), the next call goes on there.
  std::function<bool()> go_on;
  // "index name of snippet", rows done, rows in all (0 of 0 where only the server knows).
  std::function<void(const std::string& what, std::int64_t done, std::int64_t total)> tell;
  std::chrono::milliseconds batch{100};  // how long one transaction may take
};

// Before. `connection` is in no transaction, and nobody has paused the writers (an index made concurrently waits for them).
// `now` is the structure as it is, `coming` what will be run, in the order of the list; what hangs on something that is not
// done yet is left to the change itself. Indexes are made concurrently (an invalid left-over is dropped first), documents are
// reshaped into a side table. The Executor finds both and does the rest. True when all was done, false when told to stop.
bool prework(appdb::Connection&, const Structure& now, const std::vector<Planned>& coming, const Prework& = {});

// After, when the Executor was told to leave_slow_work(): validates rules that were added unchecked, makes required what is
// proved to be filled, makes the indexes that were put off. `now` is the structure as it is. Can be called again at any time.
bool postwork(appdb::Connection&, const Structure& now, const Prework& = {});
bool postwork_due(appdb::Connection&);

// Removes what preworks left behind for operations that are not going to be run. Inside or outside a transaction.
void forget_prework(appdb::Connection&);

// Where documents of an operation are reshaped beforehand: "backfill_4_0".
std::string backfill_name(int migration, int number);
// Whether that table is there and was made for exactly this operation.
bool backfill_matches(appdb::Connection&, const ReshapeJson&, int migration, int number);

// Of an index with this name. Invalid: a concurrent making was cut off. Failure Conflict when it is there on other columns.
enum class IndexState { Absent, Invalid, Valid };
IndexState index_state(appdb::Connection&, const Table&, const Index&);

}  // namespace basalt::migrations
