#include "query/parameters.h"

#include <algorithm>
#include <charconv>

#include "query/failures.h"
#include "query/moments.h"
#include "query/parse.h"

namespace basalt::query {
namespace {

Expression call(Function function, std::vector<Expression> arguments) { return {Call{function}, std::move(arguments)}; }
Expression text(std::string value) { return {Literal{json::value(std::move(value))}}; }

Expression in_units(Expression e, TemporalUnit unit) {
  if (auto* field = std::get_if<FieldReference>(&e.node)) field->unit = unit;
  else if (auto* named = std::get_if<ExpressionReference>(&e.node)) named->unit = unit;
  else {
    Call made{is_extracting(unit) ? Function::Extract : Function::Truncate};
    made.unit = unit;
    e = {std::move(made), {std::move(e)}};
  }
  return e;
}

[[noreturn]] void bad_date(const std::string& value) {
  invalid_parameter("\"" + value.substr(0, 60) + "\" is no date filter; examples are 2024-05-17, 2024-05-01~2024-05-17, 2024-05, Q2-2024, past7days, thismonth.");
}

std::optional<std::int64_t> take_number(std::string_view& rest) {
  std::int64_t n = 0;
  auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), n);
  if (error != std::errc() || end == rest.data() || n < 0 || n > 100'000) return std::nullopt;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  return n;
}
bool take(std::string_view& rest, std::string_view token) {
  if (!rest.starts_with(token)) return false;
  rest.remove_prefix(token.size());
  return true;
}
std::optional<TemporalUnit> take_unit(std::string_view& rest) {
  for (auto unit : {TemporalUnit::Minute, TemporalUnit::Hour, TemporalUnit::Day, TemporalUnit::Week, TemporalUnit::Month, TemporalUnit::Quarter, TemporalUnit::Year})
    if (take(rest, name_of(unit))) return unit;
  return std::nullopt;
}

Expression interval(const Expression& subject, std::int64_t n, TemporalUnit unit, bool current) {
  Call made{Function::TimeInterval};
  made.unit = unit;
  made.include_current = current;
  return {std::move(made), {subject, Expression{Literal{n}}}};
}

std::optional<Expression> relative_filter(std::string_view rest, const Expression& subject) {
  if (rest == "today") return interval(subject, 0, TemporalUnit::Day, false);
  if (rest == "yesterday") return interval(subject, -1, TemporalUnit::Day, false);
  if (rest == "tomorrow") return interval(subject, 1, TemporalUnit::Day, false);
  for (auto [word, n] : {std::pair{"this", 0}, {"last", -1}}) {
    auto unit_text = rest;
    if (!take(unit_text, word)) continue;
    auto unit = take_unit(unit_text);
    if (unit && unit_text.empty()) return interval(subject, n, *unit, false);
  }
  std::int64_t sign = 0;
  if (take(rest, "past")) sign = -1;
  else if (take(rest, "next")) sign = 1;
  else return std::nullopt;
  auto n = take_number(rest);
  if (!n && sign == 1) {
    auto unit = take_unit(rest);  // "nextmonth"
    return unit && rest.empty() ? std::optional(interval(subject, 1, *unit, false)) : std::nullopt;
  }
  if (!n) return std::nullopt;
  auto unit = take_unit(rest);
  if (!unit) return std::nullopt;
  take(rest, "s");
  bool current = take(rest, "~");
  if (rest.empty()) return interval(subject, sign * *n, *unit, current);
  if (!take(rest, "-from-")) return std::nullopt;
  auto shift = take_number(rest);
  auto shift_unit = shift ? take_unit(rest) : std::nullopt;
  if (!shift_unit) return std::nullopt;
  take(rest, "s");
  if (!rest.empty()) return std::nullopt;
  Call made{Function::RelativeTimeInterval};
  made.unit = unit;
  made.mode = std::string(name_of(*shift_unit));
  return Expression{std::move(made), {subject, Expression{Literal{sign * *n}}, Expression{Literal{sign * *shift}}}};
}

std::vector<std::string_view> split(std::string_view value, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    auto at = value.find(separator);
    parts.push_back(value.substr(0, at));
    if (at == std::string_view::npos) return parts;
    value.remove_prefix(at + 1);
  }
}

std::optional<Expression> exclusion(std::string_view rest, const Expression& subject, const std::string& whole) {
  std::vector<Expression> arguments;
  auto start = [&](TemporalUnit unit) { arguments.push_back(in_units(subject, unit)); };
  auto name_index = [&](std::string_view part, std::initializer_list<std::string_view> names) -> int {
    int i = 0;
    for (auto name : names) {
      if (part == name) return i;
      ++i;
    }
    bad_date(whole);
  };
  if (take(rest, "days-")) {
    start(TemporalUnit::DayOfWeek);
    // As dates: which number a day has hangs on the first day of the week. 2024-01-01 was a Monday.
    for (auto part : split(rest, '-')) arguments.push_back(text("2024-01-0" + std::to_string(1 + name_index(part, {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}))));
  } else if (take(rest, "months-")) {
    start(TemporalUnit::MonthOfYear);
    for (auto part : split(rest, '-'))
      arguments.push_back({Literal{1 + name_index(part, {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"})}});
  } else if (rest.starts_with("quarters-") || rest.starts_with("hours-")) {
    bool quarters = rest.starts_with("quarters-");
    rest.remove_prefix(quarters ? 9 : 6);
    start(quarters ? TemporalUnit::QuarterOfYear : TemporalUnit::HourOfDay);
    for (auto part : split(rest, '-')) {
      auto n = take_number(part);
      if (!n || !part.empty() || (quarters ? *n < 1 || *n > 4 : *n > 23)) bad_date(whole);
      arguments.push_back({Literal{*n}});
    }
  } else if (rest == "none" || rest.empty()) {
    return std::nullopt;
  } else {
    bad_date(whole);
  }
  return call(Function::NotEqual, std::move(arguments));
}

std::optional<Expression> date_filter(const std::string& value, const Expression& subject) {
  std::string_view rest = value;
  if (take(rest, "exclude-")) return exclusion(rest, subject, value);
  if (auto relative = relative_filter(value, subject)) return relative;
  // The granularity in which a day, or a minute, is meant.
  auto unit_of = [&](std::string_view part) {
    auto moment = parse_moment(part);
    if (!moment || moment->kind == Moment::Kind::Time) bad_date(value);
    return moment->kind == Moment::Kind::DateTime ? TemporalUnit::Minute : TemporalUnit::Day;
  };
  if (auto tilde = value.find('~'); tilde != std::string::npos) {
    std::string from = value.substr(0, tilde), to = value.substr(tilde + 1);
    if (from.empty() && to.empty()) bad_date(value);
    if (from.empty()) return call(Function::Less, {in_units(subject, unit_of(to)), text(to)});
    if (to.empty()) return call(Function::Greater, {in_units(subject, unit_of(from)), text(from)});
    auto unit = std::min(unit_of(from), unit_of(to));
    return call(Function::Between, {in_units(subject, unit), text(from), text(to)});
  }
  if (value.size() == 7 && value[0] == 'Q' && value[2] == '-' && value[1] >= '1' && value[1] <= '4') {
    const char* months[] = {"01", "04", "07", "10"};
    std::string first = value.substr(3) + "-" + months[value[1] - '1'] + "-01";
    if (!parse_moment(first)) bad_date(value);
    return call(Function::Equal, {in_units(subject, TemporalUnit::Quarter), text(first)});
  }
  if (value.size() == 7 && value[4] == '-' && parse_moment(value)) return call(Function::Equal, {in_units(subject, TemporalUnit::Month), text(value)});
  if (value.size() == 4 && parse_moment(value)) return call(Function::Equal, {in_units(subject, TemporalUnit::Year), text(value)});
  return call(Function::Equal, {in_units(subject, unit_of(value)), text(value)});
}

json::value as_number(const json::value& v) {
  if (v.is_number()) return v;
  if (v.is_string()) {
    std::string_view s = v.get_string();
    std::int64_t whole = 0;
    if (auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), whole); error == std::errc() && end == s.data() + s.size()) return whole;
    double real = 0;
    if (auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), real); error == std::errc() && end == s.data() + s.size() && !s.empty()) return real;
  }
  invalid_parameter((v.is_string() ? "\"" + std::string(v.get_string()).substr(0, 60) + "\"" : std::string("The value")) + " is no number.");
}

}  // namespace

std::optional<Expression> parameter_filter(const std::string& type, const json::value& value, const Expression& subject, const json::object& options) {
  std::vector<json::value> values;
  bool positional = type == "number/between" || type == "number/>=" || type == "number/<=";
  if (auto* list = value.if_array()) {
    for (auto& item : *list)
      if (!item.is_null() || positional) values.push_back(item);
  } else if (!value.is_null()) {
    values.push_back(value);
  }
  for (auto& v : values)
    if (v.is_array() || v.is_object()) invalid_parameter("The value of a parameter is a number, a text, true or false, or a list of these.");
  if (values.empty()) return std::nullopt;
  if (std::all_of(values.begin(), values.end(), [](auto& v) { return v.is_null(); })) return std::nullopt;

  if (type == "date" || type.starts_with("date/")) {
    if (values.size() != 1 || !values[0].is_string()) {
      // Some clients send a range as two dates.
      if (values.size() == 2 && values[0].is_string() && values[1].is_string()) return date_filter(std::string(values[0].get_string()) + "~" + std::string(values[1].get_string()), subject);
      invalid_parameter("A date filter takes one text, such as 2024-05-01~2024-05-17.");
    }
    std::string dates(values[0].get_string());
    if (dates.empty()) return std::nullopt;
    return date_filter(dates, subject);
  }
  bool number = type.starts_with("number");
  std::string operation = type.find('/') == std::string::npos || type.starts_with("location/") ? "=" : type.substr(type.find('/') + 1);
  auto arity = [&](std::size_t n) {
    if (values.size() != n) invalid_parameter("A parameter of type " + type + " takes " + std::to_string(n) + (n == 1 ? " value" : " values") + ", not " + std::to_string(values.size()) + ".");
  };
  auto literal = [&](const json::value& v) { return Expression{Literal{number ? as_number(v) : v}}; };
  if (operation == "between") {
    arity(2);
    if (values[0].is_null()) return call(Function::LessEqual, {subject, literal(values[1])});
    if (values[1].is_null()) return call(Function::GreaterEqual, {subject, literal(values[0])});
    return call(Function::Between, {subject, literal(values[0]), literal(values[1])});
  }
  if (operation == ">=" || operation == "<=") {
    arity(1);
    return call(operation == ">=" ? Function::GreaterEqual : Function::LessEqual, {subject, literal(values[0])});
  }
  Function function = Function::Equal;
  if (operation == "!=") function = Function::NotEqual;
  else if (operation == "contains") function = Function::Contains;
  else if (operation == "does-not-contain") function = Function::DoesNotContain;
  else if (operation == "starts-with") function = Function::StartsWith;
  else if (operation == "ends-with") function = Function::EndsWith;
  else if (operation != "=") invalid_parameter("\"" + type.substr(0, 60) + "\" is no type of a parameter.");
  Call made{function};
  if (auto sensitive = json::boolean(options, "case-sensitive")) made.case_sensitive = *sensitive;
  std::vector<Expression> arguments{subject};
  for (auto& v : values) arguments.push_back(literal(v));
  return Expression{std::move(made), std::move(arguments)};
}

std::optional<ParameterTarget> parameter_target(const json::value& target) {
  auto* array = target.if_array();
  if (!array || array->size() < 2 || !(*array)[0].is_string()) return std::nullopt;
  std::string kind((*array)[0].get_string());
  for (auto& c : kind) c = c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  ParameterTarget result;
  if (kind == "template-tag") {
    if ((*array)[1].is_string()) result.tag = std::string((*array)[1].get_string());
    else if (auto id = json::text((*array)[1], "id")) result.tag_id = *id;
    else return std::nullopt;
    return result;
  }
  if (kind == "variable") return parameter_target((*array)[1]);
  if (kind == "text-tag") return std::nullopt;
  if (kind == "dimension") {
    auto* inner = (*array)[1].if_array();
    if (inner && !inner->empty() && (*inner)[0].is_string()) {
      std::string_view name = (*inner)[0].get_string();
      if (name == "template-tag" || name == "template_tag") return parameter_target((*array)[1]);
    }
    result.column = parse_expression((*array)[1], "parameters.target");
    if (array->size() > 2)
      if (auto stage = json::integer((*array)[2], "stage-number")) result.stage = *stage;
  } else {
    result.column = parse_expression(target, "parameters.target");
  }
  if (!std::holds_alternative<FieldReference>(result.column->node) && !std::holds_alternative<ExpressionReference>(result.column->node))
    invalid_parameter("The target of a parameter is a field, an expression or a template tag.");
  return result;
}

json::value parameter_value(const json::value& parameter) {
  if (auto* value = json::find(parameter, "value")) return *value;
  if (auto* value = json::find(parameter, "default")) return *value;
  return nullptr;
}

}  // namespace basalt::query
