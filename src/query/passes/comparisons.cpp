// `compare`: each aggregation beside its value in an earlier period, and the change between the two as a fraction. Where the
// stage groups by that very date, its rows meet those of the earlier period by a join (gaps stay gaps); else the aggregations
// count the current period and the earlier one. To date: only as far into each period as now is into the current one.
#include <algorithm>
#include <set>

#include "query/failures.h"
#include "query/passes/passes.h"
#include "query/types.h"

namespace basalt::query {
namespace {

constexpr int most_comparisons = 4;  // each can double the query

Expression call(Function function, std::vector<Expression> arguments) { return {Call{function}, std::move(arguments)}; }
Expression column(const std::string& name, const std::string& join = {}) {
  FieldReference reference{name};
  reference.join_alias = join;
  return {std::move(reference)};
}
Expression change_of(const Expression& now, const Expression& before) { return call(Function::Divide, {call(Function::Subtract, {now, before}), before}); }

bool same_date(const Expression& breakout, const Expression& field) {
  if (auto* b = std::get_if<FieldReference>(&breakout.node)) {
    auto* f = std::get_if<FieldReference>(&field.node);
    return f && b->field == f->field && b->join_alias == f->join_alias && b->source_field == f->source_field && b->unit && is_truncating(*b->unit);
  }
  auto *b = std::get_if<ExpressionReference>(&breakout.node), *f = std::get_if<ExpressionReference>(&field.node);
  return b && f && b->name == f->name && b->unit && is_truncating(*b->unit);
}

// Names for the columns of aggregations, that the next stage can say.
std::vector<std::string> name_all(std::vector<Expression>& aggregations) {
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (auto& aggregation : aggregations) {
    if (!aggregation.call()) aggregation = call(Function::Coalesce, {std::move(aggregation)});
    auto& called = *aggregation.call();
    std::string base = column_name(called), name = base;
    for (int n = 2; !taken.insert(name).second; ++n) name = base + "_" + std::to_string(n);
    called.name = name;
    names.push_back(name);
  }
  return names;
}

void by_periods(Stage& stage, const Comparison& compare) {
  auto names = name_all(stage.aggregations);
  std::vector<Expression> all;
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto period = [&](std::int64_t n, const std::string& suffix) {
      Call made{Function::InPeriod};
      made.unit = compare.unit;
      made.include_current = compare.to_date;
      made.name = names[i] + suffix;
      return Expression{std::move(made), {stage.aggregations[i], compare.field, Expression{Literal{n}}}};
    };
    auto now = period(0, ""), before = period(-compare.periods, "_previous");
    auto change = change_of(now, before);
    change.call()->name = names[i] + "_change";
    for (auto* each : {&now, &before, &change}) all.push_back(std::move(*each));
  }
  // Orders by an aggregation mean its current value.
  for (auto& ordering : stage.order_by)
    if (auto* reference = std::get_if<AggregationReference>(&ordering.by.node)) reference->index *= 3;
  stage.aggregations = std::move(all);
}

// The breakout `at` holds the date. The stage becomes two.
void by_rows(std::vector<Stage>& stages, std::size_t index, std::size_t at, const Comparison& compare) {
  Stage& grouped = stages[index];
  if (compare.to_date) {
    Call made{Function::SamePoint};
    made.unit = compare.unit;
    Expression point{std::move(made), {compare.field}};
    grouped.filter = grouped.filter ? call(Function::And, {std::move(*grouped.filter), std::move(point)}) : std::move(point);
  }
  auto names = name_all(grouped.aggregations);
  Stage shown;
  shown.order_by = std::move(grouped.order_by);
  shown.limit = std::exchange(grouped.limit, std::nullopt);
  shown.page = std::exchange(grouped.page, std::nullopt);
  shown.windows = std::move(grouped.windows);
  grouped.order_by.clear();
  grouped.windows.clear();

  Join join;
  join.stages.assign(stages.begin(), stages.begin() + static_cast<std::ptrdiff_t>(index) + 1);
  join.alias = "previous";
  std::vector<Expression> conditions, fields;
  for (std::size_t i = 0; i < grouped.breakouts.size(); ++i) {
    // The value is made: the next stage takes it as it stands.
    auto here = grouped.breakouts[i];
    if (auto* named = std::get_if<ExpressionReference>(&here.node)) here = column(named->name);
    auto* reference = std::get_if<FieldReference>(&here.node);
    if (!reference) invalid_query("`compare` needs breakouts that are columns or expressions.");
    auto unit = reference->unit;
    if (reference->unit && is_truncating(*reference->unit)) reference->unit.reset();
    reference->binning.reset();
    auto there = here;
    auto& other = std::get<FieldReference>(there.node);
    other.join_alias = "previous";
    other.source_field.reset();
    other.source_field_name.clear();
    fields.push_back(here);
    if (i == at) {
      Call add{Function::DateTimeAdd};
      add.unit = compare.unit;
      Call whole{Function::Truncate};
      whole.unit = *unit;
      Expression moved{std::move(add), {std::move(there), Expression{Literal{compare.periods}}}};
      conditions.push_back(call(Function::Equal, {here, Expression{std::move(whole), {std::move(moved)}}}));
    } else {
      auto both_null = call(Function::And, {call(Function::IsNull, {here}), call(Function::IsNull, {there})});
      conditions.push_back(call(Function::Or, {call(Function::Equal, {here, there}), std::move(both_null)}));
    }
  }
  join.condition = conditions.size() == 1 ? std::move(conditions[0]) : call(Function::And, std::move(conditions));
  shown.joins.push_back(std::move(join));
  for (auto& name : names) {
    auto now = column(name), before = column(name, "previous");
    shown.expressions.push_back({name + "_previous", before});
    shown.expressions.push_back({name + "_change", change_of(now, before)});
    fields.push_back(now);
    fields.push_back({ExpressionReference{name + "_previous"}});
    fields.push_back({ExpressionReference{name + "_change"}});
  }
  for (auto& ordering : shown.order_by) {
    if (auto* reference = std::get_if<AggregationReference>(&ordering.by.node)) ordering.by = column(names.at(std::min(reference->index, names.size() - 1)));
    else if (auto* field = std::get_if<FieldReference>(&ordering.by.node); field && field->unit && is_truncating(*field->unit)) field->unit.reset();
  }
  // As a stage that groups: by its groups, in their order.
  for (std::size_t i = 0; i < grouped.breakouts.size(); ++i)
    if (std::none_of(shown.order_by.begin(), shown.order_by.end(), [&](const Ordering& o) { return same(o.by, fields[i]); })) shown.order_by.push_back({Direction::Ascending, fields[i]});
  shown.fields = std::move(fields);
  stages.insert(stages.begin() + static_cast<std::ptrdiff_t>(index) + 1, std::move(shown));
}

}  // namespace

Query comparisons(Query query, const PassContext&) {
  int made = 0;
  each_stages(query.stages, [&](std::vector<Stage>& stages) {
    for (std::size_t i = 0; i < stages.size(); ++i) {
      if (!stages[i].compare) continue;
      if (++made > most_comparisons) invalid_query("A query compares with earlier periods at most " + std::to_string(most_comparisons) + " times.");
      auto compare = std::move(*stages[i].compare);
      stages[i].compare.reset();
      if (stages[i].aggregations.empty()) invalid_query("`compare` needs something to compare: the stage has no aggregation.");
      std::size_t at = 0;
      while (at < stages[i].breakouts.size() && !same_date(stages[i].breakouts[at], compare.field)) ++at;
      if (at < stages[i].breakouts.size()) by_rows(stages, i++, at, compare);
      else by_periods(stages[i], compare);
    }
  });
  return query;
}

}  // namespace basalt::query
