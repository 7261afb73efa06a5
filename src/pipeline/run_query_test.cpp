#include "pipeline/run_query.h"

#include <gtest/gtest.h>

#include <thread>

#include "pipeline/testing.h"

namespace basalt::pipeline {
namespace {

using testing::Kept;
using testing::ShopEnvironment;
using testing::TestRights;

class RunQuery : public ::testing::Test {
 protected:
  Kept run(const std::string& query, Format format = Format::Api) {
    QueryRequest request;
    request.dataset_query = json::parse(query);
    return run(std::move(request), format);
  }
  Kept run(QueryRequest request, Format format = Format::Api) {
    Kept answer;
    run_query(environment, rights, std::move(request), format, "query_result", answer);
    return answer;
  }
  static std::string native(const std::string& sql) {
    return json::write(json::object{{"database", 1}, {"type", "native"}, {"native", {{"query", sql}}}});
  }
  FailureKind refused(const std::string& query, Format format = Format::Api) {
    try {
      run(query, format);
    } catch (const Failure& failure) {
      last_failure = failure;
      return failure.kind();
    }
    ADD_FAILURE() << "it was not refused";
    return FailureKind::Bug;
  }

  ShopEnvironment environment;
  TestRights rights;
  std::optional<Failure> last_failure;
};

// Rows 1 to n; the one before the last fails.
std::string failing_rows(int n) {
  auto limit = std::to_string(n);
  return "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + limit + ") SELECT i, CASE WHEN i = " + limit +
         " - 1 THEN abs(-9223372036854775807 - 1) ELSE i END AS j FROM n";
}

TEST_F(RunQuery, AnswersAStructuredQueryInTheEnvelope) {
  auto answer = run(R"({"database": 1, "type": "query", "query": {"source-table": 2, "aggregation": [["count"]], "breakout": [["field", 4, null]]}})");
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.header("X-Accel-Buffering"), "no");
  EXPECT_EQ(answer.writes, 1) << "a small answer leaves in one piece";
  auto body = answer.json();
  EXPECT_EQ(json::write(body.at("data").at("rows")), "[[1,2],[2,2]]");
  EXPECT_EQ(json::text(body, "status"), "completed");
  EXPECT_EQ(json::integer(body, "row_count"), 2);
  EXPECT_EQ(json::integer(body, "database_id"), 1);
  EXPECT_EQ(json::text(body, "context"), "ad-hoc");
  auto& columns = body.at("data").at("cols").as_array();
  ASSERT_EQ(columns.size(), 2u);
  EXPECT_EQ(json::text(columns[0], "name"), "customer_id");
  EXPECT_EQ(json::text(columns[1], "source"), "aggregation");
  EXPECT_EQ(body.at("data").at("results_metadata").at("columns").as_array().size(), 2u);
  EXPECT_TRUE(json::text(body.at("data").at("native_form"), "query"));
  EXPECT_TRUE(body.at("data").at("insights").is_null());
  ASSERT_EQ(environment.runs.size(), 1u);
  EXPECT_TRUE(environment.runs[0].completed);
}

TEST_F(RunQuery, AnswersSqlWithTheDriversColumns) {
  auto body = run(native("SELECT id, id AS \"ID\", total FROM sale ORDER BY total DESC LIMIT 2")).json();
  EXPECT_EQ(json::write(body.at("data").at("rows")), "[[1,1,10.5],[3,3,7.0]]");
  auto& columns = body.at("data").at("cols").as_array();
  EXPECT_EQ(json::text(columns[1], "name"), "ID_2");
  EXPECT_EQ(json::text(columns[2], "base_type"), "type/Float");
  EXPECT_EQ(json::text(columns[0], "source"), "native");
}

TEST_F(RunQuery, WritesLargeIntegersAsTextsUnlessAskedNotTo) {
  auto query = native("SELECT max(id) FROM sale");
  EXPECT_EQ(json::write(run(query).json().at("data").at("rows")), "[[\"9007199254740993\"]]");
  QueryRequest request;
  request.dataset_query = json::parse(query);
  request.integers_as_text = false;
  EXPECT_EQ(json::write(run(request).json().at("data").at("rows")), "[[9007199254740993]]");
}

TEST_F(RunQuery, CutsRowsAtTheCapAndSaysSo) {
  QueryRequest request;
  request.dataset_query = json::parse(native(failing_rows(3000)));
  request.constraints = {100, 100};
  auto body = run(request).json();
  EXPECT_EQ(json::text(body, "status"), "completed");
  EXPECT_EQ(json::integer(body, "row_count"), 100);
  EXPECT_EQ(json::integer(body.at("data"), "rows_truncated"), 100);
  request.dataset_query = json::parse(native("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT i FROM n"));
  EXPECT_FALSE(json::find(run(request).json().at("data"), "rows_truncated")) << "exactly as many rows as the cap: none was cut";
}

TEST_F(RunQuery, TellsWhyAQueryFailed) {
  auto answer = run(native("SELECT wings FROM customer"));
  EXPECT_EQ(answer.status, 202);
  auto body = answer.json();
  EXPECT_EQ(json::text(body, "status"), "failed");
  EXPECT_EQ(json::text(body, "error"), "no such column: wings");
  EXPECT_EQ(json::text(body, "error_type"), "db");
  EXPECT_EQ(json::write(body.at("data")), R"({"rows":[],"cols":[]})");
  EXPECT_EQ(json::text(body.at("native"), "query"), "SELECT wings FROM customer");
  body = run(R"({"database": 1, "type": "query", "query": {"source-table": 2, "filter": ["no-such-clause", 1]}})").json();
  EXPECT_EQ(json::text(body, "error_type"), "invalid-query");
  EXPECT_FALSE(environment.runs.back().completed);
}

TEST_F(RunQuery, StaysValidJsonWhenItFailsHalfway) {
  QueryRequest request;
  request.dataset_query = json::parse(native(failing_rows(50'000)));
  request.constraints = Constraints::downloads();
  auto answer = run(request);
  EXPECT_GT(answer.writes, 1);
  auto body = answer.json();
  EXPECT_EQ(json::text(body, "status"), "failed");
  EXPECT_EQ(json::text(body, "error"), "integer overflow");
  EXPECT_GT(body.at("data").at("rows").as_array().size(), 1000u);
  EXPECT_EQ(body.at("data").at("cols").as_array().size(), 2u);
}

TEST_F(RunQuery, RefusesWhatIsNoQuery) {
  for (auto body : {"[]", "{}", R"({"database": 1})", R"({"database": 1, "type": "query"})", R"({"database": "one", "type": "native", "native": {"query": "SELECT 1"}})",
                    R"({"database": 1, "type": "other", "query": {}})"}) {
    EXPECT_EQ(refused(body), FailureKind::BadRequest) << body;
    EXPECT_FALSE(last_failure->fields().empty()) << body;
  }
}

TEST_F(RunQuery, AsksForRightsBeforeAnythingRuns) {
  const auto structured = R"({"database": 1, "type": "query", "query": {"source-table": 2}})";
  rights.data = permissions::DataRight::Builder;
  auto body = run(native("SELECT 1")).json();
  EXPECT_EQ(json::text(body, "error_type"), "missing-required-permissions");
  EXPECT_EQ(json::text(run(structured).json(), "status"), "completed");
  rights.closed_tables = {TableId(2)};
  EXPECT_EQ(json::text(run(structured).json(), "error_type"), "missing-required-permissions");
  EXPECT_EQ(json::text(run(R"({"database": 1, "type": "query", "query": {"source-table": 1, "joins": [{"source-table": 2, "alias": "s",
      "condition": ["=", ["field", 1, null], ["field", 4, {"join-alias": "s"}]]}]}})").json(), "error_type"), "missing-required-permissions");
  EXPECT_EQ(json::text(run(structured, Format::Csv).json(), "error_type"), "missing-required-permissions");
  rights.data = permissions::DataRight::None;
  EXPECT_EQ(refused(structured), FailureKind::Forbidden) << "a database that is closed altogether is no failed query";
  for (auto& run : environment.runs) EXPECT_EQ(run.card, std::nullopt);
}

TEST_F(RunQuery, RunsASavedQuestionByTheRightOnItsCollectionAlone) {
  QueryRequest request;
  request.dataset_query = json::parse(native("SELECT count(*) FROM sale"));
  request.card = CardId(7);
  environment.cards[CardId(7)] = {CardId(7), DatabaseId(1), "Sales", "question", request.dataset_query, nullptr, CollectionId(3)};
  rights.data = permissions::DataRight::None;
  auto body = run(request).json();
  EXPECT_EQ(json::write(body.at("data").at("rows")), "[[4]]");
  EXPECT_EQ(json::integer(body, "card_id"), 7);
  rights.closed_collections = {CollectionId(3)};
  EXPECT_THROW(run(request), Failure);
  // A query on top of that question needs the same.
  rights.data = permissions::DataRight::Builder;
  auto on_top = json::parse(R"({"database": 1, "type": "query", "query": {"source-table": "card__7"}})");
  QueryRequest nested;
  nested.dataset_query = on_top;
  EXPECT_EQ(json::text(run(nested).json(), "error_type"), "missing-required-permissions");
}

TEST_F(RunQuery, ExportsCsvAndJson) {
  const auto query = R"({"database": 1, "type": "query", "query": {"source-table": 1, "order-by": [["asc", ["field", 1, null]]]}})";
  auto csv = run(query, Format::Csv);
  EXPECT_EQ(csv.status, 200);
  EXPECT_EQ(csv.body, "ID,Name\n1,Ann\n2,\"Bob, Jr.\"\n3,\n");
  EXPECT_EQ(csv.header("Content-Disposition"), "attachment; filename=\"query_result.csv\"");
  auto json_file = run(query, Format::Json);
  EXPECT_EQ(json::write(json_file.json()), R"([{"ID":1,"Name":"Ann"},{"ID":2,"Name":"Bob, Jr."},{"ID":3,"Name":null}])");
}

TEST_F(RunQuery, AnExportThatFailsIsAFailureAndNoFile) {
  auto refusal = run(native("SELECT wings FROM customer"), Format::Csv);
  EXPECT_EQ(refusal.status, 400);
  EXPECT_EQ(json::text(refusal.json(), "error"), "no such column: wings");
  Kept answer;
  QueryRequest request;
  request.dataset_query = json::parse(native(failing_rows(50'000)));
  request.constraints = Constraints::downloads();
  EXPECT_THROW(run_query(environment, rights, request, Format::Csv, "x", answer), Failure) << "halfway: the connection is cut";
  EXPECT_GT(answer.writes, 0);
}

TEST_F(RunQuery, StopsWhenTheClientHasGone) {
  std::stop_source client;
  QueryRequest request;
  request.dataset_query = json::parse(native("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"));
  request.gone = client.get_token();
  std::optional<FailureKind> kind;
  Kept answer;
  std::thread server([&] {
    try {
      run_query(environment, rights, request, Format::Api, "", answer);
    } catch (const Failure& failure) {
      kind = failure.kind();
    }
  });
  // Requested at no particular moment: before, while or after the statement begins, it must be heard.
  auto began = std::chrono::steady_clock::now();
  std::thread closer([&] { client.request_stop(); });
  server.join();
  closer.join();
  EXPECT_EQ(kind, FailureKind::Cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
  EXPECT_TRUE(answer.body.empty());
}

TEST_F(RunQuery, StopsAtTheTimeLimit) {
  environment.wanted.query_timeout = std::chrono::seconds(1);
  auto body = run(native("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")).json();
  EXPECT_EQ(json::text(body, "error_type"), "timed-out");
}

TEST_F(RunQuery, ShowsTheSqlOfAQueryToThoseWhoMayWriteSql) {
  QueryRequest request;
  request.dataset_query = json::parse(R"({"database": 1, "type": "query", "query": {"source-table": 1, "filter": ["=", ["field", 2, null], "it's"]}})");
  auto compiled = compile_query(environment, rights, request);
  EXPECT_NE(compiled.sql.find("'it''s'"), std::string::npos) << compiled.sql;
  EXPECT_EQ(compiled.engine, "sqlite");
  rights.data = permissions::DataRight::Builder;
  EXPECT_THROW(compile_query(environment, rights, request), Failure);
}

TEST_F(RunQuery, KnowsResultColumnsWithoutRunning) {
  QueryRequest request;
  request.dataset_query = json::parse(native("SELECT id, name FROM customer;"));
  auto columns = result_metadata(environment, rights, request);
  ASSERT_EQ(columns.size(), 2u);
  EXPECT_EQ(json::text(columns[1], "base_type"), "type/Text");
  request.dataset_query = json::parse(R"({"database": 1, "type": "query", "query": {"source-table": 2, "aggregation": [["sum", ["field", 5, null]]]}})");
  columns = result_metadata(environment, rights, request);
  ASSERT_EQ(columns.size(), 1u);
  EXPECT_EQ(json::text(columns[0], "display_name"), "Sum of Total");
}

TEST_F(RunQuery, HandsOutRowsAsJson) {
  QueryRequest request;
  request.dataset_query = json::parse(R"({"database": 1, "type": "query", "query": {"source-table": 1, "order-by": [["asc", ["field", 1, null]]]}})");
  EXPECT_EQ(json::write(json::value(query_rows(environment, rights, request, 2))), R"([[1,"Ann"],[2,"Bob, Jr."]])");
}

}  // namespace
}  // namespace basalt::pipeline
