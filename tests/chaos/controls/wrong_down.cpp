// A build whose way down forgets one of the values that have no place.
#include "base/json.h"
#include "migrations/execute.h"

namespace basalt::migrations {

using appdb::Parameter;
using appdb::Parameters;

void Executor::park(const std::string& table, const std::string& column, Direction direction, std::vector<Park> parks) {
  if (!parks.empty()) parks.pop_back();
  std::vector<Parameters> rows;
  for (auto& p : parks) {
    ++(p.state == "orphan" ? counters_.orphaned : counters_.parked);
    rows.push_back({migration_, number_, direction == Direction::Up ? "up" : "down", table, column.empty() ? Parameter(nullptr) : Parameter(column), p.row_uid, json::write(p.value), json::write(p.shown),
                    p.state, now_, run_});
  }
  if (!rows.empty()) connection_.insert_rows("upgrade_park", {"migration", "operation", "direction", "table_name", "column_name", "parked_row", "value", "shown", "state", "parked_at", "run"}, rows);
}

}  // namespace basalt::migrations
