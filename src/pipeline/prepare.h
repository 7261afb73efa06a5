// From a query as JSON to SQL that may be run: parse -> rights -> resolve -> compile.
#pragma once
#include "pipeline/run_query.h"
#include "query/columns.h"
#include "rows/batch.h"
#include "sql/compile.h"

namespace basalt::pipeline {

struct Prepared {
  DatabaseId database;
  std::string engine;
  const sql::Dialect* dialect = nullptr;
  sql::Statement statement;
  std::vector<query::ResultColumn> columns;  // empty when !columns_known
  bool columns_known = true;
  std::int64_t row_cap = 0;                  // 0: none
  std::string time_zone;                     // of the results; never empty
  bool integers_as_text = true;
  std::chrono::milliseconds deadline{0};     // how long it may run
};

enum class Ask { Rights, NativeRights, Nothing };  // NativeRights: also the right to see SQL

// Throws Failure BadRequest with a field when the body is no query at all, Forbidden, NotFound, BadRequest (invalid-query …),
// Unsupported.
Prepared prepare(Environment& environment, const permissions::Rights& rights, const QueryRequest& request, Ask ask,
                 sql::CompileOptions options = {});

// The columns of a result whose columns only the driver knows, with what a model's stored metadata says about them.
std::vector<query::ResultColumn> native_columns(const std::vector<rows::Column>& columns, const json::value& card_metadata);
// Fills in types that the compiler could not know.
void refine(std::vector<query::ResultColumn>& columns, const std::vector<rows::Column>& found);

json::value to_json(const std::vector<sql::BoundValue>& values);  // null when there are none

}  // namespace basalt::pipeline
