#include "query/parse.h"

#include <algorithm>
#include <charconv>

#include "query/parser.h"

namespace basalt::query {

Query Parser::query(const json::value& v) {
  auto* top = v.if_object();
  if (!top) fail("A query is a JSON object with `database` and `type`.");
  Query result;
  auto* database = find_key(*top, "database");
  auto id = database ? json::as_integer(*database) : std::nullopt;
  if (!id) fail("`database` is missing: the query has to name the id of a database.");
  result.database = DatabaseId(*id);
  if (auto* settings = object_at(*top, "settings")) result.settings = *settings;
  if (auto* constraints = object_at(*top, "constraints")) result.constraints = *constraints;
  if (auto* middleware = object_at(*top, "middleware")) result.middleware = *middleware;
  if (auto* parameters = find_key(*top, "parameters")) {
    if (!parameters->is_array()) fail("`parameters` is a list of parameters.");
    result.parameters = parameters->get_array();
  }
  if (auto* stages = find_key(*top, "stages")) {
    At at(*this, "stages");
    result.stages = stage_list(*stages);
    return result;
  }
  auto* type = find_key(*top, "type");
  std::string kind = type && type->is_string() ? normal(type->get_string()) : "";
  if (kind.empty()) kind = find_key(*top, "native") ? "native" : "query";
  if (kind == "native") {
    auto* native = find_key(*top, "native");
    if (!native) fail("A query of type native needs `native` with the SQL.");
    At at(*this, "native");
    Stage stage;
    stage.source = NativeSource{native_query(*native)};
    result.stages.push_back(std::move(stage));
  } else if (kind == "query") {
    auto* inner = find_key(*top, "query");
    if (!inner) fail("A query of type query needs `query` with its clauses.");
    At at(*this, "query");
    result.stages = inner_query(*inner);
  } else {
    fail("`" + kind + "` is no type of query; it is `query` or `native`.");
  }
  return result;
}

std::vector<Stage> Parser::stage_list(const json::value& v) {
  auto& items = list(v, "`stages`");
  if (items.empty()) fail("A query needs at least one stage.");
  std::vector<Stage> result;
  for (std::size_t i = 0; i < items.size(); ++i) {
    At at(*this, i);
    auto* o = items[i].if_object();
    if (!o) fail("A stage is a JSON object.");
    result.push_back(stage(*o));
    bool has_source = !std::holds_alternative<PreviousStage>(result.back().source);
    if (i == 0 && !has_source) fail("The first stage needs `source-table`, `source-card` or `native`.");
    if (i > 0 && has_source) fail("Only the first stage has a source of its own.");
  }
  return result;
}

std::vector<Stage> Parser::inner_query(const json::value& v) {
  auto* o = v.if_object();
  if (!o) fail("A query is a JSON object.");
  std::vector<Stage> stages;
  bool has_source_query = false;
  if (auto* source = find_key(*o, "source-query")) {
    At at(*this, "source-query");
    stages = inner_query(*source);
    has_source_query = true;
  }
  Stage last = stage(*o);
  bool has_source = !std::holds_alternative<PreviousStage>(last.source);
  if (has_source && has_source_query) fail("A query has `source-table` or `source-query`, not both.");
  if (!has_source && !has_source_query) fail("A query needs `source-table` or `source-query`.");
  stages.push_back(std::move(last));
  return stages;
}

Source Parser::table_source(const json::value& v) {
  if (auto id = json::as_integer(v); id && *id > 0) return TableSource{TableId(*id)};
  if (v.is_string()) {
    std::string_view name = v.get_string();
    if (name.starts_with("card__")) {
      std::int64_t id = 0;
      auto digits = name.substr(6);
      auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id);
      if (error == std::errc() && end == digits.data() + digits.size() && id > 0) return CardSource{CardId(id)};
    }
  }
  fail("`source-table` is the id of a table, or \"card__\" and the id of a card.");
}

Stage Parser::stage(const json::object& o) {
  Stage result;
  // First what others refer to: aggregations are named by their uuid in MBQL 5.
  auto outer_uuids = std::move(uuids_);
  uuids_.clear();
  if (auto* v = find_key(o, "source-table")) { At at(*this, "source-table"); result.source = table_source(*v); }
  if (auto* v = find_key(o, "source-card")) {
    auto id = json::as_integer(*v);
    if (!id || *id <= 0) fail("`source-card` is the id of a card.");
    result.source = CardSource{CardId(*id)};
  }
  if (auto* v = find_key(o, "native")) {
    At at(*this, "native");
    if (v->is_object()) result.source = NativeSource{native_query(*v)};
    else result.source = NativeSource{native_beside(o, text(*v, "`native`"))};
  }
  if (auto* v = find_key(o, "source-metadata")) result.source_metadata = stored_columns(*v);
  if (auto* v = find_key(o, "joins")) {
    At at(*this, "joins");
    auto& items = list(*v, "`joins`");
    for (std::size_t i = 0; i < items.size(); ++i) { At at_item(*this, i); result.joins.push_back(join(items[i])); }
  }
  if (auto* v = find_key(o, "append")) {
    At at(*this, "append");
    auto& items = list(*v, "`append`");
    if (items.size() > most_appended) fail("At most " + std::to_string(most_appended) + " queries can be appended in one stage.");
    for (std::size_t i = 0; i < items.size(); ++i) { At at_item(*this, i); result.append.push_back(appended(items[i])); }
  }
  if (auto* v = find_key(o, "expressions")) { At at(*this, "expressions"); result.expressions = expressions(*v); }
  if (auto* v = find_key(o, "aggregation")) { At at(*this, "aggregation"); result.aggregations = aggregations(*v); }
  // After the aggregations, which windows over groups name by their uuid.
  if (auto* v = find_key(o, "windows")) {
    At at(*this, "windows");
    result.windows = expressions(*v);
    for (auto& window : result.windows)
      for (auto& named : result.expressions)
        if (named.name == window.name) fail("An expression and a window are both called `" + window.name + "`.");
  }
  if (auto* v = find_key(o, "breakout")) { At at(*this, "breakout"); result.breakouts = references(*v, "`breakout`"); }
  if (auto* v = find_key(o, "fields")) {
    At at(*this, "fields");
    // "all" and "none" are the joins' words; here they mean the implicit list.
    if (v->is_array()) {
      auto fields = references(*v, "`fields`");
      if (!fields.empty()) result.fields = std::move(fields);
    }
  }
  if (auto* v = find_key(o, "compare")) { At at(*this, "compare"); result.compare = comparison(*v); }
  std::vector<Expression> filters;
  if (auto* v = find_key(o, "filter")) { At at(*this, "filter"); add_filter(filters, *v); }
  if (auto* v = find_key(o, "filters")) {
    At at(*this, "filters");
    auto& items = list(*v, "`filters`");
    for (std::size_t i = 0; i < items.size(); ++i) { At at_item(*this, i); add_filter(filters, items[i]); }
  }
  result.filter = conjunction(std::move(filters));
  if (auto* v = find_key(o, "order-by")) {
    At at(*this, "order-by");
    auto& items = list(*v, "`order-by`");
    // A single ["asc", ref] without the list around it.
    if (!items.empty() && items[0].is_string()) result.order_by.push_back(ordering(*v));
    else
      for (std::size_t i = 0; i < items.size(); ++i) { At at_item(*this, i); result.order_by.push_back(ordering(items[i])); }
  }
  if (auto* v = find_key(o, "limit")) {
    auto limit = json::as_integer(*v);
    if (!limit || *limit < 0) { At at(*this, "limit"); fail("`limit` is a number of rows, zero or more."); }
    result.limit = *limit;
  }
  if (auto* v = find_key(o, "page")) {
    At at(*this, "page");
    auto* page = v->if_object();
    auto number = page ? json::integer(*v, "page") : std::nullopt, items = page ? json::integer(*v, "items") : std::nullopt;
    if (!number || !items || *number < 1 || *items < 1 || *number > 1'000'000'000 || *items > 1'000'000'000)
      fail("`page` needs `page` and `items`, both at least 1.");
    result.page = {*number, *items};
  }
  if (auto* v = find_key(o, "parameters"); v && v->is_array()) result.parameters = v->get_array();
  uuids_ = std::move(outer_uuids);
  return result;
}

void Parser::add_filter(std::vector<Expression>& filters, const json::value& v) {
  if (v.is_null() || (v.is_array() && v.get_array().empty())) return;
  filters.push_back(clause(v));
}

std::optional<Expression> Parser::conjunction(std::vector<Expression> filters) {
  std::vector<Expression> kept;
  for (auto& filter : filters)
    if (!(filter.is(Function::And) && filter.arguments.empty())) kept.push_back(std::move(filter));
  if (kept.empty()) return std::nullopt;
  if (kept.size() == 1) return std::move(kept[0]);
  return Expression{Call{Function::And}, std::move(kept)};
}

std::vector<StoredColumn> Parser::stored_columns(const json::value& v) {
  std::vector<StoredColumn> result;
  if (!v.is_array()) return result;
  for (auto& item : v.get_array()) {
    auto* o = item.if_object();
    if (!o) continue;
    StoredColumn column{text_of(*o, "name"), text_of(*o, "display-name"), text_of(*o, "base-type"), text_of(*o, "effective-type"), {}};
    if (column.base_type.empty()) column.base_type = "type/*";
    if (column.effective_type.empty()) column.effective_type = column.base_type;
    if (column.display_name.empty()) column.display_name = column.name;
    // Keys as the rest of the house writes them.
    for (auto& entry : *o) {
      std::string key(entry.key());
      std::replace(key.begin(), key.end(), '-', '_');
      column.all[key] = entry.value();
    }
    if (!column.name.empty()) result.push_back(std::move(column));
  }
  return result;
}

std::vector<Stage> Parser::source_stages(const json::object& o, const std::string& what) {
  std::vector<Stage> result;
  if (auto* stages = find_key(o, "stages")) {
    At at(*this, "stages");
    return stage_list(*stages);
  }
  if (auto* source = find_key(o, "source-query")) {
    At at(*this, "source-query");
    result = inner_query(*source);
    if (auto* metadata = find_key(o, "source-metadata"); metadata && result[0].source_metadata.empty()) result[0].source_metadata = stored_columns(*metadata);
    return result;
  }
  Stage stage;
  if (auto* table = find_key(o, "source-table")) {
    At at(*this, "source-table");
    stage.source = table_source(*table);
  } else if (auto* card = find_key(o, "source-card")) {
    auto id = json::as_integer(*card);
    if (!id || *id <= 0) fail("`source-card` is the id of a card.");
    stage.source = CardSource{CardId(*id)};
  } else {
    fail(what + " needs `source-table` or `source-query`.");
  }
  result.push_back(std::move(stage));
  return result;
}

Comparison Parser::comparison(const json::value& v) {
  auto* o = v.if_object();
  auto* field = o ? find_key(*o, "field") : nullptr;
  auto* by = o ? find_key(*o, "unit") : nullptr;
  if (!field || !by) fail("`compare` is a JSON object with the date in `field` and a `unit` such as month.");
  Comparison result;
  { At at(*this, "field"); result.field = reference(*field); }
  if (auto* named = std::get_if<FieldReference>(&result.field.node)) named->unit.reset();
  else if (auto* expression = std::get_if<ExpressionReference>(&result.field.node)) expression->unit.reset();
  else fail("The `field` of `compare` is a column or an expression.");
  result.unit = truncating_unit(*by);
  if (auto* periods = find_key(*o, "periods")) {
    auto n = json::as_integer(*periods);
    if (!n || *n < 1 || *n > 100'000) fail("`periods` is a number of units, 1 or more.");
    result.periods = *n;
  }
  if (auto* to_date = find_key(*o, "to-date")) result.to_date = to_date->is_bool() && to_date->get_bool();
  return result;
}

Append Parser::appended(const json::value& v) {
  auto* o = v.if_object();
  if (!o) fail("An appended query is a JSON object.");
  Append result;
  if (auto* distinct = find_key(*o, "distinct")) result.distinct = distinct->is_bool() && distinct->get_bool();
  result.stages = source_stages(*o, "An appended query");
  return result;
}

Join Parser::join(const json::value& v) {
  auto* o = v.if_object();
  if (!o) fail("A join is a JSON object.");
  Join result;
  result.stages = source_stages(*o, "A join");
  if (auto* parameters = find_key(*o, "parameters"); parameters && parameters->is_array())
    for (auto& parameter : parameters->get_array()) result.stages.back().parameters.push_back(parameter);
  result.alias = text_of(*o, "alias");
  if (auto* strategy = find_key(*o, "strategy")) {
    auto name = normal(text(*strategy, "`strategy`"));
    if (name == "left-join") result.strategy = JoinStrategy::Left;
    else if (name == "right-join") result.strategy = JoinStrategy::Right;
    else if (name == "inner-join") result.strategy = JoinStrategy::Inner;
    else if (name == "full-join") result.strategy = JoinStrategy::Full;
    else fail("`" + name + "` is no kind of join; it is left-join, right-join, inner-join or full-join.");
  }
  std::vector<Expression> conditions;
  if (auto* condition = find_key(*o, "condition")) { At at(*this, "condition"); add_filter(conditions, *condition); }
  if (auto* all = find_key(*o, "conditions")) {
    At at(*this, "conditions");
    auto& items = list(*all, "`conditions`");
    for (std::size_t i = 0; i < items.size(); ++i) { At at_item(*this, i); add_filter(conditions, items[i]); }
  }
  result.condition = conjunction(std::move(conditions));
  if (!result.condition) fail("A join needs a `condition`.");
  if (auto* fields = find_key(*o, "fields")) {
    At at(*this, "fields");
    if (fields->is_string()) {
      auto name = normal(fields->get_string());
      if (name == "all") result.fields = Join::Fields::All;
      else if (name != "none") fail("`fields` of a join is \"all\", \"none\" or a list of fields.");
    } else {
      result.listed = references(*fields, "`fields`");
      result.fields = result.listed.empty() ? Join::Fields::None : Join::Fields::Listed;
    }
  }
  return result;
}

std::vector<NamedExpression> Parser::expressions(const json::value& v) {
  std::vector<NamedExpression> result;
  if (auto* o = v.if_object()) {
    for (auto& entry : *o) {
      At at(*this, std::string_view(entry.key()));
      result.push_back({std::string(entry.key()), clause(entry.value())});
    }
  } else {
    auto& items = list(v, "`expressions`");
    for (std::size_t i = 0; i < items.size(); ++i) {
      At at(*this, i);
      auto* array = items[i].if_array();
      auto* options = array && array->size() > 1 ? (*array)[1].if_object() : nullptr;
      auto name = options ? json::text(*options, "lib/expression-name") : std::nullopt;
      if (!name) fail("An expression needs its name in `lib/expression-name`.");
      result.push_back({*name, clause(items[i])});
    }
  }
  for (std::size_t i = 0; i < result.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (result[i].name == result[j].name) fail("Two expressions are called `" + result[i].name + "`.");
  return result;
}

bool Parser::is_clause(const json::value& v) {
  auto* a = v.if_array();
  return a && !a->empty() && (*a)[0].is_string();
}

std::vector<Expression> Parser::aggregations(const json::value& v) {
  std::vector<Expression> result;
  auto add = [&](const json::value& item) {
    if (item.is_null()) return;
    std::string name = item.is_string() ? normal(item.get_string()) : is_clause(item) ? normal(item.get_array()[0].get_string()) : "";
    if (name == "rows") return;
    if (auto* a = item.if_array(); a && a->size() > 1)
      if (auto* options = (*a)[1].if_object())
        if (auto uuid = json::text(*options, "lib/uuid")) uuids_.emplace(*uuid, result.size());
    if (item.is_string()) result.push_back(clause(json::array{item}));
    else result.push_back(clause(item));
  };
  if (v.is_string() || is_clause(v)) {
    // "count", ["count"] or ["sum", …]; but ["count", "rows"-like lists of plain names] are old lists of clauses.
    add(v);
  } else {
    auto& items = list(v, "`aggregation`");
    for (std::size_t i = 0; i < items.size(); ++i) { At at(*this, i); add(items[i]); }
  }
  return result;
}

std::vector<Expression> Parser::references(const json::value& v, const char* what) {
  std::vector<Expression> result;
  if (is_clause(v)) {
    result.push_back(reference(v));
    return result;
  }
  auto& items = list(v, what);
  for (std::size_t i = 0; i < items.size(); ++i) {
    At at(*this, i);
    if (!items[i].is_null()) result.push_back(reference(items[i]));
  }
  return result;
}

Expression Parser::reference(const json::value& v) {
  if (auto id = json::as_integer(v); id && *id > 0) return {FieldReference{FieldId(*id)}};
  return clause(v);
}

Ordering Parser::ordering(const json::value& v) {
  auto* a = v.if_array();
  if (!a || a->size() < 2) fail("An ordering is [\"asc\" or \"desc\", what to order by].");
  auto direction = [&](const json::value& word) -> std::optional<Direction> {
    if (!word.is_string()) return std::nullopt;
    auto name = normal(word.get_string());
    if (name == "asc" || name == "ascending") return Direction::Ascending;
    if (name == "desc" || name == "descending") return Direction::Descending;
    return std::nullopt;
  };
  if (auto first = direction((*a)[0])) {
    auto& by = (*a)[1].is_object() && a->size() > 2 ? (*a)[2] : (*a)[1];
    return {*first, reference(by)};
  }
  if (auto second = direction((*a)[1])) return {*second, reference((*a)[0])};
  fail("An ordering is [\"asc\" or \"desc\", what to order by].");
}

Query parse_query(const json::value& dataset_query) { return Parser("").query(dataset_query); }

Expression parse_expression(const json::value& clause, std::string_view place) {
  return Parser(std::string(place)).expression(clause);
}

}  // namespace basalt::query
