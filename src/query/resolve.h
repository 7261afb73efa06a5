// A parsed query, looked up in the catalogue and put through all passes: ready to be written as SQL.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "query/catalog.h"
#include "query/columns.h"
#include "query/query.h"

namespace basalt::query {

// The instant that "now" means in a query. It notes that it was asked for: what was made without asking holds at any time.
class Now {
 public:
  Now(Timestamp at = {}) : at_(at) {}
  operator Timestamp() const {
    if (asked_) *asked_ = true;
    return at_;
  }
  void tell(bool& asked) { asked_ = &asked; }  // `asked` outlives this and its copies

 private:
  Timestamp at_;
  bool* asked_ = nullptr;
};

// What a pivot table shows besides the groups themselves: subtotals of rows and columns, given as indexes of breakouts.
struct PivotOptions {
  bool known = false;                  // false: nobody said what rows and columns are, so every combination is shown
  std::vector<std::size_t> rows = {}, columns = {};
  bool row_totals = true, column_totals = true;
};

struct ResolveOptions {
  json::array parameters = {};         // values with targets, besides those in the query itself
  Now now = {};                        // relative dates count from here
  std::string time_zone = {};          // IANA name of the report time zone; empty: UTC
  std::string start_of_week = "sunday";
  std::int64_t breakout_bins = 8;
  double breakout_bin_width = 10.0;
  // Row caps; 0: none. The query's own `constraints` are honoured when smaller.
  std::int64_t max_results = 0, max_results_bare = 0;
  json::value card_metadata = nullptr; // stored result_metadata of the model that is run: its titles and types win
  bool remaps = true;                  // display values of keys
  std::optional<PivotOptions> pivot = {};
  bool time_zones = true;              // false: the engine has none, its clocks and "now" are those of UTC
};

struct ResolvedStage;

// Native SQL cut into pieces: text, bound values, conditions of field filters, and cards inlined as sub-selects.
struct NativePiece {
  std::variant<std::string, Expression, std::shared_ptr<const ResolvedStage>> content;
  enum class As { Text, Expression, Query } as = As::Text;
};
struct NativeText { std::vector<NativePiece> pieces; };

struct TableName { std::optional<std::string> schema; std::string name; };

// shared_ptr: stages are immutable once resolved, and a card used twice is resolved once.
// The first part's rows and below them the others'; `distinct` beside each of the others.
struct ResolvedUnion {
  std::vector<std::shared_ptr<const ResolvedStage>> parts;
  std::vector<bool> distinct;
};
using ResolvedSource = std::variant<TableName, NativeText, std::shared_ptr<const ResolvedStage>, std::shared_ptr<const ResolvedUnion>>;

struct ResolvedJoin {
  ResolvedSource source;
  std::string alias;
  JoinStrategy strategy = JoinStrategy::Left;
  std::optional<Expression> condition;  // absent: every row with every row
};

struct Output {
  Expression expression;
  std::string name;                     // alias in SQL, unique within the stage
};

struct ResolvedOrdering {
  Direction direction = Direction::Ascending;
  std::optional<std::size_t> output = {};  // orders by this output…
  Expression by = {};                      // …or else by this
};

// One SELECT. All references are Columns, all names final.
struct ResolvedStage {
  ResolvedSource source;
  std::string alias;                    // of the source in SQL
  std::vector<ResolvedJoin> joins;
  std::optional<Expression> filter;
  bool all_columns = false;             // every column of the source comes first: they are not known
  std::vector<Output> outputs;
  std::vector<std::size_t> group_by;    // outputs
  bool grouped = false;
  std::vector<ResolvedOrdering> order_by;
  // Over what running totals and offsets run: the same for all of a stage.
  std::vector<Expression> window_partition;
  std::vector<ResolvedOrdering> window_order;  // `output` unused
  std::optional<std::int64_t> limit, offset;
  bool verbatim = false;                // a native query by itself: only its text, no SELECT around it
};

struct ResolvedQuery {
  DatabaseId database;
  std::shared_ptr<const ResolvedStage> stage;
  std::vector<ResultColumn> columns;    // empty with columns_known false: take the driver's, by native_column()
  bool columns_known = true;
  bool native = false;                  // a native query by itself
  std::int64_t row_cap = 0;             // cut rows here and say so (rows_truncated); 0: none. SQL may ask for one row more.
  std::string time_zone;                // IANA name the session has to run in, never empty
  std::string start_of_week;
};

// Throws Failure BadRequest (error_type "invalid-query", "missing-required-parameter" or "invalid-parameter", with the place),
// NotFound for tables, fields and cards that are gone, Unsupported for clauses we do not have. `query` is taken by value: the
// passes rewrite it.
ResolvedQuery resolve(Query query, Catalog& catalog, const ResolveOptions& options);

}  // namespace basalt::query
