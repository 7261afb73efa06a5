// Segments and measures: clauses that are saved with a table.
#pragma once
#include "query/catalog.h"
#include "query/query.h"

namespace basalt::query {

inline constexpr int deepest_saved_clause = 10;  // built on each other

struct SavedClause {
  std::string name;
  Stage stage;  // over its table, with a filter or with one aggregation
};
// Of ["segment", id] or ["measure", id]. Throws NotFound, and BadRequest when the definition is none any more.
SavedClause saved_clause(const Expression& reference, Catalog& catalog);

}  // namespace basalt::query
