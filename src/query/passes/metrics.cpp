// ["metric", id] becomes the aggregation of that card, named after it; its filter joins the stage's.
#include "query/failures.h"
#include "query/parse.h"
#include "query/passes/passes.h"

namespace basalt::query {
namespace {

constexpr int deepest = 10;  // metrics built on metrics

bool expand(Expression& e, Stage& stage, const PassContext& context, int depth) {
  bool found = false;
  for (auto& argument : e.arguments) found |= expand(argument, stage, context, depth);
  if (!e.is(Function::Metric)) return found;
  if (depth > deepest) invalid_query("Metrics are built on metrics too deeply.");
  auto id = CardId(json::as_integer(e.arguments[0].literal()->value).value_or(0));
  auto* card = context.catalog.card(id);
  if (!card || card->kind != "metric") throw Failure(FailureKind::NotFound, "Metric " + std::to_string(id.value) + " does not exist.").with_error_type("invalid-query");
  auto query = parse_query(card->dataset_query);
  auto& last = query.stages.back();
  if (last.aggregations.size() != 1) invalid_query("The metric \"" + card->name + "\" needs exactly one aggregation.");
  bool as_source = stage.from_card == id;
  if (!as_source) {
    auto* own = std::get_if<TableSource>(&stage.source);
    auto* its = std::get_if<TableSource>(&last.source);
    if (query.stages.size() != 1 || !last.joins.empty() || !last.expressions.empty() || !own || !its || own->table != its->table)
      unsupported("The metric \"" + card->name + "\" can only be used with itself as the source of the query.");
  }
  auto aggregation = std::move(last.aggregations[0]);
  expand(aggregation, stage, context, depth + 1);
  auto* names = e.call();
  std::string title = names->display_name.empty() ? card->name : names->display_name, name = names->name;
  if (!aggregation.call()) aggregation = Expression{Call{Function::Coalesce}, {std::move(aggregation)}};
  aggregation.call()->display_name = std::move(title);
  if (!name.empty()) aggregation.call()->name = std::move(name);
  e = std::move(aggregation);
  if (!as_source && last.filter) {
    if (stage.filter) stage.filter = Expression{Call{Function::And}, {std::move(*stage.filter), std::move(*last.filter)}};
    else stage.filter = std::move(last.filter);
  }
  return true;
}

}  // namespace

Query metrics(Query query, const PassContext& context) {
  each_stages(query.stages, [&](std::vector<Stage>& stages) {
    for (auto& stage : stages)
      for (auto& aggregation : stage.aggregations) expand(aggregation, stage, context, 0);
  });
  return query;
}

}  // namespace basalt::query
