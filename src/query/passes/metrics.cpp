// ["metric", id] becomes the aggregation of that card and ["measure", id] that of the measure, named after it. The filter of a
// metric joins the stage's when it holds for all that the stage computes; else it moves into the metric's own aggregation.
#include <algorithm>

#include "query/failures.h"
#include "query/parse.h"
#include "query/passes/passes.h"
#include "query/passes/saved_clauses.h"
#include "query/types.h"

namespace basalt::query {
namespace {

constexpr int deepest = 10;  // metrics built on metrics

Expression call(Function function, std::vector<Expression> arguments) { return {Call{function}, std::move(arguments)}; }
Expression both(const Expression& a, Expression b) { return call(Function::And, {a, std::move(b)}); }

}  // namespace

void restrict_aggregation(Expression& e, const Expression& filter) {
  auto* called = e.call();
  if (!called) return;
  if (info(called->function).group != Group::Aggregation) {
    for (auto& argument : e.arguments) restrict_aggregation(argument, filter);
    return;
  }
  auto only = [&](Expression value) { return call(Function::Case, {filter, std::move(value)}); };
  switch (called->function) {
    case Function::Count:
    case Function::CumulativeCount:
      if (e.arguments.empty()) e.arguments.push_back(Expression{Literal{1}});
      e.arguments[0] = only(std::move(e.arguments[0]));
      return;
    case Function::CountWhere: e.arguments[0] = both(filter, std::move(e.arguments[0])); return;
    case Function::SumWhere:
    case Function::DistinctWhere: e.arguments[1] = both(filter, std::move(e.arguments[1])); return;
    case Function::Share: {
      Call named = *called;
      named.function = Function::Divide;
      e = Expression{std::move(named), {call(Function::CountWhere, {both(filter, std::move(e.arguments[0]))}), call(Function::CountWhere, {filter})}};
      return;
    }
    case Function::Offset: restrict_aggregation(e.arguments[0], filter); return;
    default:
      if (!e.arguments.empty()) e.arguments[0] = only(std::move(e.arguments[0]));
  }
}

namespace {

class Expander {
 public:
  Expander(Stage& stage, const PassContext& context) : stage_(stage), context_(context) {}

  void run() {
    std::vector<std::size_t> with_metrics;
    std::vector<std::vector<Expression>> filters(stage_.aggregations.size());
    bool any = false;
    for (std::size_t i = 0; i < stage_.aggregations.size(); ++i) {
      filters_ = &filters[i];
      expand(stage_.aggregations[i], 0);
      any = any || !filters[i].empty();
    }
    for (auto& ordering : stage_.order_by) {
      std::vector<Expression> unused;
      filters_ = &unused;
      expand(ordering.by, 0);
    }
    if (!any) return;
    bool same = std::all_of(filters.begin(), filters.end(), [&](auto& each) { return each.size() == filters[0].size() && std::equal(each.begin(), each.end(), filters[0].begin(), same_clause); });
    if (same) {
      for (auto& filter : filters[0]) {
        if (stage_.filter) stage_.filter = both(*stage_.filter, std::move(filter));
        else stage_.filter = std::move(filter);
      }
      return;
    }
    for (std::size_t i = 0; i < filters.size(); ++i)
      for (auto& filter : filters[i]) restrict_aggregation(stage_.aggregations[i], filter);
  }

 private:
  static bool same_clause(const Expression& a, const Expression& b) { return same(a, b); }

  void named(Expression& e, Expression aggregation, const std::string& card_name) {
    auto* names = e.call();
    std::string title = names->display_name.empty() ? card_name : names->display_name, name = names->name;
    if (!aggregation.call()) aggregation = call(Function::Coalesce, {std::move(aggregation)});
    aggregation.call()->display_name = std::move(title);
    if (!name.empty()) aggregation.call()->name = std::move(name);
    e = std::move(aggregation);
  }

  void expand(Expression& e, int depth) {
    for (auto& argument : e.arguments) expand(argument, depth);
    if (!e.is(Function::Metric) && !e.is(Function::Measure)) return;
    if (depth > deepest) invalid_query("Metrics are built on metrics too deeply.");
    if (e.is(Function::Measure)) {
      auto saved = saved_clause(e, context_.catalog);
      auto* own = std::get_if<TableSource>(&stage_.source);
      auto* its = std::get_if<TableSource>(&saved.stage.source);
      if (own && its && own->table != its->table) invalid_query("The measure \"" + saved.name + "\" is about another table.");
      auto aggregation = std::move(saved.stage.aggregations[0]);
      expand(aggregation, depth + 1);
      if (saved.stage.filter) filters_->push_back(std::move(*saved.stage.filter));
      return named(e, std::move(aggregation), saved.name);
    }
    metric(e, depth);
  }

  void metric(Expression& e, int depth) {
    auto id = CardId(json::as_integer(e.arguments[0].literal()->value).value_or(0));
    auto* card = context_.catalog.card(id);
    if (!card || card->kind != "metric") throw Failure(FailureKind::NotFound, "Metric " + std::to_string(id.value) + " does not exist.").with_error_type("invalid-query");
    auto query = parse_query(card->dataset_query);
    auto& last = query.stages.back();
    if (last.aggregations.size() != 1) invalid_query("The metric \"" + card->name + "\" needs exactly one aggregation.");
    auto aggregation = std::move(last.aggregations[0]);
    // As the source of the stage everything else of it is there already.
    if (stage_.from_card != id) {
      auto* own = std::get_if<TableSource>(&stage_.source);
      auto* its = std::get_if<TableSource>(&last.source);
      auto* its_card = std::get_if<CardSource>(&last.source);
      bool same_source = (own && its && own->table == its->table) || (its_card && stage_.from_card == its_card->card);
      if (query.stages.size() != 1 || !same_source || !last.append.empty())
        invalid_query("The metric \"" + card->name + "\" is computed from another source than this query; use the metric itself as the source, or join it.");
      for (auto& join : last.joins) {
        auto known = std::find_if(stage_.joins.begin(), stage_.joins.end(), [&](const Join& j) { return j.alias == join.alias; });
        if (known == stage_.joins.end()) {
          join.fields = Join::Fields::None;
          stage_.joins.push_back(std::move(join));
        }
      }
      for (auto& expression : last.expressions) {
        auto known = std::find_if(stage_.expressions.begin(), stage_.expressions.end(), [&](const NamedExpression& x) { return x.name == expression.name; });
        if (known == stage_.expressions.end()) stage_.expressions.push_back(std::move(expression));
        else if (!same(known->expression, expression.expression)) invalid_query("The metric \"" + card->name + "\" has an expression called `" + expression.name + "`, and so has the query; rename one of them.");
      }
      if (last.filter) filters_->push_back(std::move(*last.filter));
    }
    expand(aggregation, depth + 1);
    named(e, std::move(aggregation), card->name);
  }

  Stage& stage_;
  const PassContext& context_;
  std::vector<Expression>* filters_ = nullptr;
};

}  // namespace

Query metrics(Query query, const PassContext& context) {
  each_stages(query.stages, [&](std::vector<Stage>& stages) {
    for (auto& stage : stages) Expander(stage, context).run();
  });
  return query;
}

}  // namespace basalt::query
