// The structured query as a tree of values: what parse.h reads from JSON (MBQL 4 or 5) and what the passes rewrite.
// Nothing here knows SQL; nothing here has been looked up yet.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/json.h"
#include "query/functions.h"
#include "query/temporal_unit.h"

namespace basalt::query {

struct Binning {
  enum class Strategy { Default, NumBins, BinWidth } strategy = Strategy::Default;
  double number = 0;  // bins or width
};

// A literal: null, boolean, integer, double or text. Temporal texts stay text until the other operand says their type.
struct Literal {
  json::value value;
  std::string base_type = {};  // from ["value", …], often empty
};

// ["field", …] in whichever spelling. A name addresses a column of the previous stage, of native SQL or of a card.
struct FieldReference {
  std::variant<FieldId, std::string> field;
  std::string join_alias = {};
  std::optional<FieldId> source_field = {};        // follow this foreign key (implicit join)
  std::string source_field_name = {}, source_field_join_alias = {};
  std::string base_type = {}, effective_type = {};
  std::optional<TemporalUnit> unit = {};
  std::optional<Binning> binning = {};
};

struct ExpressionReference {
  std::string name;
  std::optional<TemporalUnit> unit = {};
  std::optional<Binning> binning = {};
  std::string base_type = {};
};

struct AggregationReference {
  std::size_t index = 0;
  std::string uuid = {};       // MBQL 5 names the aggregation by its uuid; replaced by the index while parsing
};

// A resolved column: `source` is the alias of a join, empty for the stage's own source; `name` as it is called there.
// With `table` it is written as "schema"."table"."name" instead (field filters in native SQL).
struct Column {
  std::string source;
  std::string name;
  std::string base_type;       // effective type
  std::optional<std::string> schema = {}, table = {};
  bool verbatim = false;       // `name` is SQL of the author (a field filter's alias)
  bool required = false;       // a primary key: never null where its table is not joined from outside
};

enum class Direction { Ascending, Descending };

// Every function, filter clause and aggregation. Arguments lie in Expression::arguments.
// Case: predicate, value, predicate, value, …, and the default when their number is odd.
struct Call {
  Function function;
  std::optional<TemporalUnit> unit = {};  // truncate, extract, intervals, datetime-add…
  bool case_sensitive = true;             // contains and its like
  bool include_current = false;           // time-interval
  std::string mode = {};                  // week mode, coercion strategy, datetime mode, time zone
  double low = 0, width = 0;              // bin
  std::string name = {}, display_name = {};  // aggregation-options
  std::string gives = {};                 // coerce: the type it makes
  // Over which rows a window function runs: the last `partitions` arguments before the last `directions.size()` ones, which
  // it orders by. What stands before them are its own.
  std::size_t partitions = 0;
  std::vector<Direction> directions = {};
};

struct Expression {
  std::variant<Literal, FieldReference, ExpressionReference, AggregationReference, Column, Call> node;
  std::vector<Expression> arguments = {};  // only of calls

  const Call* call() const { return std::get_if<Call>(&node); }
  Call* call() { return std::get_if<Call>(&node); }
  const Literal* literal() const { return std::get_if<Literal>(&node); }
  bool is(Function function) const { auto* c = call(); return c && c->function == function; }
};

struct Ordering {
  Direction direction = Direction::Ascending;
  Expression by;
};

struct NamedExpression {
  std::string name;
  Expression expression;
};

struct Stage;

struct TemplateTag {
  std::string name, display_name, id, type;      // text | number | date | boolean | dimension | snippet | card | temporal-unit | table
  json::value default_value = nullptr;
  bool required = false;
  std::optional<FieldReference> dimension = {};  // field filter, temporal-unit
  std::string widget_type = {}, alias = {};
  json::object options = {};
  std::string snippet_name = {};
  std::optional<CardId> card = {};
  std::optional<TableId> table = {};
  std::string table_schema = {}, table_name = {};  // a table by name, where it has no id
};

struct NativeQuery {
  std::string text;
  std::vector<TemplateTag> tags = {};
  json::value tags_as_given = nullptr;           // the same tags as they were sent, and what else stood beside the text
  json::object more = {};
  bool from_card = false;                        // of a card used as a source: the query's parameters are not its own
};

// `stages` of the card are filled in by passes/source_cards.
struct TableSource { TableId table; };
struct CardSource { CardId card; };
struct NativeSource { NativeQuery query; };

struct PreviousStage {};                         // every stage but the first

using Source = std::variant<TableSource, CardSource, NativeSource, PreviousStage>;

enum class JoinStrategy { Left, Right, Inner, Full };
struct Join {
  std::vector<Stage> stages;                     // what is joined; one stage with only a source for a plain table
  std::string alias;
  JoinStrategy strategy = JoinStrategy::Left;
  std::optional<Expression> condition;
  enum class Fields { None, All, Listed } fields = Fields::None;
  std::vector<Expression> listed = {};
};

// Each aggregation beside its value `periods` units of time earlier (passes/comparisons.cpp).
struct Comparison {
  Expression field;                              // the date
  TemporalUnit unit = TemporalUnit::Month;
  std::int64_t periods = 1;
  bool to_date = false;
};

// Rows of another query, matched to the columns of the source by name; what it lacks is null, what it has besides is left out.
struct Append {
  std::vector<Stage> stages;
  bool distinct = false;                         // equal rows only once, of all that stands above too
};

// Column metadata stored with a card or sent along with a nested query: the columns of native SQL are known only from it.
struct StoredColumn {
  std::string name, display_name, base_type, effective_type;
  json::object all = {};                         // as stored: ids, semantic type, fingerprint, description…
};

struct Stage {
  Source source = PreviousStage{};
  std::vector<StoredColumn> source_metadata = {};
  std::optional<CardId> from_card = {};          // the card this stage's source was inlined from
  bool from_model = false;                       // and it is a model: its names and types win
  std::vector<Append> append = {};               // rows put below those of the source, before anything else happens
  std::vector<Join> joins = {};
  std::vector<NamedExpression> expressions = {};
  std::vector<NamedExpression> windows = {};     // columns computed over the rows that the filter leaves
  std::optional<Expression> filter = {};
  std::vector<Expression> aggregations = {}, breakouts = {};
  std::optional<std::vector<Expression>> fields = {};
  std::optional<Comparison> compare = {};
  std::vector<Ordering> order_by = {};
  std::optional<std::int64_t> limit = {};
  std::optional<std::pair<std::int64_t, std::int64_t>> page = {};  // page (1-based), items
  json::array parameters = {};                   // parameters of this level only

  bool grouped() const { return !aggregations.empty() || !breakouts.empty(); }
};

struct Query {
  DatabaseId database;
  std::vector<Stage> stages;                     // innermost first; never empty
  json::array parameters = {};
  // {"report-timezone": …} of the query itself, constraints and middleware as sent; empty objects when absent.
  json::object settings = {}, constraints = {}, middleware = {};
  bool is_native() const { return stages.size() == 1 && std::holds_alternative<NativeSource>(stages[0].source); }
};

}  // namespace basalt::query
