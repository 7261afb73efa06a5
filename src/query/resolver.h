// Inside of resolve(): what the parts share. One Resolver serves one query on one thread.
#pragma once
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "query/failures.h"
#include "query/moments.h"
#include "query/resolve.h"
#include "query/types.h"

namespace basalt::query {

// Something in FROM, and the columns it offers. Tables are looked up in the catalogue when a column is asked for.
struct Relation {
  ResolvedSource source;
  const Table* table = nullptr;
  std::vector<ResultColumn> columns = {};   // not of tables
  std::vector<std::string> sql_names = {};  // beside them
  bool known = true;                        // false: native SQL whose columns nobody has said
};

struct JoinScope {
  std::string alias;                        // as the query calls it
  std::string sql_alias;
  Relation relation;
  Join::Fields fields = Join::Fields::None;
  std::vector<Expression> listed = {};
  std::optional<FieldId> fk = {};           // implicit: the key that is followed
  std::string fk_name = {};                 // its column in the previous stage, when it has no id here
  std::string fk_join_alias = {};
  std::string title = {};                   // implicit: "Product"
};

// A column found for a reference.
struct Found {
  Column column;
  const Field* field = nullptr;             // of a table
  const ResultColumn* inner = nullptr;      // of an earlier stage
  const JoinScope* join = nullptr;
};

struct Scope {
  const Stage& stage;
  Relation main;
  std::string place;                        // "query.stages[0]", for the sentences
  std::deque<JoinScope> joins = {};         // deque: pointers to entries stay good
  std::vector<ResolvedJoin> resolved_joins = {};
  std::map<std::string, Expression> expressions = {};  // resolved ones
  std::vector<std::string> expression_path = {};       // being resolved: finds circles
  std::vector<Expression> aggregations = {};           // resolved ones
  bool in_windows = false;                             // functions over rows may stand here
};

class Resolver {
 public:
  Resolver(Catalog& catalog, const ResolveOptions& options, DatabaseId database, std::string engine_zone);

  struct StageResult {
    Relation relation;                      // for the next stage
    std::shared_ptr<const ResolvedStage> stage;
    std::vector<ResultColumn> columns;
  };
  enum class Position { Inner, Last };
  // The stages from the innermost to `count`; always a SELECT of its own for the last one.
  StageResult stages(const std::vector<Stage>& stages, std::size_t count, Position position, const std::string& place);
  // The last stage with its subtotals (pivot.cpp).
  StageResult pivot(const std::vector<Stage>& stages, const PivotOptions& pivot);
  // A native query cut into pieces, its variables filled in (native.cpp).
  NativeText native_text(const NativeQuery& query, const json::array& parameters, std::vector<CardId>& cards);

  // A clause over qualified columns only, and a card's query as a sub-select: both for native SQL.
  Expression resolve_alone(const Stage& nothing, const Expression& clause);
  std::shared_ptr<const ResolvedStage> resolve_card(Query query);

  const json::array& parameters() const { return parameters_; }
  void use_parameters(json::array parameters) { parameters_ = std::move(parameters); }

  // A column of a table as field filters write it; with its coercion and unit.
  Expression qualified_field(const FieldReference& reference, const std::string& alias);
  // x compared with literals, see comparisons.cpp. `function` is =, !=, <, >, <=, >= or between; arguments are resolved.
  Expression comparison(Function function, std::vector<Expression> arguments, bool may_bucket);
  // The value by the month, or its month; `name` for the sentence when it has no such thing.
  Expression bucket(Expression e, TemporalUnit unit, const std::string& name, const std::string& mode = {});

  const Zone& zone() const { return *zone_; }
  int first_day() const { return first_day_; }
  Wall now() const { return zone_->wall(options_.now); }
  const ResolveOptions& options() const { return options_; }
  DatabaseId database() const { return database_; }
  Catalog& catalog() { return catalog_; }

 private:
  Relation source(const std::vector<Stage>& stages, std::size_t index, const std::string& place);
  Relation own_source(const std::vector<Stage>& stages, std::size_t index, const std::string& place);
  // The source with the rows of other queries below its own (append.cpp).
  Relation with_appended(Relation relation, const std::vector<Append>& others, const std::string& place);
  Relation joined(const std::vector<Stage>& stages, const std::string& place);
  void take_metadata(Relation& relation, const Stage& stage);
  StageResult stage(const Stage& stage, Relation main, Position position, const std::string& place);
  void join_all(Scope& scope);
  // The two kinds of SELECT list, and what is appended to both.
  void group(Scope& scope, ResolvedStage& result, std::vector<ResultColumn>& columns);
  void list_fields(Scope& scope, ResolvedStage& result, std::vector<ResultColumn>& columns);
  void add_windows(Scope& scope, ResolvedStage& result, std::vector<ResultColumn>& columns);
  void add_relation(Scope& scope, const Relation& relation, const JoinScope* join, ResolvedStage& result, std::vector<ResultColumn>& columns);
  void add_display_values(Scope& scope, ResolvedStage& result, std::vector<ResultColumn>& columns, std::map<std::size_t, std::size_t>& shown_by);
  void order(Scope& scope, ResolvedStage& result, const std::vector<ResultColumn>& columns, const std::map<std::size_t, std::size_t>& shown_by);
  void set_windows(Scope& scope, ResolvedStage& result);

  // fields.cpp
  Found find(Scope& scope, const FieldReference& reference);
  std::optional<Found> look_up(const Relation& relation, const std::string& sql_alias, const FieldReference& reference, const JoinScope* join);
  Found implicit_join(Scope& scope, const FieldReference& reference);
  Expression field_value(Scope& scope, const FieldReference& reference, const Found& found);
  Expression bin(Scope& scope, Expression e, const Binning& binning, const json::value& fingerprint, const std::optional<std::string>& semantic_type,
                 const FieldReference* reference, const std::string& name);
  std::optional<BinningInfo> bins(Scope& scope, const Binning& binning, const json::value& fingerprint, const std::optional<std::string>& semantic_type,
                                  const FieldReference* reference);
  std::string unique_alias(const Scope& scope, std::string alias) const;

  // expressions.cpp
  Expression value(Scope& scope, const Expression& e);
  Expression named_expression(Scope& scope, const ExpressionReference& reference);
  Expression in_period(Scope& scope, const Expression& e);
  const NamedExpression* expression_called(const Scope& scope, const std::string& name) const;
  void spend(const Expression& e);

  // comparisons.cpp
  struct Range { Wall low, high; std::optional<std::chrono::seconds> offset; bool exact = false; };
  Range range_of(const Expression& literal, TypeKind kind, std::optional<TemporalUnit> unit);
  Expression temporal_comparison(Function function, Expression subject, std::vector<Expression> values, bool may_bucket);
  Expression temporal_literal(Wall wall, TypeKind kind, std::optional<std::chrono::seconds> offset = {});
  Expression typed_literal(Expression e, TypeKind kind);

  // names.cpp
  ResultColumn describe(Scope& scope, const Expression& original, const Expression& resolved);
  std::string title(Scope& scope, const Expression& original, bool nested = false);
  ResultColumn describe_found(Scope& scope, const FieldReference& reference, const Found& found, const Expression& resolved);

  Catalog& catalog_;
  const ResolveOptions& options_;
  DatabaseId database_;
  const Zone* zone_;
  int first_day_;
  json::array parameters_;
  std::size_t nodes_ = 0;
  int depth_ = 0, card_depth_ = 0;
};

// 60 bytes at most: longer names are cut and end in a hash of the whole.
std::string sql_identifier(const std::string& name);
// Title without a trailing " ID": "Product ID" -> "Product".
std::string without_id(std::string title);
// Clause for people: "query.aggregation[1]".
std::string clause_place(const std::string& stage, const char* clause, std::size_t index);

}  // namespace basalt::query
