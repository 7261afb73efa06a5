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
Query desugar(Query query, const PassContext& context);
Query limits(Query query, const PassContext& context);

// For clauses that passes make outside of a query (field filters of native SQL).
void desugar_clause(Expression& clause);

// Calls `visit` for every clause of the query, joins and nested stages included, outermost first.
void each_clause(Query& query, const std::function<void(Expression&)>& visit);
// Calls `visit` for every list of stages: the query's own and those of joins, inner ones first.
void each_stages(std::vector<Stage>& stages, const std::function<void(std::vector<Stage>&)>& visit);

// The row cap that binds this query: the smaller of the options' and its own constraints. 0: none.
std::int64_t row_cap(const Query& query, const ResolveOptions& options);

}  // namespace basalt::query
