// Clauses: references in old and new spellings, filters, aggregations, functions, windows.
#include <algorithm>

#include "query/parser.h"

namespace basalt::query {
namespace {

struct Alias { std::string_view name, means; TemporalUnit unit = TemporalUnit::Default; };
constexpr Alias aliases[] = {
    {"in", "="}, {"not-in", "!="}, {"if", "case"}, {"not-equal", "!="}, {"standard-deviation", "stddev"},
    {"get-year", "temporal-extract", TemporalUnit::YearOfEra}, {"get-quarter", "temporal-extract", TemporalUnit::QuarterOfYear},
    {"get-month", "temporal-extract", TemporalUnit::MonthOfYear}, {"get-day", "temporal-extract", TemporalUnit::DayOfMonth},
    {"get-hour", "temporal-extract", TemporalUnit::HourOfDay}, {"get-minute", "temporal-extract", TemporalUnit::MinuteOfHour},
    {"get-second", "temporal-extract", TemporalUnit::SecondOfMinute},
    {"get-day-of-week", "temporal-extract", TemporalUnit::DayOfWeek}, {"get-week", "temporal-extract", TemporalUnit::WeekOfYearIso},
};

}  // namespace

Expression Parser::clause(const json::value& v) {
  switch (v.kind()) {
    case json::kind::null: case json::kind::bool_: case json::kind::int64: case json::kind::uint64: case json::kind::double_:
    case json::kind::string: return {Literal{v}};
    case json::kind::object: fail("A JSON object stands where a clause or a value is expected.");
    case json::kind::array: break;
  }
  auto& array = v.get_array();
  if (array.empty()) fail("An empty list stands where a clause is expected.");
  if (!array[0].is_string()) fail("A clause starts with its name, as in [\"=\", …].");
  std::string name = normal(array[0].get_string());
  // The options: second in MBQL 5 and in a few clauses of MBQL 4, else last.
  Parts parts;
  std::size_t first = 1, last = array.size();
  if (array.size() > 1 && array[1].is_object()) {
    parts.options = &array[1].get_object();
    first = 2;
  } else if (array.size() > 1 && array.back().is_object()) {
    parts.options = &array.back().get_object();
    --last;
  }
  for (std::size_t i = first; i < last; ++i) parts.arguments.push_back(&array[i]);
  parts.first = first;
  At at(*this, "");  // keeps the count and the depth; the step is named by the arguments
  path_.resize(at.length);
  return named_clause(name, parts);
}

void Parser::count_arguments(const std::string& name, const Parts& parts, std::size_t fewest, std::size_t most) {
  auto n = parts.arguments.size();
  if (n >= fewest && n <= most) return;
  auto word = [](std::size_t k) { return k == 1 ? std::string("1 argument") : std::to_string(k) + " arguments"; };
  std::string wanted = fewest == most ? word(fewest) : most >= any_number ? "at least " + word(fewest) : std::to_string(fewest) + " to " + word(most);
  fail("`" + name + "` takes " + wanted + ", not " + std::to_string(n) + ".");
}

TemporalUnit Parser::unit(const json::value& v) {
  if (v.is_string())
    if (auto found = temporal_unit(normal(v.get_string()))) return *found;
  fail(v.is_string() ? "`" + std::string(v.get_string()) + "` is no unit of time; units are minute, hour, day, week, month, quarter, year and their like."
                     : "A unit of time has to be text, such as \"month\".");
}

TemporalUnit Parser::truncating_unit(const json::value& v) {
  auto read = unit(v);
  if (!is_truncating(read)) fail("`" + std::string(name_of(read)) + "` counts nothing here; use day, week, month, quarter, year or their like.");
  return read;
}

Binning Parser::binning(const json::value& v) {
  auto* o = v.if_object();
  if (!o) fail("`binning` is a JSON object with a `strategy`.");
  auto strategy = normal(text_of(*o, "strategy"));
  if (strategy.empty() || strategy == "default") return {};
  auto number = [&](std::string_view key) {
    auto* value = find_key(*o, key);
    if (!value || !value->is_number() || !(value->to_number<double>() > 0)) fail("`" + std::string(key) + "` has to be a number greater than zero.");
    return value->to_number<double>();
  };
  if (strategy == "num-bins") {
    double bins = number("num-bins");
    if (bins > 100'000) fail("`num-bins` is at most 100000.");
    return {Binning::Strategy::NumBins, bins};
  }
  if (strategy == "bin-width") return {Binning::Strategy::BinWidth, number("bin-width")};
  fail("`" + strategy + "` is no way of binning; it is num-bins, bin-width or default.");
}

void Parser::read_field_options(FieldReference& field, const json::object& options) {
  read_bucketing(field, options);
  if (auto* v = find_key(options, "join-alias"); v && v->is_string()) field.join_alias = std::string(v->get_string());
  if (auto* v = find_key(options, "source-field")) {
    if (auto id = json::as_integer(*v)) field.source_field = FieldId(*id);
    else if (v->is_string()) field.source_field_name = std::string(v->get_string());
  }
  if (auto* v = find_key(options, "source-field-name"); v && v->is_string()) field.source_field_name = std::string(v->get_string());
  if (auto* v = find_key(options, "source-field-join-alias"); v && v->is_string()) field.source_field_join_alias = std::string(v->get_string());
  if (auto* v = find_key(options, "base-type"); v && v->is_string()) field.base_type = std::string(v->get_string());
  if (auto* v = find_key(options, "effective-type"); v && v->is_string()) field.effective_type = std::string(v->get_string());
}

FieldReference Parser::inner_field(const json::value& v) {
  auto read = reference(v);
  if (v.is_string()) return FieldReference{std::string(v.get_string())};
  auto* field = std::get_if<FieldReference>(&read.node);
  if (!field) fail("A field stands here, as in [\"field\", 12, null].");
  return std::move(*field);
}

Expression Parser::field(const Parts& parts) {
  count_arguments("field", parts, 1, 2);
  auto& which = *parts.arguments[0];
  FieldReference result;
  if (auto id = json::as_integer(which)) {
    if (*id <= 0) fail("The id of a field is greater than zero.");
    result.field = FieldId(*id);
  } else if (which.is_string()) {
    if (which.get_string().empty()) fail("A field needs an id or a name.");
    result.field = std::string(which.get_string());
  } else if (which.is_array()) {
    result = inner_field(which);
  } else {
    fail("A field is named by its id or by the name of a column.");
  }
  if (parts.arguments.size() == 2 && !parts.arguments[1]->is_null()) fail("The options of a field are a JSON object or null.");
  if (parts.options) read_field_options(result, *parts.options);
  return {std::move(result)};
}

std::optional<Expression> Parser::old_reference(const std::string& name, const Parts& parts) {
  if (name == "field-id") {
    count_arguments(name, parts, 1, 1);
    return field(parts);
  }
  if (name == "field-literal") {
    count_arguments(name, parts, 1, 2);
    FieldReference result{text(*parts.arguments[0], "The name of a column")};
    if (parts.arguments.size() > 1 && parts.arguments[1]->is_string()) result.base_type = std::string(parts.arguments[1]->get_string());
    return Expression{std::move(result)};
  }
  if (name == "fk->") {
    count_arguments(name, parts, 2, 2);
    auto key = inner_field(*parts.arguments[0]), target = inner_field(*parts.arguments[1]);
    if (auto* id = std::get_if<FieldId>(&key.field)) target.source_field = *id;
    else target.source_field_name = std::get<std::string>(key.field);
    return Expression{std::move(target)};
  }
  if (name == "joined-field") {
    count_arguments(name, parts, 2, 2);
    auto result = inner_field(*parts.arguments[1]);
    result.join_alias = text(*parts.arguments[0], "The alias of a join");
    return Expression{std::move(result)};
  }
  if (name == "datetime-field") {
    count_arguments(name, parts, 2, 3);
    auto result = inner_field(*parts.arguments[0]);
    result.unit = unit(*parts.arguments.back());
    return Expression{std::move(result)};
  }
  if (name == "binning-strategy") {
    count_arguments(name, parts, 2, 4);
    auto result = inner_field(*parts.arguments[0]);
    json::object options{{"strategy", *parts.arguments[1]}};
    if (parts.arguments.size() > 2) { options["num-bins"] = *parts.arguments[2]; options["bin-width"] = *parts.arguments[2]; }
    result.binning = binning(options);
    return Expression{std::move(result)};
  }
  return std::nullopt;
}

Expression Parser::named_clause(const std::string& name, const Parts& parts) {
  if (name == "field") return field(parts);
  if (auto old = old_reference(name, parts)) return std::move(*old);
  if (name == "expression") {
    count_arguments(name, parts, 1, 2);
    ExpressionReference result{text(*parts.arguments[0], "The name of an expression")};
    if (parts.options) {
      read_bucketing(result, *parts.options);
      result.base_type = text_of(*parts.options, "base-type");
    }
    return {std::move(result)};
  }
  if (name == "aggregation" || name == "aggregate-field") {
    count_arguments(name, parts, 1, 2);
    auto& which = *parts.arguments[0];
    if (auto index = json::as_integer(which); index && *index >= 0) return {AggregationReference{static_cast<std::size_t>(*index)}};
    if (which.is_string())
      if (auto found = uuids_.find(std::string(which.get_string())); found != uuids_.end()) return {AggregationReference{found->second}};
    fail("An aggregation is referred to by its position, from 0, or by its uuid.");
  }
  if (name == "value") {
    count_arguments(name, parts, 1, 2);
    auto& v = *parts.arguments[0];
    if (v.is_array() || v.is_object()) fail("`value` wraps a number, a text, true, false or null.");
    return {Literal{v, parts.options ? text_of(*parts.options, "base-type") : ""}};
  }
  if (name == "aggregation-options" || name == "named") return named_aggregation(name, parts);

  const Alias* alias = nullptr;
  for (auto& candidate : aliases)
    if (candidate.name == name) alias = &candidate;
  auto* function = find_function(alias ? alias->means : std::string_view(name));
  if (!function) fail("`" + std::string(name.substr(0, 100)) + "` is no clause of the query language.");
  Call call{function->function};
  if (parts.options) read_call_options(call, *parts.options);
  if (function->function == Function::Case) return case_clause(std::move(call), parts);
  if (alias && alias->unit != TemporalUnit::Default) {
    count_arguments(name, parts, 1, 2);
    call.unit = alias->unit;
    if (parts.arguments.size() == 2) extract_mode(call, *parts.arguments[1]);
    return {std::move(call), {argument(parts, 0)}};
  }
  count_arguments(name, parts, function->fewest, function->most == any_number ? most_clauses : function->most);
  if (function->group == Group::Window) return window_clause(std::move(call), *function, parts);
  return call_clause(std::move(call), *function, parts);
}

void Parser::read_call_options(Call& call, const json::object& options) {
  if (auto* v = find_key(options, "case-sensitive"); v && v->is_bool()) call.case_sensitive = v->get_bool();
  if (auto* v = find_key(options, "include-current"); v && v->is_bool()) call.include_current = v->get_bool();
  if (auto* v = find_key(options, "name"); v && v->is_string()) call.name = std::string(v->get_string());
  if (auto* v = find_key(options, "display-name"); v && v->is_string()) call.display_name = std::string(v->get_string());
  if (auto* v = find_key(options, "mode"); v && v->is_string()) call.mode = normal(v->get_string());
}

Expression Parser::argument(const Parts& parts, std::size_t i) {
  At at(*this, i + parts.first);
  return clause(*parts.arguments[i]);
}

void Parser::extract_mode(Call& call, const json::value& v) {
  auto mode = normal(text(v, "The mode of a week"));
  if (mode != "iso" && mode != "us" && mode != "instance") fail("The mode of a week is iso, us or instance.");
  if (call.unit == TemporalUnit::WeekOfYearIso && mode == "us") call.unit = TemporalUnit::WeekOfYearUs;
  else if (call.unit == TemporalUnit::WeekOfYearIso && mode == "instance") call.unit = TemporalUnit::WeekOfYearInstance;
  else call.mode = mode;
}

Expression Parser::named_aggregation(const std::string& name, const Parts& parts) {
  count_arguments(name, parts, 1, 2);
  auto inner = argument(parts, 0);
  std::string column, title;
  if (parts.options) {
    column = text_of(*parts.options, "name");
    title = text_of(*parts.options, "display-name");
  }
  if (name == "named" && parts.arguments.size() == 2) title = text(*parts.arguments[1], "The name of an aggregation");
  // A literal or a reference can be named too; a one-armed coalesce carries the names and changes nothing.
  if (!inner.call()) inner = Expression{Call{Function::Coalesce}, {std::move(inner)}};
  auto* call = inner.call();
  if (!column.empty()) call->name = std::move(column);
  if (!title.empty()) call->display_name = std::move(title);
  return inner;
}

Expression Parser::case_clause(Call call, const Parts& parts) {
  count_arguments("case", parts, 1, most_clauses);
  std::vector<Expression> arguments;
  auto add_pair = [&](const json::value& pair) {
    auto* a = pair.if_array();
    if (!a || a->size() != 2) fail("Each branch of `case` is [condition, value].");
    for (std::size_t i = 0; i < 2; ++i) { At at(*this, i); arguments.push_back(clause((*a)[i])); }
  };
  auto is_pairs = [](const json::value& v) {
    auto* a = v.if_array();
    return a && !a->empty() && (*a)[0].is_array();
  };
  std::size_t rest = 0;
  // [[p, v], …] in one list (the form of the API), or, spread out, [p, v], [p, v].
  if (is_pairs(*parts.arguments[0]) && !(parts.arguments[0]->get_array().size() == 2 && is_clause(parts.arguments[0]->get_array()[0]))) {
    auto& pairs = parts.arguments[0]->get_array();
    for (std::size_t i = 0; i < pairs.size(); ++i) { At at(*this, i); add_pair(pairs[i]); }
    rest = 1;
    // More lists of pairs: treated as one.
    while (rest < parts.arguments.size() && is_pairs(*parts.arguments[rest])) {
      auto& more = parts.arguments[rest]->get_array();
      if (more.size() == 2 && is_clause(more[0])) add_pair(*parts.arguments[rest]);
      else for (auto& pair : more) add_pair(pair);
      ++rest;
    }
  } else {
    while (rest < parts.arguments.size() && is_pairs(*parts.arguments[rest])) add_pair(*parts.arguments[rest++]);
    if (rest == 0) fail("`case` needs a list of [condition, value] pairs.");
  }
  if (rest < parts.arguments.size()) arguments.push_back(argument(parts, rest++));
  else if (parts.options)
    if (auto* fallback = find_key(*parts.options, "default")) { At at(*this, "default"); arguments.push_back(clause(*fallback)); }
  if (rest < parts.arguments.size()) fail("`case` has something after its default value.");
  return {std::move(call), std::move(arguments)};
}

Expression Parser::count_of_units(const Parts& parts, std::size_t i) {
  auto& v = *parts.arguments[i];
  if (v.is_string()) {
    auto word = normal(v.get_string());
    if (word == "current" || word == "now") return {Literal{0}};
    if (word == "last") return {Literal{-1}};
    if (word == "next") return {Literal{1}};
  }
  auto n = json::as_integer(v);
  if (!n) fail("The number of units has to be a whole number, \"current\", \"last\" or \"next\".");
  if (*n > 1'000'000 || *n < -1'000'000) fail("The number of units is at most a million.");
  return {Literal{*n}};
}

Expression Parser::call_clause(Call call, const FunctionInfo& function, const Parts& parts) {
  auto& a = parts.arguments;
  std::vector<Expression> arguments;
  switch (function.function) {
    case Function::TimeInterval:
      arguments.push_back(field_argument(parts));
      arguments.push_back(count_of_units(parts, 1));
      call.unit = truncating_unit(*a[2]);
      // The interval decides the unit, not the field.
      if (auto* field = std::get_if<FieldReference>(&arguments[0].node)) field->unit.reset();
      if (auto* named = std::get_if<ExpressionReference>(&arguments[0].node)) named->unit.reset();
      break;
    case Function::RelativeTimeInterval:
      arguments.push_back(field_argument(parts));
      arguments.push_back(count_of_units(parts, 1));
      call.unit = truncating_unit(*a[2]);
      arguments.push_back(count_of_units(parts, 3));
      call.mode = std::string(name_of(truncating_unit(*a[4])));
      break;
    case Function::During:
      arguments.push_back(field_argument(parts));
      arguments.push_back(argument(parts, 1));
      call.unit = truncating_unit(*a[2]);
      break;
    case Function::ToDatePeriod:
      arguments.push_back(field_argument(parts));
      arguments.push_back(count_of_units(parts, 1));
      call.unit = truncating_unit(*a[2]);
      break;
    case Function::SamePoint:
      arguments.push_back(field_argument(parts));
      call.unit = truncating_unit(*a[1]);
      break;
    case Function::InPeriod:
      arguments.push_back(argument(parts, 0));
      { At at(*this, parts.first + 1); arguments.push_back(reference(*a[1])); }
      arguments.push_back(count_of_units(parts, 2));
      call.unit = truncating_unit(*a[3]);
      if (parts.options)
        if (auto* v = find_key(*parts.options, "to-date"); v && v->is_bool()) call.include_current = v->get_bool();
      break;
    case Function::Interval:
      arguments.push_back(count_of_units(parts, 0));
      call.unit = truncating_unit(*a[1]);
      break;
    case Function::RelativeDateTime:
      arguments.push_back(count_of_units(parts, 0));
      if (a.size() > 1) call.unit = truncating_unit(*a[1]);
      break;
    case Function::AbsoluteDateTime:
    case Function::TimeLiteral:
      arguments.push_back(argument(parts, 0));
      if (a.size() > 1 && !a[1]->is_null()) call.unit = unit(*a[1]);
      break;
    case Function::DateTimeAdd:
    case Function::DateTimeSubtract:
    case Function::DateTimeDiff:
      arguments.push_back(argument(parts, 0));
      arguments.push_back(argument(parts, 1));
      call.unit = truncating_unit(*a[2]);
      break;
    case Function::TemporalExtract:
      arguments.push_back(argument(parts, 0));
      call.unit = unit(*a[1]);
      if (!is_extracting(*call.unit)) fail("`temporal-extract` needs a unit such as month-of-year, not `" + std::string(name_of(*call.unit)) + "`.");
      if (a.size() > 2) extract_mode(call, *a[2]);
      break;
    case Function::Metric:
    case Function::Measure:
    case Function::Segment:
      if (!json::as_integer(*a[0])) fail("`" + std::string(function.name) + "` needs the id of what is meant.");
      arguments.push_back({Literal{*a[0]}});
      break;
    case Function::Offset: {
      arguments.push_back(argument(parts, 0));
      auto n = json::as_integer(*a[1]);
      if (!n || *n == 0 || *n > 1'000'000 || *n < -1'000'000) fail("`offset` needs a number of rows other than zero.");
      arguments.push_back({Literal{*n}});
      break;
    }
    case Function::And:
    case Function::Or:
      for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i]->is_null()) continue;
        auto part = argument(parts, i);
        // and in and, or in or: one level.
        if (part.is(function.function)) for (auto& inner : part.arguments) arguments.push_back(std::move(inner));
        else arguments.push_back(std::move(part));
      }
      if (arguments.size() == 1) return std::move(arguments[0]);
      break;
    case Function::Not: {
      auto inner = argument(parts, 0);
      if (inner.is(Function::Not)) return std::move(inner.arguments[0]);
      arguments.push_back(std::move(inner));
      break;
    }
    default:
      for (std::size_t i = 0; i < a.size(); ++i) {
        if (i == 0 && bare_id_means_field(function, parts)) arguments.push_back(reference(*a[0]));
        else arguments.push_back(argument(parts, i));
      }
  }
  return {std::move(call), std::move(arguments)};
}

Expression Parser::window_clause(Call call, const FunctionInfo& function, const Parts& parts) {
  std::vector<Expression> arguments;
  for (std::size_t i = 0; i < parts.arguments.size(); ++i) arguments.push_back(argument(parts, i));
  auto rows = [&](std::size_t i, std::int64_t fewest, const char* what) {
    auto n = i < arguments.size() && arguments[i].literal() ? json::as_integer(arguments[i].literal()->value) : std::nullopt;
    if (!n || *n < fewest || *n > 1'000'000) fail(std::string("`") + std::string(function.name) + "` needs " + what + ", a whole number from " + std::to_string(fewest) + ".");
  };
  switch (function.function) {
    case Function::Tile: rows(0, 1, "a number of tiles"); break;
    case Function::MovingSum: case Function::MovingAverage: rows(1, 1, "a number of rows"); break;
    case Function::Lag: case Function::Lead:
      if (arguments.size() == 1) arguments.push_back({Literal{1}});
      rows(1, 1, "a number of rows");
      break;
    default: break;
  }
  bool ordered = false;
  if (parts.options) {
    if (auto* v = find_key(*parts.options, "partition-by")) {
      At at(*this, "partition-by");
      auto by = references(*v, "`partition-by`");
      call.partitions = by.size();
      for (auto& e : by) arguments.push_back(std::move(e));
    }
    if (auto* v = find_key(*parts.options, "order-by")) {
      At at(*this, "order-by");
      auto& items = list(*v, "`order-by`");
      auto add = [&](const json::value& item) {
        auto by = ordering(item);
        call.directions.push_back(by.direction);
        arguments.push_back(std::move(by.by));
        ordered = true;
      };
      if (!items.empty() && items[0].is_string()) add(*v);
      else
        for (std::size_t i = 0; i < items.size(); ++i) { At at_item(*this, i); add(items[i]); }
    }
  }
  bool needs_order = function.function != Function::ShareOfTotal && function.function != Function::Total;
  if (needs_order && !ordered) fail("`" + std::string(function.name) + "` needs `order-by` in its options: which row comes before which?");
  return {std::move(call), std::move(arguments)};
}

Expression Parser::field_argument(const Parts& parts) {
  At at(*this, parts.first);
  return reference(*parts.arguments[0]);
}

bool Parser::bare_id_means_field(const FunctionInfo& function, const Parts& parts) {
  if (parts.arguments.empty() || !parts.arguments[0]->is_int64()) return false;
  if (parts.options && parts.first == 2) return false;
  if (function.group == Group::Aggregation) return function.function != Function::CountWhere && function.function != Function::Share;
  if (function.group != Group::Filter) return false;
  if (parts.arguments.size() == 1) return function.function != Function::Not;
  return parts.arguments[1]->is_string();
}

}  // namespace basalt::query
