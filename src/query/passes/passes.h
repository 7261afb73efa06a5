// Rewrites of the parsed query, query to query, each in a file of its own. all.cpp says in which order and why.
#pragma once
#include <functional>
#include <span>

#include "query/catalog.h"
#include "query/query.h"
#include "query/resolve.h"

namespace basalt::query {

struct PassContext {
  Catalog& catalog;
  const ResolveOptions& options;
};

struct Pass {
  const char* name;                                        // the file's
  Query (*rewrite)(Query query, const PassContext& context);
  const char* why_here;
};

std::span<const Pass> all_passes();

Query source_cards(Query query, const PassContext& context);
Query metrics(Query query, const PassContext& context);
Query segments(Query query, const PassContext& context);
Query parameters(Query query, const PassContext& context);
Query comparisons(Query query, const PassContext& context);
Query desugar(Query query, const PassContext& context);
Query limits(Query query, const PassContext& context);

// How the column of an aggregation is called when nobody says: "sum", "count"… (names.cpp).
std::string column_name(const Call& aggregation);

// Changes an aggregation (or what is computed from several) so that it counts only the rows that `filter` leaves.
void restrict_aggregation(Expression& aggregation, const Expression& filter);

// For clauses that passes make outside of a query (field filters of native SQL).
void desugar_clause(Expression& clause);

// Columns from a card's result_metadata.
std::vector<StoredColumn> stored_columns(const json::value& metadata);

// Calls `visit` for every clause of the stage, outermost first; not of the queries it joins or appends.
void each_clause(Stage& stage, const std::function<void(Expression&)>& visit);
// Calls `visit` for every list of stages: the query's own, those of joins and appended ones, inner ones first.
void each_stages(std::vector<Stage>& stages, const std::function<void(std::vector<Stage>&)>& visit);

// The row cap that binds this query: the smaller of the options' and its own constraints. 0: none.
std::int64_t row_cap(const Query& query, const ResolveOptions& options);

}  // namespace basalt::query
