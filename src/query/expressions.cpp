// Clauses with arguments: types of literals, named expressions, dates relative to now, running totals.
#include <algorithm>

#include "query/passes/passes.h"
#include "query/resolver.h"

namespace basalt::query {
namespace {

constexpr std::size_t most_nodes = 20'000;  // expressions that use each other can multiply
constexpr int deepest_expression = 300;

std::int64_t literal_integer(const Expression& e) {
  auto* literal = e.literal();
  return literal ? json::as_integer(literal->value).value_or(0) : 0;
}

bool wants_time(Function function) {
  switch (function) {
    case Function::DateTimeAdd: case Function::DateTimeSubtract: case Function::TemporalExtract: case Function::ConvertTimezone: return true;
    default: return false;
  }
}

}  // namespace

void Resolver::spend(const Expression& e) {
  if (++nodes_ > most_nodes) invalid_query("The query grows too large: expressions that use each other multiply.");
  for (auto& argument : e.arguments) spend(argument);
}

const NamedExpression* Resolver::expression_called(const Scope& scope, const std::string& name) const {
  for (auto& candidate : scope.stage.expressions)
    if (candidate.name == name) return &candidate;
  return nullptr;
}

Expression Resolver::named_expression(Scope& scope, const ExpressionReference& reference) {
  auto* named = expression_called(scope, reference.name);
  if (!named) {
    // An expression of an earlier stage is a column here.
    FieldReference column{reference.name};
    column.unit = reference.unit;
    column.binning = reference.binning;
    column.base_type = reference.base_type;
    if (!scope.main.table)
      if (auto found = look_up(scope.main, "", column, nullptr)) return field_value(scope, column, *found);
    invalid_query("There is no expression called `" + reference.name + "` here.");
  }
  auto known = scope.expressions.find(reference.name);
  if (known == scope.expressions.end()) {
    auto& path = scope.expression_path;
    if (std::find(path.begin(), path.end(), reference.name) != path.end()) invalid_query("The expression `" + reference.name + "` uses itself.");
    path.push_back(reference.name);
    auto resolved = value(scope, named->expression);
    // A date written as text stays text: nobody said it is meant as a date.
    path.pop_back();
    known = scope.expressions.emplace(reference.name, std::move(resolved)).first;
  } else {
    spend(known->second);
  }
  Expression e = known->second;
  if (reference.unit) e = bucket(std::move(e), *reference.unit, reference.name);
  if (reference.binning) e = bin(scope, std::move(e), *reference.binning, nullptr, std::nullopt, nullptr, reference.name);
  return e;
}

// The aggregation over the rows of one period, counted from the current one; to date: up to the same point of it.
Expression Resolver::in_period(Scope& scope, const Expression& e) {
  auto& call = *e.call();
  Expression filter;
  if (call.include_current) {
    Call made{Function::ToDatePeriod};
    made.unit = call.unit;
    filter = {std::move(made), {e.arguments[1], e.arguments[2]}};
  } else {
    Call relative{Function::RelativeDateTime};
    relative.unit = call.unit;
    auto x = e.arguments[1];
    if (auto* field = std::get_if<FieldReference>(&x.node)) field->unit = call.unit;
    else if (auto* named = std::get_if<ExpressionReference>(&x.node)) named->unit = call.unit;
    filter = {Call{Function::Equal}, {std::move(x), Expression{std::move(relative), {e.arguments[2]}}}};
  }
  Expression aggregation = e.arguments[0];
  restrict_aggregation(aggregation, filter);
  return value(scope, aggregation);
}

Expression Resolver::value(Scope& scope, const Expression& e) {
  if (++nodes_ > most_nodes) invalid_query("The query grows too large: expressions that use each other multiply.");
  if (e.literal() || std::holds_alternative<Column>(e.node)) return e;
  if (auto* field = std::get_if<FieldReference>(&e.node)) return field_value(scope, *field, find(scope, *field));
  if (auto* reference = std::get_if<ExpressionReference>(&e.node)) return named_expression(scope, *reference);
  if (auto* reference = std::get_if<AggregationReference>(&e.node)) {
    if (reference->index >= scope.aggregations.size())
      invalid_query("Aggregation " + std::to_string(reference->index) + " does not exist here; there are " + std::to_string(scope.aggregations.size()) + ".");
    spend(scope.aggregations[reference->index]);
    return scope.aggregations[reference->index];
  }
  struct Depth {
    int& depth;
    ~Depth() { --depth; }
  } depth{++depth_};
  if (depth_ > deepest_expression) invalid_query("The query is nested too deeply.");

  const Call& call = *e.call();
  if (call.function == Function::InPeriod) return in_period(scope, e);
  if (info(call.function).group == Group::Window && !scope.in_windows)
    invalid_query("`" + std::string(info(call.function).name) + "` is computed over the rows that a stage gives: put it in `windows`, and what uses it in the next stage.");
  std::vector<Expression> arguments;
  arguments.reserve(e.arguments.size());
  for (auto& argument : e.arguments) arguments.push_back(value(scope, argument));
  // What writes its subject twice doubles it at each level.
  auto twice = [&] {
    if (arguments[0].call()) spend(arguments[0]);
  };
  auto made = [&](Call with) { return Expression{std::move(with), std::move(arguments)}; };

  switch (call.function) {
    case Function::Equal: case Function::NotEqual: case Function::Less: case Function::Greater: case Function::LessEqual:
    case Function::GreaterEqual: case Function::Between: {
      auto* field = std::get_if<FieldReference>(&e.arguments[0].node);
      if (is_temporal(kind_of(arguments[0]))) twice();
      return comparison(call.function, std::move(arguments), field && !field->unit);
    }
    case Function::RelativeTimeInterval: {
      twice();
      auto kind = kind_of(arguments[0]);
      if (!is_temporal(kind) || kind == TypeKind::Time) invalid_query("`relative-time-interval` needs a date.");
      auto n = literal_integer(arguments[1]), shift = literal_integer(arguments[2]);
      auto shift_unit = *temporal_unit(call.mode);
      auto edge = [&](std::int64_t steps) { return add(truncate(add(now(), steps, *call.unit), *call.unit, first_day_), shift, shift_unit); };
      Wall low = edge(n < 0 ? n : 1), high = edge(n < 0 ? 0 : n + 1);
      Expression base = arguments[0].is(Function::Truncate) ? arguments[0].arguments[0] : arguments[0];
      return {Call{Function::And}, {Expression{Call{Function::GreaterEqual}, {base, temporal_literal(low, kind)}}, Expression{Call{Function::Less}, {base, temporal_literal(high, kind)}}}};
    }
    case Function::During: {
      twice();
      auto kind = kind_of(arguments[0]);
      if (!is_temporal(kind) || kind == TypeKind::Time) invalid_query("`during` needs a date.");
      auto range = range_of(arguments[1], kind, call.unit);
      Expression base = arguments[0].is(Function::Truncate) ? arguments[0].arguments[0] : arguments[0];
      return {Call{Function::And}, {Expression{Call{Function::GreaterEqual}, {base, temporal_literal(range.low, kind)}}, Expression{Call{Function::Less}, {base, temporal_literal(range.high, kind)}}}};
    }
    case Function::ToDatePeriod:
    case Function::SamePoint: {
      twice();
      auto kind = kind_of(arguments[0]);
      if (!is_temporal(kind) || kind == TypeKind::Time) invalid_query("`" + std::string(info(call.function).name) + "` needs a date.");
      Expression base = arguments[0].is(Function::Truncate) ? arguments[0].arguments[0] : arguments[0];
      Wall start = truncate(now(), *call.unit, first_day_);
      if (call.function == Function::SamePoint) {
        // As far into its month (or other unit) as now is into this one.
        Call add_seconds{Function::DateTimeAdd};
        add_seconds.unit = TemporalUnit::Second;
        auto elapsed = std::chrono::duration_cast<std::chrono::seconds>(now() - start).count() + 1;
        Expression until{std::move(add_seconds), {bucket(base, *call.unit, "the date"), Expression{Literal{elapsed}}}};
        return {Call{Function::Less}, {std::move(base), std::move(until)}};
      }
      auto n = literal_integer(arguments[1]);
      Wall low = truncate(add(start, n, *call.unit), *call.unit, first_day_), high = add(now(), n, *call.unit);
      return {Call{Function::And}, {Expression{Call{Function::GreaterEqual}, {base, temporal_literal(low, kind)}}, Expression{Call{Function::LessEqual}, {base, temporal_literal(high, kind)}}}};
    }
    case Function::TimeInterval: invalid_query("`time-interval` needs a date.");  // the pass desugar has replaced the good ones
    case Function::RelativeDateTime: case Function::AbsoluteDateTime: case Function::TimeLiteral: return made(call);
    case Function::Now: return temporal_literal(options_.now, TypeKind::DateTimeZoned, std::chrono::seconds(0));
    case Function::Today: return temporal_literal(std::chrono::floor<std::chrono::days>(now()), TypeKind::Date);
    case Function::Segment: unsupported("Segments are not expanded here: segment " + std::to_string(literal_integer(arguments[0])) + " does not exist.");
    case Function::Metric: unsupported("Metric " + std::to_string(literal_integer(arguments[0])) + " cannot be used here.");
    case Function::Measure: unsupported("Measures are not supported yet; use the aggregation itself.");
    case Function::Interval: return made(call);

    case Function::Add:
    case Function::Subtract: {
      bool any = std::any_of(arguments.begin(), arguments.end(), [](const Expression& a) { return a.is(Function::Interval); });
      if (!any) break;
      auto base = std::find_if(arguments.begin(), arguments.end(), [](const Expression& a) { return !a.is(Function::Interval); });
      if (base == arguments.end()) invalid_query("An interval is added to or subtracted from a date.");
      Expression result = typed_literal(*base, TypeKind::DateTime);
      if (auto kind = kind_of(result); !is_temporal(kind) && kind != TypeKind::Unknown) invalid_query("An interval is added to a date, not to " + std::string(in_words(kind)) + ".");
      for (auto it = arguments.begin(); it != arguments.end(); ++it) {
        if (it == base) continue;
        if (!it->is(Function::Interval)) invalid_query("A date takes intervals, such as [\"interval\", 1, \"month\"].");
        Call step{call.function == Function::Add ? Function::DateTimeAdd : Function::DateTimeSubtract};
        step.unit = it->call()->unit;
        result = {std::move(step), {std::move(result), Expression{Literal{literal_integer(it->arguments[0])}}}};
      }
      return result;
    }
    case Function::Substring:
      // Characters are counted from 1; what begins before begins there.
      if (arguments[1].literal() && literal_integer(arguments[1]) < 1) arguments[1] = Expression{Literal{1}};
      return made(call);
    case Function::TemporalExtract:
      return bucket(typed_literal(std::move(arguments[0]), TypeKind::DateTime), *call.unit, title(scope, e.arguments[0]), call.mode);
    case Function::IsEmpty:
    case Function::NotEmpty: {
      twice();
      bool empty = call.function == Function::IsEmpty;
      Expression test{Call{empty ? Function::IsNull : Function::NotNull}, {arguments[0]}};
      if (kind_of(arguments[0]) != TypeKind::Text) return test;
      Expression blank{Literal{json::value("")}};
      // NotEqual keeps nulls, the other test drops them again.
      Expression text{Call{empty ? Function::Equal : Function::NotEqual}, {std::move(arguments[0]), std::move(blank)}};
      return {Call{empty ? Function::Or : Function::And}, {std::move(test), std::move(text)}};
    }
    case Function::CumulativeSum:
    case Function::CumulativeCount:
      if (scope.stage.breakouts.empty()) return made(Call{call.function == Function::CumulativeSum ? Function::Sum : Function::Count});
      return made(call);
    case Function::Offset:
      if (scope.stage.breakouts.empty() && scope.stage.order_by.empty()) invalid_query("`offset` needs a breakout or an order: which row comes before which?");
      return made(call);
    case Function::Percentile: {
      auto* p = arguments[1].literal();
      if (!p || !p->value.is_number() || p->value.to_number<double>() < 0 || p->value.to_number<double>() > 1) invalid_query("`percentile` needs a number from 0 to 1.");
      return made(call);
    }
    case Function::ConvertTimezone: {
      arguments[0] = typed_literal(std::move(arguments[0]), TypeKind::DateTime);
      for (std::size_t i = 1; i < arguments.size(); ++i) {
        auto* name = arguments[i].literal();
        if (!name || !name->value.is_string() || !Zone::find(std::string_view(name->value.get_string())))
          invalid_query("`convert-timezone` needs the names of time zones, such as \"Europe/Berlin\".");
      }
      bool zoned = kind_of(arguments[0]) == TypeKind::DateTimeZoned;
      if (zoned && arguments.size() == 3) invalid_query("The column has a time zone already; `convert-timezone` must not be told one to convert from.");
      if (!zoned && arguments.size() == 2) {
        if (options_.time_zone.empty()) arguments.push_back({Literal{json::value("UTC")}});
        else arguments.push_back({Literal{json::value(options_.time_zone)}});
      }
      return made(call);
    }
    default: break;
  }
  if (call.function == Function::DateTimeDiff) {
    for (auto& argument : arguments) argument = typed_literal(std::move(argument), TypeKind::DateTime);
    for (auto& argument : arguments) {
      // Instants are compared by the calendar of the report time zone.
      auto kind = kind_of(argument);
      if (kind == TypeKind::Time) invalid_query("`datetime-diff` needs dates, not times of day.");
      if (!is_temporal(kind) && kind != TypeKind::Unknown) invalid_query("`datetime-diff` needs dates, not " + std::string(in_words(kind)) + ".");
    }
    return made(call);
  }
  if (call.function == Function::ToDate || call.function == Function::ToDateTime) {
    if (arguments[0].literal() && arguments[0].literal()->value.is_string())
      return typed_literal(std::move(arguments[0]), call.function == Function::ToDate ? TypeKind::Date : TypeKind::DateTime);
    return made(call);
  }
  if (wants_time(call.function) && !arguments.empty()) {
    arguments[0] = typed_literal(std::move(arguments[0]), TypeKind::DateTime);
    if (auto kind = kind_of(arguments[0]); !is_temporal(kind) && kind != TypeKind::Unknown)
      invalid_query("`" + std::string(info(call.function).name) + "` needs a date, not " + std::string(in_words(kind)) + ".");
    return made(call);
  }
  // Dates of the other clauses (case, coalesce, min…) take the type of their neighbours.
  TypeKind kind = TypeKind::Unknown;
  for (auto& argument : arguments)
    if (auto k = kind_of(argument); is_temporal(k) && !argument.is(Function::RelativeDateTime)) { kind = k; break; }
  for (auto& argument : arguments) {
    if (argument.is(Function::Interval)) invalid_query("An interval stands only in + and -, beside a date.");
    if (argument.is(Function::RelativeDateTime) || argument.is(Function::AbsoluteDateTime) || argument.is(Function::TimeLiteral)) argument = typed_literal(std::move(argument), kind);
  }
  auto group = info(call.function).group;
  bool adds = call.function >= Function::RunningSum && call.function <= Function::Total && call.function != Function::RunningCount && call.function != Function::RunningMin && call.function != Function::RunningMax;
  if (group == Group::Number || adds || call.function == Function::Sum || call.function == Function::Average || call.function == Function::CumulativeSum ||
      call.function == Function::StandardDeviation || call.function == Function::Variance || call.function == Function::Median) {
    bool casts = call.function == Function::ToInteger || call.function == Function::ToFloat;
    std::size_t own = arguments.size() - call.partitions - call.directions.size();
    for (std::size_t i = 0; i < own; ++i) {
      auto& argument = arguments[i];
      auto k = kind_of(argument);
      if (!casts && (k == TypeKind::Text || ((group == Group::Aggregation || group == Group::Window) && is_temporal(k))))
        invalid_query("`" + std::string(info(call.function).name) + "` needs a number, not " + std::string(in_words(k)) + ".");
    }
  }
  return made(call);
}

}  // namespace basalt::query
