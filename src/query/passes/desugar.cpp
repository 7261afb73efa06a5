// Clauses that say something the plain ones can say: negations move inwards, `inside` and `time-interval` become comparisons.
#include "query/failures.h"
#include "query/passes/passes.h"

namespace basalt::query {
namespace {

Expression call(Function function, std::vector<Expression> arguments) { return {Call{function}, std::move(arguments)}; }

// The same reference in whole units; anything else is truncated.
Expression in_units(Expression e, TemporalUnit unit) {
  if (auto* field = std::get_if<FieldReference>(&e.node)) field->unit = unit;
  else if (auto* named = std::get_if<ExpressionReference>(&e.node)) named->unit = unit;
  else {
    Call truncate{Function::Truncate};
    truncate.unit = unit;
    e = {std::move(truncate), {std::move(e)}};
  }
  return e;
}

Expression relative(std::int64_t n, TemporalUnit unit) {
  Call made{Function::RelativeDateTime};
  made.unit = unit;
  return {std::move(made), {Expression{Literal{n}}}};
}

Expression time_interval(Expression e) {
  auto unit = *e.call()->unit;
  bool current = e.call()->include_current;
  auto n = e.arguments[1].literal() ? json::as_integer(e.arguments[1].literal()->value).value_or(0) : 0;
  auto x = in_units(std::move(e.arguments[0]), unit);
  std::int64_t from = n < 0 ? n : 1, to = n < 0 ? -1 : n;
  if (current) (n < 0 ? to : from) = 0;
  if (n == 0) from = to = 0;
  if (from == to) return call(Function::Equal, {std::move(x), relative(from, unit)});
  return call(Function::Between, {std::move(x), relative(from, unit), relative(to, unit)});
}

// The old way to say "the 7 days before a month ago": x + 1 month between 7 days ago and today.
bool shifted_interval(Expression& e) {
  auto& a = e.arguments;
  if (!a[0].is(Function::Add) || a[0].arguments.size() != 2 || !a[0].arguments[1].is(Function::Interval) || !a[1].is(Function::RelativeDateTime) || !a[2].is(Function::RelativeDateTime)) return false;
  auto number = [](const Expression& of) { return of.arguments[0].literal() ? json::as_integer(of.arguments[0].literal()->value).value_or(0) : 0; };
  auto from = number(a[1]), to = number(a[2]), shift = number(a[0].arguments[1]);
  auto unit = a[1].call()->unit, shift_unit = a[0].arguments[1].call()->unit;
  if (!unit || unit != a[2].call()->unit || !shift_unit || (from == 0) == (to == 0) || from > to) return false;
  Call made{Function::RelativeTimeInterval};
  made.unit = unit;
  made.mode = std::string(name_of(*shift_unit));
  auto x = std::move(a[0].arguments[0]);
  e = {std::move(made), {std::move(x), Expression{Literal{from != 0 ? from : to}}, Expression{Literal{-shift}}}};
  return true;
}

constexpr std::size_t most_repeated = 2'000;  // nodes of what a negation writes twice

std::size_t nodes(const Expression& e) {
  std::size_t n = 1;
  for (auto& argument : e.arguments) n += nodes(argument);
  return n;
}

// What comes out holds the argument twice: negations inside each other would double it each time.
const Expression& repeated(const Expression& e) {
  if (nodes(e) > most_repeated) invalid_query("The query grows too large: negations inside each other multiply.");
  return e;
}

Expression negated(Expression e) {
  auto* c = e.call();
  if (!c) return call(Function::Not, {std::move(e)});
  auto flipped = [&](Function function) {
    c->function = function;
    return std::move(e);
  };
  switch (c->function) {
    case Function::And:
    case Function::Or:
      c->function = c->function == Function::And ? Function::Or : Function::And;
      for (auto& part : e.arguments) part = negated(std::move(part));
      return e;
    case Function::Not: return std::move(e.arguments[0]);
    case Function::Equal: return flipped(Function::NotEqual);
    case Function::NotEqual: return flipped(Function::Equal);
    case Function::Less: return flipped(Function::GreaterEqual);
    case Function::GreaterEqual: return flipped(Function::Less);
    case Function::Greater: return flipped(Function::LessEqual);
    case Function::LessEqual: return flipped(Function::Greater);
    case Function::IsNull: return flipped(Function::NotNull);
    case Function::NotNull: return flipped(Function::IsNull);
    case Function::IsEmpty: return flipped(Function::NotEmpty);
    case Function::NotEmpty: return flipped(Function::IsEmpty);
    case Function::Contains: return flipped(Function::DoesNotContain);
    case Function::DoesNotContain: return flipped(Function::Contains);
    case Function::Between:
      return call(Function::Or, {call(Function::Less, {repeated(e.arguments[0]), e.arguments[1]}), call(Function::Greater, {e.arguments[0], e.arguments[2]})});
    case Function::StartsWith:
    case Function::EndsWith: {
      // Rows without a text do not start with it either.
      auto missing = call(Function::IsNull, {repeated(e.arguments[0])});
      return call(Function::Or, {call(Function::Not, {std::move(e)}), std::move(missing)});
    }
    default: return call(Function::Not, {std::move(e)});
  }
}

}  // namespace

void desugar_clause(Expression& e) {
  for (auto& argument : e.arguments) desugar_clause(argument);
  if (e.is(Function::Inside)) {
    // latitude, longitude, north, west, south, east
    auto& a = e.arguments;
    e = call(Function::And, {call(Function::Between, {a[0], a[4], a[2]}), call(Function::Between, {a[1], a[3], a[5]})});
  } else if (e.is(Function::Between) && shifted_interval(e)) {
    return;
  } else if (e.is(Function::TimeInterval)) {
    e = time_interval(std::move(e));
  } else if (e.is(Function::Not)) {
    auto inner = std::move(e.arguments[0]);
    e = negated(std::move(inner));
  }
}

Query desugar(Query query, const PassContext&) {
  auto each = [](std::vector<Expression>& clauses) { for (auto& clause : clauses) desugar_clause(clause); };
  each_stages(query.stages, [&](std::vector<Stage>& stages) {
    for (auto& stage : stages) {
      for (auto& join : stage.joins)
        if (join.condition) desugar_clause(*join.condition);
      for (auto& named : stage.expressions) desugar_clause(named.expression);
      for (auto& named : stage.windows) desugar_clause(named.expression);
      if (stage.filter) desugar_clause(*stage.filter);
      each(stage.aggregations);
      each(stage.breakouts);
      for (auto& ordering : stage.order_by) desugar_clause(ordering.by);
    }
  });
  return query;
}

}  // namespace basalt::query
