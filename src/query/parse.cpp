#include "query/parse.h"

#include <charconv>
#include <unordered_map>

#include "query/failures.h"

namespace basalt::query {
namespace {

constexpr int deepest = 240;          // two for each nested clause or stage
constexpr int most_clauses = 20'000;  // in one query

// "Source_Table", ":source-table", "SOURCE-TABLE" -> "source-table".
std::string normal(std::string_view name) {
  if (!name.empty() && name.front() == ':') name.remove_prefix(1);
  std::string out(name);
  for (auto& c : out) {
    if (c == '_') c = '-';
    else if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// Value of a key in whichever spelling; null counts as absent.
const json::value* find_key(const json::object& o, std::string_view key) {
  auto* exact = o.if_contains(key);
  if (exact) return exact->is_null() ? nullptr : exact;
  for (auto& entry : o)
    if (entry.key().size() >= key.size() && entry.key().size() <= key.size() + 1 && normal(entry.key()) == key)
      return entry.value().is_null() ? nullptr : &entry.value();
  return nullptr;
}
std::string text_of(const json::object& o, std::string_view key) {
  auto* v = find_key(o, key);
  return v && v->is_string() ? std::string(v->get_string()) : std::string();
}

struct Alias { std::string_view name, means; TemporalUnit unit = TemporalUnit::Default; };
constexpr Alias aliases[] = {
    {"in", "="}, {"not-in", "!="}, {"if", "case"}, {"not-equal", "!="}, {"standard-deviation", "stddev"},
    {"get-year", "temporal-extract", TemporalUnit::YearOfEra}, {"get-quarter", "temporal-extract", TemporalUnit::QuarterOfYear},
    {"get-month", "temporal-extract", TemporalUnit::MonthOfYear}, {"get-day", "temporal-extract", TemporalUnit::DayOfMonth},
    {"get-hour", "temporal-extract", TemporalUnit::HourOfDay}, {"get-minute", "temporal-extract", TemporalUnit::MinuteOfHour},
    {"get-second", "temporal-extract", TemporalUnit::SecondOfMinute},
    {"get-day-of-week", "temporal-extract", TemporalUnit::DayOfWeek}, {"get-week", "temporal-extract", TemporalUnit::WeekOfYearIso},
};

class Parser {
 public:
  explicit Parser(std::string start) : path_(std::move(start)) {}

  Query query(const json::value& v) {
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

  Expression expression(const json::value& v) { return clause(v); }

 private:
  // Remembers where we are for the sentences, and how deep.
  struct At {
    Parser& parser;
    std::size_t length;
    At(Parser& p, std::string_view step) : parser(p), length(p.path_.size()) {
      if (!p.path_.empty()) p.path_ += '.';
      p.path_ += step;
      p.enter();
    }
    At(Parser& p, std::size_t index) : parser(p), length(p.path_.size()) {
      p.path_ += '[';
      p.path_ += std::to_string(index);
      p.path_ += ']';
      p.enter();
    }
    ~At() { parser.path_.resize(length); --parser.depth_; }
  };
  void enter() {
    // Counted before the check: the destructor of a half-built At does not run.
    if (depth_ + 1 > deepest) fail("The query is nested too deeply.");
    ++depth_;
    if (++clauses_ > most_clauses) fail("The query has too many clauses.");
  }

  [[noreturn]] void fail(std::string sentence) const { invalid_query(std::move(sentence), path_); }

  const json::object* object_at(const json::object& o, std::string_view key) {
    auto* v = find_key(o, key);
    return v ? v->if_object() : nullptr;
  }
  const json::array& list(const json::value& v, const char* what) {
    if (!v.is_array()) fail(std::string(what) + " has to be a list.");
    return v.get_array();
  }
  std::string text(const json::value& v, const char* what) {
    if (!v.is_string()) fail(std::string(what) + " has to be text.");
    return std::string(v.get_string());
  }

  // ---- stages

  std::vector<Stage> stage_list(const json::value& v) {
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

  // MBQL 4: the innermost query comes first in the result.
  std::vector<Stage> inner_query(const json::value& v) {
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

  Source table_source(const json::value& v) {
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

  Stage stage(const json::object& o) {
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
      else result.source = NativeSource{{text(*v, "`native`"), template_tags(find_key(o, "template-tags"))}};
    }
    if (auto* v = find_key(o, "source-metadata")) result.source_metadata = stored_columns(*v);
    if (auto* v = find_key(o, "joins")) {
      At at(*this, "joins");
      auto& items = list(*v, "`joins`");
      for (std::size_t i = 0; i < items.size(); ++i) { At at_item(*this, i); result.joins.push_back(join(items[i])); }
    }
    if (auto* v = find_key(o, "expressions")) { At at(*this, "expressions"); result.expressions = expressions(*v); }
    if (auto* v = find_key(o, "aggregation")) { At at(*this, "aggregation"); result.aggregations = aggregations(*v); }
    if (auto* v = find_key(o, "breakout")) { At at(*this, "breakout"); result.breakouts = references(*v, "`breakout`"); }
    if (auto* v = find_key(o, "fields")) {
      At at(*this, "fields");
      // "all" and "none" are the joins' words; here they mean the implicit list.
      if (v->is_array()) {
        auto fields = references(*v, "`fields`");
        if (!fields.empty()) result.fields = std::move(fields);
      }
    }
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

  void add_filter(std::vector<Expression>& filters, const json::value& v) {
    if (v.is_null() || (v.is_array() && v.get_array().empty())) return;
    filters.push_back(clause(v));
  }

  static std::optional<Expression> conjunction(std::vector<Expression> filters) {
    std::vector<Expression> kept;
    for (auto& filter : filters)
      if (!(filter.is(Function::And) && filter.arguments.empty())) kept.push_back(std::move(filter));
    if (kept.empty()) return std::nullopt;
    if (kept.size() == 1) return std::move(kept[0]);
    return Expression{Call{Function::And}, std::move(kept)};
  }

  std::vector<StoredColumn> stored_columns(const json::value& v) {
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

  Join join(const json::value& v) {
    auto* o = v.if_object();
    if (!o) fail("A join is a JSON object.");
    Join result;
    if (auto* stages = find_key(*o, "stages")) {
      At at(*this, "stages");
      result.stages = stage_list(*stages);
    } else if (auto* source = find_key(*o, "source-query")) {
      At at(*this, "source-query");
      result.stages = inner_query(*source);
      if (auto* metadata = find_key(*o, "source-metadata"); metadata && result.stages[0].source_metadata.empty())
        result.stages[0].source_metadata = stored_columns(*metadata);
    } else if (auto* table = find_key(*o, "source-table")) {
      At at(*this, "source-table");
      Stage stage;
      stage.source = table_source(*table);
      result.stages.push_back(std::move(stage));
    } else if (auto* card = find_key(*o, "source-card")) {
      auto id = json::as_integer(*card);
      if (!id || *id <= 0) fail("`source-card` is the id of a card.");
      Stage stage;
      stage.source = CardSource{CardId(*id)};
      result.stages.push_back(std::move(stage));
    } else {
      fail("A join needs `source-table` or `source-query`.");
    }
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

  std::vector<NamedExpression> expressions(const json::value& v) {
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

  bool is_clause(const json::value& v) {
    auto* a = v.if_array();
    return a && !a->empty() && (*a)[0].is_string();
  }

  std::vector<Expression> aggregations(const json::value& v) {
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

  std::vector<Expression> references(const json::value& v, const char* what) {
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

  // A clause, or the bare id of a field.
  Expression reference(const json::value& v) {
    if (auto id = json::as_integer(v); id && *id > 0) return {FieldReference{FieldId(*id)}};
    return clause(v);
  }

  Ordering ordering(const json::value& v) {
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

  // ---- native

  NativeQuery native_query(const json::value& v) {
    auto* o = v.if_object();
    if (!o) fail("`native` is a JSON object with the SQL in `query`.");
    auto* sql = find_key(*o, "query");
    if (!sql || !sql->is_string()) fail("`native` needs its SQL as text in `query`.");
    return {std::string(sql->get_string()), template_tags(find_key(*o, "template-tags"))};
  }

  std::vector<TemplateTag> template_tags(const json::value* v) {
    std::vector<TemplateTag> result;
    if (!v) return result;
    At at(*this, "template-tags");
    if (auto* o = v->if_object()) {
      for (auto& entry : *o) {
        At at_tag(*this, std::string_view(entry.key()));
        result.push_back(template_tag(entry.value(), std::string(entry.key())));
      }
    } else {
      for (auto& item : list(*v, "`template-tags`")) result.push_back(template_tag(item, ""));
    }
    return result;
  }

  TemplateTag template_tag(const json::value& v, std::string key) {
    auto* o = v.if_object();
    if (!o) fail("A template tag is a JSON object.");
    TemplateTag tag;
    tag.name = text_of(*o, "name");
    if (tag.name.empty()) tag.name = key;
    if (!key.empty() && tag.name != key) fail("The template tag `" + key + "` calls itself `" + tag.name + "`: both have to be the same.");
    tag.display_name = text_of(*o, "display-name");
    tag.id = text_of(*o, "id");
    tag.type = normal(text_of(*o, "type"));
    if (tag.type.empty()) tag.type = "text";
    constexpr std::string_view known[] = {"text", "number", "date", "boolean", "dimension", "snippet", "card", "temporal-unit", "table"};
    if (std::find(std::begin(known), std::end(known), tag.type) == std::end(known))
      fail("`" + tag.type + "` is no type of a template tag.");
    if (auto* value = find_key(*o, "default")) tag.default_value = *value;
    if (auto* value = find_key(*o, "required")) tag.required = value->is_bool() && value->get_bool();
    if (auto* value = find_key(*o, "dimension")) {
      At at(*this, "dimension");
      auto read = reference(*value);
      auto* field = std::get_if<FieldReference>(&read.node);
      if (!field) fail("`dimension` is a reference to a field.");
      tag.dimension = std::move(*field);
    }
    if ((tag.type == "dimension" || tag.type == "temporal-unit") && !tag.dimension) fail("A template tag of type " + tag.type + " needs its field in `dimension`.");
    tag.widget_type = text_of(*o, "widget-type");
    tag.alias = text_of(*o, "alias");
    if (auto* options = object_at(*o, "options")) tag.options = *options;
    tag.snippet_name = text_of(*o, "snippet-name");
    if (auto* value = find_key(*o, "card-id"))
      if (auto id = json::as_integer(*value)) tag.card = CardId(*id);
    if (auto* value = find_key(*o, "table-id"))
      if (auto id = json::as_integer(*value)) tag.table = TableId(*id);
    return tag;
  }

  // ---- clauses

  Expression clause(const json::value& v) {
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

  struct Parts {
    std::vector<const json::value*> arguments;
    const json::object* options = nullptr;
    std::size_t first = 1;
  };

  void count_arguments(const std::string& name, const Parts& parts, std::size_t fewest, std::size_t most) {
    auto n = parts.arguments.size();
    if (n >= fewest && n <= most) return;
    auto word = [](std::size_t k) { return k == 1 ? std::string("1 argument") : std::to_string(k) + " arguments"; };
    std::string wanted = fewest == most ? word(fewest) : most >= any_number ? "at least " + word(fewest) : std::to_string(fewest) + " to " + word(most);
    fail("`" + name + "` takes " + wanted + ", not " + std::to_string(n) + ".");
  }

  TemporalUnit unit(const json::value& v) {
    if (v.is_string())
      if (auto found = temporal_unit(normal(v.get_string()))) return *found;
    fail(v.is_string() ? "`" + std::string(v.get_string()) + "` is no unit of time; units are minute, hour, day, week, month, quarter, year and their like."
                       : "A unit of time has to be text, such as \"month\".");
  }
  TemporalUnit truncating_unit(const json::value& v) {
    auto read = unit(v);
    if (!is_truncating(read)) fail("`" + std::string(name_of(read)) + "` counts nothing here; use day, week, month, quarter, year or their like.");
    return read;
  }

  Binning binning(const json::value& v) {
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

  template <class Reference>
  void read_bucketing(Reference& reference, const json::object& options) {
    if (auto* v = find_key(options, "temporal-unit")) reference.unit = unit(*v);
    if (auto* v = find_key(options, "binning")) reference.binning = binning(*v);
  }

  void read_field_options(FieldReference& field, const json::object& options) {
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

  // The inner part of an old wrapper: a field in any spelling.
  FieldReference inner_field(const json::value& v) {
    auto read = reference(v);
    if (v.is_string()) return FieldReference{std::string(v.get_string())};
    auto* field = std::get_if<FieldReference>(&read.node);
    if (!field) fail("A field stands here, as in [\"field\", 12, null].");
    return std::move(*field);
  }

  Expression field(const Parts& parts) {
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

  std::optional<Expression> old_reference(const std::string& name, const Parts& parts) {
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

  Expression named_clause(const std::string& name, const Parts& parts) {
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
    return call_clause(std::move(call), *function, parts);
  }

  void read_call_options(Call& call, const json::object& options) {
    if (auto* v = find_key(options, "case-sensitive"); v && v->is_bool()) call.case_sensitive = v->get_bool();
    if (auto* v = find_key(options, "include-current"); v && v->is_bool()) call.include_current = v->get_bool();
    if (auto* v = find_key(options, "name"); v && v->is_string()) call.name = std::string(v->get_string());
    if (auto* v = find_key(options, "display-name"); v && v->is_string()) call.display_name = std::string(v->get_string());
    if (auto* v = find_key(options, "mode"); v && v->is_string()) call.mode = normal(v->get_string());
  }

  Expression argument(const Parts& parts, std::size_t i) {
    At at(*this, i + parts.first);
    return clause(*parts.arguments[i]);
  }

  void extract_mode(Call& call, const json::value& v) {
    auto mode = normal(text(v, "The mode of a week"));
    if (mode != "iso" && mode != "us" && mode != "instance") fail("The mode of a week is iso, us or instance.");
    if (call.unit == TemporalUnit::WeekOfYearIso && mode == "us") call.unit = TemporalUnit::WeekOfYearUs;
    else if (call.unit == TemporalUnit::WeekOfYearIso && mode == "instance") call.unit = TemporalUnit::WeekOfYearInstance;
    else call.mode = mode;
  }

  Expression named_aggregation(const std::string& name, const Parts& parts) {
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

  Expression case_clause(Call call, const Parts& parts) {
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

  // Whole numbers of units; "current", "last" and "next" for time-interval.
  Expression count_of_units(const Parts& parts, std::size_t i) {
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

  Expression call_clause(Call call, const FunctionInfo& function, const Parts& parts) {
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

  Expression field_argument(const Parts& parts) {
    At at(*this, parts.first);
    return reference(*parts.arguments[0]);
  }

  // In very old queries a bare id stands for a field: ["sum", 12], ["is-null", 12], ["=", 12, "abc"].
  static bool bare_id_means_field(const FunctionInfo& function, const Parts& parts) {
    if (parts.arguments.empty() || !parts.arguments[0]->is_int64()) return false;
    if (parts.options && parts.first == 2) return false;
    if (function.group == Group::Aggregation) return function.function != Function::CountWhere && function.function != Function::Share;
    if (function.group != Group::Filter) return false;
    if (parts.arguments.size() == 1) return function.function != Function::Not;
    return parts.arguments[1]->is_string();
  }

  std::string path_;
  int depth_ = 0, clauses_ = 0;
  std::unordered_map<std::string, std::size_t> uuids_;
};

}  // namespace

Query parse_query(const json::value& dataset_query) { return Parser("").query(dataset_query); }

Expression parse_expression(const json::value& clause, std::string_view place) {
  return Parser(std::string(place)).expression(clause);
}

}  // namespace basalt::query
