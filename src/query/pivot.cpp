// Pivot queries: the groups themselves and the subtotals that a pivot table shows, in one answer. Each combination of breakouts
// is a SELECT of its own; what is rolled up is null there, and `pivot-grouping` has the bits of the breakouts that are.
#include <algorithm>

#include "query/resolver.h"

namespace basalt::query {
namespace {

constexpr std::size_t most_breakouts = 12, most_combinations = 64;

// Kept breakouts as bits, all of them first.
std::vector<std::uint32_t> combinations(const PivotOptions& pivot, std::size_t count) {
  std::uint32_t everything = (1u << count) - 1;
  std::vector<std::uint32_t> result{everything};
  auto add = [&](std::uint32_t kept) {
    if (std::find(result.begin(), result.end(), kept) == result.end()) result.push_back(kept);
  };
  if (!pivot.known) {
    for (std::uint32_t kept = everything; kept-- > 0;) add(kept);
    return result;
  }
  std::uint32_t columns = 0;
  for (auto i : pivot.columns) columns |= 1u << i;
  std::vector<std::uint32_t> rows{0};  // the first 0, 1, 2… rows
  for (auto i : pivot.rows) rows.push_back(rows.back() | 1u << i);
  if (pivot.column_totals)
    for (std::size_t k = 1; k + 1 < rows.size(); ++k) add(rows[k] | columns);
  if (pivot.row_totals) add(rows.back());
  if (pivot.row_totals && pivot.column_totals)
    for (std::size_t k = 1; k + 1 < rows.size(); ++k) add(rows[k]);
  if (pivot.column_totals) add(columns);
  if (pivot.row_totals && pivot.column_totals) add(0);
  return result;
}

}  // namespace

Resolver::StageResult Resolver::pivot(const std::vector<Stage>& all, const PivotOptions& pivot) {
  auto& last = all.back();
  auto count = last.breakouts.size();
  if (last.aggregations.empty() || count == 0) invalid_query("A pivot table needs aggregations and breakouts.", "query");
  if (count > most_breakouts) invalid_query("A pivot table has at most " + std::to_string(most_breakouts) + " breakouts.", "query.breakout");
  for (auto* side : {&pivot.rows, &pivot.columns})
    for (auto i : *side)
      if (i >= count) invalid_query("There is no breakout " + std::to_string(i) + " for the pivot table; they are counted from 0.", "pivot_rows");
  auto kept_bits = combinations(pivot, count);
  if (kept_bits.size() > most_combinations) invalid_query("These are " + std::to_string(kept_bits.size()) + " kinds of subtotals, more than the " + std::to_string(most_combinations) + " that are allowed; say which breakouts are rows and columns.", "pivot_rows");
  // By the bits of what is rolled up: the groups themselves come first.
  auto everything = kept_bits[0];
  std::sort(kept_bits.begin(), kept_bits.end(), [&](auto a, auto b) { return (everything & ~a) < (everything & ~b); });

  StageResult base;
  std::vector<ResolvedOrdering> order;
  std::vector<std::string> names;
  auto together = std::make_shared<ResolvedUnion>();
  for (auto kept : kept_bits) {
    auto stages = all;
    auto& stage = stages.back();
    stage.limit.reset();
    stage.page.reset();
    if (kept != everything) {
      stage.breakouts.clear();
      for (std::size_t i = 0; i < count; ++i)
        if (kept & 1u << i) stage.breakouts.push_back(last.breakouts[i]);
      std::erase_if(stage.order_by, [](const Ordering& ordering) { return !std::holds_alternative<AggregationReference>(ordering.by.node); });
    }
    auto resolved = this->stages(stages, stages.size(), Position::Inner, "query");
    auto part = std::make_shared<ResolvedStage>(*resolved.stage);
    if (kept == everything) {
      order = part->order_by;
      base = resolved;
      base.columns = std::move(base.relation.columns);
      names = base.relation.sql_names;
      names.insert(names.begin() + static_cast<std::ptrdiff_t>(count), "pivot-grouping");
    }
    part->order_by.clear();
    auto own = std::move(part->outputs);
    part->outputs.clear();
    part->group_by.clear();
    std::size_t next = 0;
    for (std::size_t i = 0; i < count; ++i) {
      bool is_kept = kept & 1u << i;
      if (is_kept) part->group_by.push_back(part->outputs.size());
      part->outputs.push_back(is_kept ? std::move(own[next++]) : Output{Expression{Literal{nullptr}}, {}});
    }
    part->outputs.push_back({Expression{Literal{static_cast<std::int64_t>(everything & ~kept)}}, {}});
    while (next < own.size()) part->outputs.push_back(std::move(own[next++]));
    for (std::size_t i = 0; i < part->outputs.size(); ++i) part->outputs[i].name = names[i];
    together->parts.push_back(std::move(part));
    if (together->parts.size() > 1) together->distinct.push_back(false);
  }

  ResultColumn grouping;
  grouping.name = grouping.display_name = grouping.expression_name = "pivot-grouping";
  grouping.base_type = grouping.effective_type = "type/Integer";
  grouping.source = "breakout";
  grouping.field_ref = json::array{"expression", "pivot-grouping"};
  base.columns.insert(base.columns.begin() + static_cast<std::ptrdiff_t>(count), std::move(grouping));
  auto outer = std::make_shared<ResolvedStage>();
  for (std::size_t i = 0; i < names.size(); ++i) outer->outputs.push_back({Expression{Column{"", names[i], base.columns[i].effective_type}}, names[i]});
  outer->order_by.push_back({Direction::Ascending, count, {}});
  for (auto& ordering : order)
    if (ordering.output) outer->order_by.push_back({ordering.direction, *ordering.output + (*ordering.output >= count ? 1 : 0), {}});
  outer->alias = "source";
  outer->grouped = true;
  outer->limit = last.limit;
  if (last.page) {
    outer->limit = std::min(last.page->second, last.limit.value_or(last.page->second));
    outer->offset = (last.page->first - 1) * last.page->second;
  }
  outer->source = std::shared_ptr<const ResolvedUnion>(std::move(together));
  base.stage = std::move(outer);
  return base;
}

}  // namespace basalt::query
