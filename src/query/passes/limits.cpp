// Row caps: a list of rows never asks the database for more than the cap and one row, which tells that there was more.
#include <algorithm>

#include "query/passes/passes.h"

namespace basalt::query {

std::int64_t row_cap(const Query& query, const ResolveOptions& options) {
  auto own = [&](std::string_view key, std::int64_t cap) {
    auto asked = json::integer(query.constraints, key);
    if (!asked || *asked <= 0) return cap;
    return cap > 0 ? std::min(cap, *asked) : *asked;
  };
  auto all = own("max-results", options.max_results), bare = own("max-results-bare-rows", options.max_results_bare);
  if (query.stages.back().grouped()) return all;
  if (bare > 0 && all > 0) return std::min(bare, all);
  return bare > 0 ? bare : all;
}

Query limits(Query query, const PassContext& context) {
  auto& last = query.stages.back();
  auto cap = row_cap(query, context.options);
  if (cap <= 0 || query.is_native()) return query;
  if (last.page) return query;
  // Groups are cut while reading: their LIMIT would hide that the database counted all the same.
  if (!last.grouped() || last.limit) {
    auto limit = last.limit.value_or(cap + 1);
    last.limit = std::min(limit, cap + 1);
  }
  return query;
}

}  // namespace basalt::query
