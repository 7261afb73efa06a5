// Comparisons: literals take the type of what they are compared with, and dates compared by the month (or any unit) become
// ranges of the bare column, so that an index can serve them.
#include <algorithm>
#include <charconv>
#include <iterator>

#include "query/resolver.h"

namespace basalt::query {
namespace {

bool literal_like(const Expression& e) {
  return e.literal() || e.is(Function::RelativeDateTime) || e.is(Function::AbsoluteDateTime) || e.is(Function::TimeLiteral);
}
bool is_null(const Expression& e) { return e.literal() && e.literal()->value.is_null(); }

Expression call(Function function, std::vector<Expression> arguments) { return {Call{function}, std::move(arguments)}; }

Function mirrored(Function function) {
  switch (function) {
    case Function::Less: return Function::Greater;
    case Function::Greater: return Function::Less;
    case Function::LessEqual: return Function::GreaterEqual;
    case Function::GreaterEqual: return Function::LessEqual;
    default: return function;
  }
}

Expression number_literal(const std::string& text, const Expression& subject) {
  std::int64_t whole = 0;
  auto* end = text.data() + text.size();
  if (auto [at, error] = std::from_chars(text.data(), end, whole); error == std::errc() && at == end) return {Literal{whole}};
  double real = 0;
  if (auto [at, error] = std::from_chars(text.data(), end, real); error == std::errc() && at == end && !text.empty()) return {Literal{real}};
  auto* column = std::get_if<Column>(&subject.node);
  invalid_query((column ? "`" + column->name + "` is a number" : "This compares a number") + " and cannot be compared with the text \"" + text.substr(0, 60) + "\".");
}

}  // namespace

Expression Resolver::temporal_literal(Wall wall, TypeKind kind, std::optional<std::chrono::seconds> offset) {
  switch (kind) {
    case TypeKind::Date:
      if (wall == std::chrono::floor<std::chrono::days>(wall)) return {Literal{json::value(date_text(wall)), "type/Date"}};
      return {Literal{json::value(date_time_text(wall)), "type/DateTime"}};
    case TypeKind::Time: return {Literal{json::value(time_text(wall)), "type/Time"}};
    case TypeKind::DateTimeZoned:
      if (offset) {
        // An instant: written in UTC.
        return {Literal{json::value(date_time_text(wall - *offset) + "+00:00"), "type/DateTimeWithTZ"}};
      }
      return {Literal{json::value(date_time_text(wall)), "type/DateTimeWithTZ"}};
    default:
      // A column without zone holds wall-clock times of the report time zone.
      if (offset) wall = zone_->wall(wall - *offset);
      return {Literal{json::value(date_time_text(wall)), "type/DateTime"}};
  }
}

// A text becomes a temporal literal, a number or stays, as its partner wants.
Expression Resolver::typed_literal(Expression e, TypeKind kind) {
  if (e.is(Function::RelativeDateTime)) {
    auto unit = e.call()->unit;
    auto n = json::as_integer(e.arguments[0].literal()->value).value_or(0);
    Wall at = unit ? truncate(add(now(), n, *unit), *unit, first_day_) : truncate(now(), TemporalUnit::Day, first_day_);
    return temporal_literal(at, is_temporal(kind) ? kind : TypeKind::DateTime);
  }
  if (e.is(Function::AbsoluteDateTime) || e.is(Function::TimeLiteral)) {
    Expression inner = e.arguments[0];
    return inner.literal() && inner.literal()->value.is_string() ? typed_literal(std::move(inner), is_temporal(kind) ? kind : e.is(Function::TimeLiteral) ? TypeKind::Time : TypeKind::DateTime) : inner;
  }
  auto* literal = e.literal();
  if (!literal || !literal->value.is_string()) return e;
  std::string text(literal->value.get_string());
  if (is_temporal(type_kind(literal->base_type))) return e;  // already made
  if (is_temporal(kind)) {
    auto moment = parse_moment(text);
    if (!moment) invalid_query("\"" + text.substr(0, 60) + "\" is no date; write it as 2024-05-17 or 2024-05-17T08:30:00.");
    if ((moment->kind == Moment::Kind::Time) != (kind == TypeKind::Time))
      invalid_query(kind == TypeKind::Time ? "\"" + text.substr(0, 60) + "\" is no time of day; write it as 08:30:00." : "\"" + text.substr(0, 60) + "\" is a time of day; a date is needed here.");
    if (moment->offset && kind == TypeKind::Time) return temporal_literal(moment->wall, kind);
    // A whole day stays a date for columns of dates only.
    return temporal_literal(moment->wall, kind, moment->offset);
  }
  return e;
}

Resolver::Range Resolver::range_of(const Expression& e, TypeKind kind, std::optional<TemporalUnit> unit) {
  Range range{};
  auto by = [&](Wall at, TemporalUnit granularity) {
    range.low = truncate(at, granularity, first_day_);
    range.high = add(range.low, 1, granularity);
  };
  if (e.is(Function::RelativeDateTime)) {
    auto granularity = e.call()->unit ? *e.call()->unit : unit ? *unit : TemporalUnit::Day;
    auto n = json::as_integer(e.arguments[0].literal()->value).value_or(0);
    Wall at = truncate(add(now(), n, granularity), granularity, first_day_);
    by(at, unit ? *unit : granularity);
    return range;
  }
  const Expression* inner = &e;
  if (e.is(Function::AbsoluteDateTime) || e.is(Function::TimeLiteral)) {
    inner = &e.arguments[0];
    if (!unit && e.call()->unit && is_truncating(*e.call()->unit) && *e.call()->unit >= TemporalUnit::Day) unit = e.call()->unit;
  }
  auto* literal = inner->literal();
  if (!literal || !literal->value.is_string()) invalid_query("A date is compared with something that is no date; write dates as 2024-05-17.");
  std::string text(literal->value.get_string());
  auto moment = parse_moment(text);
  if (!moment) invalid_query("\"" + text.substr(0, 60) + "\" is no date; write it as 2024-05-17 or 2024-05-17T08:30:00.");
  if ((moment->kind == Moment::Kind::Time) != (kind == TypeKind::Time))
    invalid_query(kind == TypeKind::Time ? "\"" + text.substr(0, 60) + "\" is no time of day; write it as 08:30:00." : "\"" + text.substr(0, 60) + "\" is a time of day; a date is needed here.");
  if (unit) {
    Wall at = moment->offset ? zone_->wall(moment->wall - *moment->offset) : moment->wall;
    by(at, *unit);
  } else {
    range.low = range.high = moment->wall;
    range.offset = kind == TypeKind::Time ? std::nullopt : moment->offset;
    range.exact = true;
  }
  return range;
}

Expression Resolver::temporal_comparison(Function function, Expression subject, std::vector<Expression> values, bool may_bucket) {
  std::optional<TemporalUnit> unit;
  auto kind = kind_of(subject);
  Expression base = subject;
  if (subject.is(Function::Truncate)) {
    unit = subject.call()->unit;
    base = subject.arguments[0];
  } else if (may_bucket && kind != TypeKind::Time) {
    bool whole_days = true;
    for (auto& v : values) {
      if (is_null(v) || v.is(Function::RelativeDateTime)) continue;
      auto* literal = v.literal();
      auto moment = literal && literal->value.is_string() ? parse_moment(std::string_view(literal->value.get_string())) : std::nullopt;
      if (!moment || !moment->whole_day) whole_days = false;
    }
    if (whole_days) unit = TemporalUnit::Day;
  }
  // Relative dates always compare by their own unit.
  auto low_of = [&](const Range& r) { return temporal_literal(r.low, kind, r.offset); };
  auto high_of = [&](const Range& r) { return temporal_literal(r.high, kind, r.offset); };
  std::vector<Range> ranges;
  bool has_null = false;
  for (auto& v : values) {
    if (is_null(v)) has_null = true;
    else ranges.push_back(range_of(v, kind, unit));
  }
  if (kind == TypeKind::Time && unit) {
    // Times of day wrap at midnight: compare the bucketed column itself.
    std::vector<Expression> arguments{subject};
    for (auto& r : ranges) arguments.push_back(temporal_literal(r.low, kind));
    return call(function, std::move(arguments));
  }
  switch (function) {
    case Function::Equal: {
      std::vector<Expression> any;
      for (auto& r : ranges)
        any.push_back(r.exact ? call(Function::Equal, {base, low_of(r)})
                              : call(Function::And, {call(Function::GreaterEqual, {base, low_of(r)}), call(Function::Less, {base, high_of(r)})}));
      if (has_null) any.push_back(call(Function::IsNull, {base}));
      return any.size() == 1 ? std::move(any[0]) : call(Function::Or, std::move(any));
    }
    case Function::NotEqual: {
      std::vector<Expression> all;
      for (auto& r : ranges)
        all.push_back(r.exact ? call(Function::NotEqual, {base, low_of(r)})
                              : call(Function::Or, {call(Function::Less, {base, low_of(r)}), call(Function::GreaterEqual, {base, high_of(r)}), call(Function::IsNull, {base})}));
      if (has_null) all.push_back(call(Function::NotNull, {base}));
      return all.size() == 1 ? std::move(all[0]) : call(Function::And, std::move(all));
    }
    case Function::Between: {
      if (ranges.size() != 2) return {Literal{false}};
      auto upper = ranges[1].exact ? call(Function::LessEqual, {base, high_of(ranges[1])}) : call(Function::Less, {base, high_of(ranges[1])});
      return call(Function::And, {call(Function::GreaterEqual, {base, low_of(ranges[0])}), std::move(upper)});
    }
    default: break;
  }
  // A comparison with null is never true.
  if (ranges.empty()) return {Literal{false}};
  auto& r = ranges[0];
  switch (function) {
    case Function::Less: return call(Function::Less, {base, low_of(r)});
    case Function::LessEqual: return call(r.exact ? Function::LessEqual : Function::Less, {base, high_of(r)});
    case Function::Greater: return call(r.exact ? Function::Greater : Function::GreaterEqual, {base, high_of(r)});
    default: return call(Function::GreaterEqual, {base, low_of(r)});
  }
}

Expression Resolver::comparison(Function function, std::vector<Expression> arguments, bool may_bucket) {
  std::size_t subject = 0;
  while (subject < arguments.size() && literal_like(arguments[subject])) ++subject;
  bool mixed = false;
  for (std::size_t i = subject + 1; i < arguments.size(); ++i) mixed |= !literal_like(arguments[i]);
  if (subject == arguments.size()) {
    // Only literals: relative dates become dates, the rest compares as it stands.
    TypeKind kind = TypeKind::Unknown;
    for (auto& a : arguments)
      if (!a.literal()) kind = TypeKind::DateTime;
    for (auto& a : arguments) a = typed_literal(std::move(a), kind);
    return call(function, std::move(arguments));
  }
  auto kind = kind_of(arguments[subject]);
  if (mixed || (subject > 0 && arguments.size() > 2)) {
    // Expressions on both sides: give the literals among them the type of the first that has one.
    for (auto& a : arguments)
      if (literal_like(a)) a = typed_literal(std::move(a), kind);
    return call(function, std::move(arguments));
  }
  if (subject == 1) {
    std::swap(arguments[0], arguments[1]);
    function = mirrored(function);
    may_bucket = false;
  }
  Expression left = std::move(arguments[0]);
  std::vector<Expression> values(std::make_move_iterator(arguments.begin() + 1), std::make_move_iterator(arguments.end()));
  if (is_temporal(kind)) return temporal_comparison(function, std::move(left), std::move(values), may_bucket);
  bool extracts = left.is(Function::Extract);
  for (auto& v : values) {
    auto* literal = v.literal();
    if (!literal) {
      if (!extracts) { v = typed_literal(std::move(v), TypeKind::DateTime); continue; }
      auto range = range_of(v, TypeKind::DateTime, TemporalUnit::Day);
      v = {Literal{extract(range.low, *left.call()->unit, first_day_)}};
      continue;
    }
    if (!literal->value.is_string()) continue;
    std::string text(literal->value.get_string());
    if (extracts) {
      if (auto moment = parse_moment(text); moment && text.size() > 4) {
        Wall at = moment->offset ? zone_->wall(moment->wall - *moment->offset) : moment->wall;
        v = {Literal{extract(at, *left.call()->unit, first_day_)}};
        continue;
      }
    }
    if (is_numeric(kind)) v = number_literal(text, left);
    else if (kind == TypeKind::Uuid) v.node = Literal{literal->value, "type/UUID"};
    else if (kind == TypeKind::Boolean) {
      if (text == "true" || text == "1") v = {Literal{true}};
      else if (text == "false" || text == "0") v = {Literal{false}};
      else invalid_query("\"" + text.substr(0, 60) + "\" is neither true nor false.");
    }
  }
  if (kind == TypeKind::Boolean) {
    for (auto& v : values)
      if (v.literal() && v.literal()->value.is_number()) v = {Literal{v.literal()->value.to_number<double>() != 0}};
  }
  // A number beside text is meant as text ("zip code = 12345").
  if (kind == TypeKind::Text) {
    for (auto& v : values)
      if (auto* literal = v.literal(); literal && (literal->value.is_number() || literal->value.is_bool())) v = {Literal{json::value(json::write(literal->value))}};
  }
  // null among the values of = and !=.
  if (function == Function::Equal || function == Function::NotEqual) {
    auto nulls = std::stable_partition(values.begin(), values.end(), [](const Expression& v) { return !is_null(v); });
    if (nulls != values.end()) {
      values.erase(nulls, values.end());
      auto test = call(function == Function::Equal ? Function::IsNull : Function::NotNull, {left});
      if (values.empty()) return test;
      std::vector<Expression> rest{left};
      std::move(values.begin(), values.end(), std::back_inserter(rest));
      return call(function == Function::Equal ? Function::Or : Function::And, {call(function, std::move(rest)), std::move(test)});
    }
  }
  std::vector<Expression> rest{std::move(left)};
  std::move(values.begin(), values.end(), std::back_inserter(rest));
  return call(function, std::move(rest));
}

}  // namespace basalt::query
