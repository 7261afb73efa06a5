// From a query as JSON to SQL that may be run: parse -> rights -> resolve -> compile.
#pragma once
#include "pipeline/compile_cache.h"
#include "pipeline/run_query.h"
#include "query/columns.h"
#include "rows/batch.h"
#include "sql/compile.h"

namespace basalt::pipeline {

struct Prepared {
  std::shared_ptr<const CompiledQuery> compiled;  // may be shared with other runs
  std::chrono::milliseconds deadline{0};          // how long it may run
  const CompiledQuery* operator->() const { return compiled.get(); }
};

enum class Ask { Rights, NativeRights, Nothing };  // NativeRights: also the right to see SQL

// Compiles, or takes what was compiled before; the rights are asked in both cases.
// Throws Failure BadRequest with a field when the body is no query at all, Forbidden, NotFound, BadRequest (invalid-query …),
// Unsupported.
Prepared prepare(Environment& environment, const permissions::Rights& rights, const QueryRequest& request, Ask ask,
                 sql::CompileOptions options = {});

// The columns of a result and how they are shown: the compiler's, completed by the driver's. Kept with the compiled query.
std::shared_ptr<const Shown> show_columns(const CompiledQuery& compiled, const std::vector<rows::Column>& found, const json::value& card_metadata);

// The columns of a result whose columns only the driver knows, with what a model's stored metadata says about them.
std::vector<query::ResultColumn> native_columns(const std::vector<rows::Column>& columns, const json::value& card_metadata);
// Fills in types that the compiler could not know.
void refine(std::vector<query::ResultColumn>& columns, const std::vector<rows::Column>& found);

json::value to_json(const std::vector<sql::BoundValue>& values);  // null when there are none

}  // namespace basalt::pipeline
