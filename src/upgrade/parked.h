// Parked values a page at a time, and the way back after one was put back. upgrade.h has what commands need.
#pragma once
#include "upgrade/upgrade.h"

namespace basalt::upgrade {

struct ParkedFilter {
  std::string table, state;  // empty: all tables; parked, superseded and orphan
  std::size_t limit = 50, offset = 0;
};
struct ParkedPage {
  std::vector<ParkedValue> values;  // by id
  std::int64_t total = 0;           // that match, on all pages
};
// Empty when the data has no place for parked values yet. Failure BadRequest for a state that is none.
ParkedPage parked_page(appdb::Connection&, const ParkedFilter&);

// Takes parked_take() back: what it wrote over is there again, and the value is parked as before. Failure Conflict when the
// value was not put back, or when somebody changed its place since.
ParkedValue parked_untake(Context&, std::int64_t id);

}  // namespace basalt::upgrade
