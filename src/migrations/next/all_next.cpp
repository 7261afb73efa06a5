#include "migrations/next/all_next.h"

#include "migrations/all.h"

namespace basalt::migrations {

std::vector<Migration> all_next() {
  auto out = all();
  out.push_back(m0002_add_card_audience());
  out.push_back(m0003_allow_snippets_of_one_name());
  out.push_back(m0004_nest_card_notes());
  return out;
}

}  // namespace basalt::migrations
