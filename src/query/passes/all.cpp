#include "query/passes/passes.h"

namespace basalt::query {
namespace {

constexpr Pass passes[] = {
    {"source_cards", source_cards, "first: what cards hold has to go through everything below"},
    {"metrics", metrics, "after the cards, because a metric may stand in an opened card; its filters join the stage's"},
    {"segments", segments, "after the metrics, whose filters may use segments"},
    {"parameters", parameters, "once the stages they name are all there; the filters they add are sugar"},
    {"comparisons", comparisons, "after the parameters, whose filters hold for the earlier period too; it makes a stage more, and sugar"},
    {"desugar", desugar, "after all that adds filters, so that the resolver sees only plain clauses"},
    {"limits", limits, "last: only the finished last stage shows whether it is grouped"},
};

void each_in(Expression& e, const std::function<void(Expression&)>& visit) {
  visit(e);
  for (auto& argument : e.arguments) each_in(argument, visit);
}

}  // namespace

std::span<const Pass> all_passes() { return passes; }

void each_clause(Stage& stage, const std::function<void(Expression&)>& visit) {
  for (auto& join : stage.joins) {
    if (join.condition) each_in(*join.condition, visit);
    for (auto& field : join.listed) each_in(field, visit);
  }
  for (auto& named : stage.expressions) each_in(named.expression, visit);
  for (auto& named : stage.windows) each_in(named.expression, visit);
  if (stage.filter) each_in(*stage.filter, visit);
  for (auto& aggregation : stage.aggregations) each_in(aggregation, visit);
  for (auto& breakout : stage.breakouts) each_in(breakout, visit);
  if (stage.fields)
    for (auto& field : *stage.fields) each_in(field, visit);
  for (auto& ordering : stage.order_by) each_in(ordering.by, visit);
  if (stage.compare) each_in(stage.compare->field, visit);
}

void each_stages(std::vector<Stage>& stages, const std::function<void(std::vector<Stage>&)>& visit) {
  for (auto& stage : stages) {
    for (auto& appended : stage.append) each_stages(appended.stages, visit);
    for (auto& join : stage.joins) each_stages(join.stages, visit);
  }
  visit(stages);
}

}  // namespace basalt::query
