// The shape of the API's answer to a query (http-api.md §4.2, §4.3): what stands around the rows.
#pragma once
#include "base/failure.h"
#include "base/time.h"
#include "pipeline/run_query.h"
#include "query/columns.h"
#include "sql/statement.h"

namespace basalt::pipeline {

struct Shown;

struct RunFacts {
  DatabaseId database;                    // 0: not known
  const QueryRequest& request;
  Timestamp started_at;
  std::chrono::milliseconds took{0};
  std::int64_t row_count = 0;
  std::int64_t row_cap = 0;               // set when rows were cut
  const sql::Statement* statement = nullptr;
  const Shown* shown = nullptr;           // set before the first row
};

// `{"data":{"rows":[` … rows … then envelope_end.
void write_envelope_begin(std::string& out);
// Closes the rows: what follows them in `data`, but for its brace. The same for all runs of a compiled query.
void write_data_end(std::string& out, const std::vector<query::ResultColumn>& columns, const sql::Statement& statement, const std::string& time_zone);
// Closes the rows and writes everything else; with `failure` the answer says "failed", with the rows that had come.
void write_envelope_end(std::string& out, const RunFacts& facts, const Failure* failure);
// The whole answer of a query that failed before its first row was sent.
std::string failed_envelope(const RunFacts& facts, const Failure& failure);

}  // namespace basalt::pipeline
