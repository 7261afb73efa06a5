#include "migrations/next/all_next.h"

#include <cstdlib>
#include <string_view>

#include "migrations/all.h"

namespace basalt::migrations {

std::vector<Migration> all_next() {
  auto out = all();
  std::string_view bench = std::getenv("BASALT_NEXT_BENCH") ? std::getenv("BASALT_NEXT_BENCH") : "";
  if (!bench.empty()) {
    out.push_back(bench == "worst" ? bench_worst_mix() : bench_additive());
    return out;
  }
  out.push_back(m0002_add_card_audience());
  out.push_back(m0003_allow_snippets_of_one_name());
  out.push_back(m0004_nest_card_notes());
  return out;
}

}  // namespace basalt::migrations
