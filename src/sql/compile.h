// A resolved query to the SQL of one engine.
#pragma once
#include <vector>

#include "query/resolve.h"
#include "sql/dialect.h"
#include "sql/statement.h"

namespace basalt::sql {

struct CompileOptions {
  enum class Layout { OneLine, Lines, Pretty } layout = Layout::OneLine;  // Lines: a clause a line; Pretty: also a column, a condition a line
};

struct Compiled {
  Statement statement;
  // As query::ResolvedQuery::columns: in the order of the SQL's columns, those with `labels_of` (no SQL column) last.
  std::vector<query::ResultColumn> columns;
  bool columns_known = true;
};

// Throws Failure Unsupported naming what the engine cannot do. Pure; any thread.
Compiled compile(const query::ResolvedQuery& query, const Dialect& dialect, const CompileOptions& options = {});

// The text with its values written in as literals, for showing and copying only; never run.
std::string show(const Statement& statement, const Dialect& dialect);

}  // namespace basalt::sql
