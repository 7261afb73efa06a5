// One query from end to end: JSON in, rows out. This is the file to read first.
//   parse -> parameters -> rights -> passes -> SQL -> driver -> batches -> encoder
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/json.h"
#include "http/request.h"
#include "permissions/rights.h"
#include "query/catalog.h"
#include "query/resolve.h"
#include "sql/compile.h"

namespace basalt::pipeline {

// Row caps; the design's defaults for JSON answers, `downloads()` for exports.
struct Constraints {
  std::int64_t max_results = 10'000;       // aggregated rows
  std::int64_t max_results_bare = 2'000;   // unaggregated rows
  static Constraints downloads() { return {1'048'575, 1'048'575}; }
};

enum class Format { Api, Csv, Json };

struct QueryRequest {
  json::value dataset_query;               // MBQL 4 or 5 or native, as received or stored
  json::array parameters;                  // values with targets (query-language.md §15)
  Constraints constraints;
  bool integers_as_text = true;            // js-int-to-string?
  bool byte_order_mark = false;            // CSV
  std::string context = "ad-hoc";          // ad-hoc | question | dashboard | csv-download | …
  std::optional<CardId> card;              // the saved card that is run: its collection's right suffices
  bool card_grants = true;                 // false: the caller aimed filters at columns of their own choice, so data rights are asked too
  json::value card_metadata = nullptr;     // its stored result_metadata (models: edited names win)
  std::optional<DashboardId> dashboard;
  std::optional<query::PivotOptions> pivot;  // a pivot table: with its subtotals
  std::stop_token gone;                    // client went away
};

struct Settings {
  std::string report_time_zone;            // empty: UTC
  std::string start_of_week = "sunday";
  std::int64_t breakout_bins = 8;
  double breakout_bin_width = 10.0;
  std::chrono::seconds query_timeout{1200};
};

// Called after a run, for statistics: average_query_time, result_metadata of cards.
struct RunRecord {
  std::optional<CardId> card;
  DatabaseId database;
  std::int64_t rows = 0;
  std::chrono::milliseconds took{0};
  bool completed = false;
};

class CompileCache;

// What the pipeline needs from the features above it.
class Environment {
 public:
  virtual ~Environment() = default;
  virtual std::unique_ptr<query::Catalog> catalog() = 0;
  virtual Settings settings() = 0;
  // A ready connection of that database from its pool (or a new one); given back when the lease dies. Throws Failure
  // Database (cannot connect), Unavailable (all busy for 30 s), NotFound.
  virtual std::shared_ptr<class ConnectionLease> lease(DatabaseId database, std::stop_token gone) = 0;
  virtual void record(const RunRecord& run) = 0;
  // Where compiled queries are kept; nullptr: nowhere.
  virtual CompileCache* compiled() { return nullptr; }
};

struct Compiled {
  std::string engine;
  std::string sql;
  json::value parameters = nullptr;        // bound values, for showing
};

// Text of the query as it would run (POST /api/dataset/native). Needs the right to see native SQL of that database.
Compiled compile_query(Environment& environment, const permissions::Rights& rights, const QueryRequest& request, sql::CompileOptions::Layout layout = sql::CompileOptions::Layout::Lines);

// How the database would run it: its EXPLAIN, without running the query. Needs the same right.
struct Explained {
  Compiled compiled;
  std::vector<std::string> columns;        // of the plan, as the database names them
  json::array rows;                        // lists of values
  std::string text;                        // the same for reading
};
Explained explain_query(Environment& environment, const permissions::Rights& rights, const QueryRequest& request);

// Result columns without running (for saving a card's result_metadata): from the compiled query; native SQL is run with LIMIT 0.
json::array result_metadata(Environment& environment, const permissions::Rights& rights, const QueryRequest& request);

// Runs and streams: for Format::Api the envelope of http-api.md §4.2/4.3 (202, also for a query that failed in the database),
// for the others the file. `file_name` without suffix, for Content-Disposition. Called on a query-pool thread.
void run_query(Environment& environment, const permissions::Rights& rights, QueryRequest request, Format format,
               const std::string& file_name, http::ResponseStream& out);

// Runs and hands the rows as JSON arrays (field values, parameter lists, sync); at most `limit` rows.
json::array query_rows(Environment& environment, const permissions::Rights& rights, QueryRequest request, std::size_t limit);

}  // namespace basalt::pipeline
