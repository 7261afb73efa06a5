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
    case Function::Offset:
    case Function::InPeriod: restrict_aggregation(e.arguments[0], filter); return;
    default:
      if (!e.arguments.empty()) e.arguments[0] = only(std::move(e.arguments[0]));
  }
}

namespace {

bool names_metric(const Expression& e) { return e.is(Function::Metric) || e.is(Function::Measure) || std::any_of(e.arguments.begin(), e.arguments.end(), names_metric); }

class Expander {
 public:
  Expander(Stage& stage, const PassContext& context) : stage_(stage), context_(context) {}

  void run() {
    auto any = [](auto& clauses, auto&& of) { return std::any_of(clauses.begin(), clauses.end(), [&](auto& each) { return names_metric(of(each)); }); };
    if (!any(stage_.aggregations, [](auto& e) -> auto& { return e; }) && !any(stage_.order_by, [](auto& o) -> auto& { return o.by; }) && !any(stage_.windows, [](auto& w) -> auto& { return w.expression; })) return;
    auto as_asked = stage_;
    expand_all();
    if (occurrences_.empty()) return;
    // One filter for all that is computed: the stage's, which the database applies once (and an index may serve).
    bool same_for_all = !plain_ && std::all_of(occurrences_.begin(), occurrences_.end(), [&](auto& each) {
      return each.size() == occurrences_[0].size() && std::equal(each.begin(), each.end(), occurrences_[0].begin(), same_clause);
    });
    if (!same_for_all || occurrences_[0].empty()) return;
    stage_ = std::move(as_asked);
    occurrences_.clear();
    in_place_ = false;
    expand_all();
    for (auto& filter : occurrences_[0]) stage_.filter = stage_.filter ? both(*stage_.filter, filter) : filter;
  }

 private:
  static bool same_clause(const Expression& a, const Expression& b) { return same(a, b); }

  void expand_all() {
    for (auto& aggregation : stage_.aggregations) expand(aggregation, 0);
    bool plain = plain_;
    auto occurrences = occurrences_;
    for (auto& ordering : stage_.order_by) expand(ordering.by, 0);  // means what stands above already
    for (auto& window : stage_.windows) expand(window.expression, 0);
    if (!stage_.aggregations.empty()) {
      plain_ = plain;
      occurrences_ = std::move(occurrences);
    }
  }

  // Its filters: into the aggregation itself, or kept for the whole stage.
  void restrict(Expression& aggregation, std::vector<Expression> filters, int depth) {
    if (depth > 0 || in_place_)
      for (auto& filter : filters) restrict_aggregation(aggregation, filter);
    if (depth == 0) occurrences_.push_back(std::move(filters));
  }

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
    if (!e.is(Function::Metric) && !e.is(Function::Measure)) {
      auto* call = e.call();
      plain_ = plain_ || (depth == 0 && call && info(call->function).group == Group::Aggregation && call->function != Function::InPeriod && call->function != Function::Offset);
      return;
    }
    if (depth > deepest) invalid_query("Metrics are built on metrics too deeply.");
    if (e.is(Function::Measure)) {
      auto saved = saved_clause(e, context_.catalog);
      auto* own = std::get_if<TableSource>(&stage_.source);
      auto* its = std::get_if<TableSource>(&saved.stage.source);
      if (own && its && own->table != its->table) invalid_query("The measure \"" + saved.name + "\" is about another table.");
      auto aggregation = std::move(saved.stage.aggregations[0]);
      expand(aggregation, depth + 1);
      std::vector<Expression> filters;
      if (saved.stage.filter) filters.push_back(std::move(*saved.stage.filter));
      restrict(aggregation, std::move(filters), depth);
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
    std::vector<Expression> filters;
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
      if (last.filter) filters.push_back(std::move(*last.filter));
    }
    expand(aggregation, depth + 1);
    restrict(aggregation, std::move(filters), depth);
    named(e, std::move(aggregation), card->name);
  }

  Stage& stage_;
  const PassContext& context_;
  std::vector<std::vector<Expression>> occurrences_;  // the filters of each metric of the stage
  bool plain_ = false;                                // something else is computed, too
  bool in_place_ = true;
};

}  // namespace

Query metrics(Query query, const PassContext& context) {
  each_stages(query.stages, [&](std::vector<Stage>& stages) {
    for (auto& stage : stages) Expander(stage, context).run();
  });
  return query;
}

}  // namespace basalt::query
