// Whatever form a query has: it shows nothing of a table or card that the person may not use.
#include <gtest/gtest.h>

#include "pipeline/testing.h"

namespace basalt::pipeline {
namespace {

using testing::Kept;
using testing::ShopEnvironment;
using testing::TestRights;

constexpr const char* names_rows = R"({"source-query": {"source-table": 1}})";

class Catalogued final : public query::Catalog {
 public:
  explicit Catalogued(std::unique_ptr<query::Catalog> inner) : inner_(std::move(inner)) {}
  const query::Database* database(DatabaseId id) override { return inner_->database(id); }
  const query::Table* table(TableId id) override { return inner_->table(id); }
  const query::Field* field(FieldId id) override { return inner_->field(id); }
  std::vector<const query::Field*> fields_of(TableId id) override { return inner_->fields_of(id); }
  const query::Field* primary_key(TableId id) override { return inner_->primary_key(id); }
  const query::SourceCard* card(CardId id) override { return inner_->card(id); }
  std::optional<std::string> snippet(std::string_view name) override { return inner_->snippet(name); }
  json::value segment(std::int64_t id) override {
    if (id == 2) return json::object{{"name", "Secret name"}, {"definition", json::parse(R"({"source-table": 1, "filter": ["=", ["field", 2, null], "Ann"]})")}};
    return json::object{{"name", "Ann's"}, {"definition", json::parse(R"({"source-table": 2, "filter": ["=", ["field", 2, {"source-field": 4}], "Ann"]})")}};
  }
  json::value measure(std::int64_t id) override {
    if (id == 2) return json::object{{"name", "Secret name"}, {"definition", json::parse(R"({"source-table": 1, "aggregation": [["count"]]})")}};
    return json::object{{"name", "Names"}, {"definition", json::parse(R"({"source-table": 2, "aggregation": [["max", ["field", 2, {"source-field": 4}]]]})")}};
  }

 private:
  std::unique_ptr<query::Catalog> inner_;
};
class CataloguedEnvironment final : public Environment {
 public:
  std::unique_ptr<query::Catalog> catalog() override { return std::make_unique<Catalogued>(inner.catalog()); }
  Settings settings() override { return inner.settings(); }
  std::shared_ptr<ConnectionLease> lease(DatabaseId id, std::stop_token gone) override { return inner.lease(id, gone); }
  void record(const RunRecord&) override {}
  ShopEnvironment inner;
};

class Reach : public ::testing::Test {
 protected:
  Reach() {
    // Card 1 shows the names of customers; card 2 those of sales with them below.
    card(1, R"({"source-table": 1, "fields": [["field", 2, null]]})", 7);
    card(2, R"({"source-query": {"source-table": 2, "fields": [["field", 3, null]]}, "append": [{"source-table": "card__1"}]})", 8);
    card(3, R"({"source-table": 1, "aggregation": [["max", ["field", 2, null]]]})", 7, "metric");
    card(5, R"({"source-table": 2, "joins": [{"alias": "C", "source-table": 1, "condition": ["=", ["field", 4, null], ["field", 1, {"join-alias": "C"}]]}], "aggregation": [["count"]]})", 8, "metric");
    card(4, R"({"source-table": "card__3", "aggregation": [["count"]]})", 8);
  }
  void card(std::int64_t id, const char* inner, std::int64_t collection, const char* kind = "question") {
    environment.inner.cards.emplace(CardId(id), query::SourceCard{CardId(id), DatabaseId(1), "Card", kind, json::object{{"database", 1}, {"type", "query"}, {"query", json::parse(inner)}}, nullptr, CollectionId(collection)});
  }
  // Error type of the answer; empty: it was answered.
  std::string asked(const std::string& inner, bool pivot = false) {
    QueryRequest request;
    request.dataset_query = json::parse(R"({"database": 1, "type": "query", "query": )" + inner + "}");
    if (pivot) request.pivot = query::PivotOptions{};
    Kept answer;
    try {
      run_query(environment, rights, std::move(request), Format::Api, "", answer);
    } catch (const Failure& failure) {
      return std::string(failure.error_type());
    }
    auto body = answer.json();
    bool leaked = rights.closed_tables.contains(TableId(1)) && answer.body.find("Ann") != std::string::npos;
    EXPECT_FALSE(leaked) << answer.body;
    return json::text(body, "error_type").value_or("");
  }

  CataloguedEnvironment environment;
  TestRights rights;
};

// Each of these reads customers, table 1, in a way of its own.
struct Way { const char* name; const char* query; };
constexpr Way to_table[] = {
    {"appended table", R"({"source-query": {"source-table": 2}, "append": [{"source-table": 1}]})"},
    {"appended query", R"({"source-table": 2, "append": [{"source-query": {"source-query": {"source-table": 1}, "limit": 1}}]})"},
    {"appended in a join", R"({"source-table": 2, "joins": [{"alias": "J", "source-query": {"source-table": 2, "append": [{"source-table": 1}]}, "condition": ["=", 1, 1]}]})"},
    {"appended in an appended one", R"({"source-table": 2, "append": [{"source-query": {"source-table": 2, "append": [{"source-table": 1}]}}]})"},
    {"window through a key", R"({"source-table": 2, "windows": {"w": ["rank", {"order-by": [["asc", ["field", 2, {"source-field": 4}]]]}]}})"},
    {"segment through a key", R"({"source-table": 2, "filter": ["segment", 1]})"},
    {"measure through a key", R"({"source-table": 2, "aggregation": [["measure", 1]]})"},
    {"segment of another table", R"({"source-table": 2, "filter": ["segment", 2]})"},
    {"measure of another table", R"({"source-table": 2, "aggregation": [["measure", 2]]})"},
    {"rows of a metric", R"({"source-table": "card__3"})"},
    {"rows of a metric, joined", R"({"source-table": 2, "joins": [{"alias": "J", "source-table": "card__3", "fields": "all", "condition": ["=", 1, 1]}]})"},
    {"what a metric joins", R"({"source-table": 2, "aggregation": [["metric", 5]], "breakout": [["field", 2, {"join-alias": "C"}]]})"},
    {"rows of a metric, appended", R"({"source-table": 2, "append": [{"source-table": "card__3"}]})"},
    {"comparison through a key", R"({"source-table": 2, "aggregation": [["count"]], "compare": {"field": ["field", 2, {"source-field": 4}], "unit": "month"}})"},
    {"aggregation of a period", R"({"source-table": 2, "aggregation": [["in-period", ["count"], ["field", 2, {"source-field": 4}], 0, "month"]]})"},
};

TEST_F(Reach, no_form_of_a_query_reads_a_table_that_is_closed) {
  rights.closed_tables = {TableId(1)};
  for (auto& way : to_table) EXPECT_EQ(asked(way.query), "missing-required-permissions") << way.name;
  EXPECT_EQ(asked(R"({"source-table": 2, "breakout": [["field", 2, {"source-field": 4}]], "aggregation": [["count"]]})", true), "missing-required-permissions");
  // And with the right the same queries are not refused for rights: the test would see a rule that refuses everything.
  rights.closed_tables.clear();
  for (auto& way : to_table) EXPECT_NE(asked(way.query), "missing-required-permissions") << way.name;
}

TEST_F(Reach, no_form_of_a_query_reads_a_card_in_a_closed_collection) {
  rights.closed_collections = {CollectionId(7)};
  for (auto* query : {R"({"source-table": 2, "append": [{"source-table": "card__1"}]})", R"({"source-table": 2, "append": [{"source-query": {"source-table": "card__1"}}]})",
                      R"({"source-table": 2, "aggregation": [["metric", 3]]})", R"({"source-table": "card__1"})"})
    EXPECT_EQ(asked(query), "missing-required-permissions") << query;
  // Who sees a card sees what it reads: that is the affair of whoever saved it.
  EXPECT_NE(asked(R"({"source-table": "card__2"})"), "missing-required-permissions");
}

TEST_F(Reach, a_question_over_a_metric_is_for_whoever_sees_the_question) {
  rights.closed_tables = {TableId(1)};
  EXPECT_EQ(asked(R"({"source-table": "card__4"})"), "");
}

TEST_F(Reach, the_plan_of_a_query_is_for_those_who_may_write_sql_and_read_its_tables) {
  QueryRequest request;
  request.dataset_query = json::parse(std::string(R"({"database": 1, "type": "query", "query": )") + names_rows + "}");
  auto explained = explain_query(environment, rights, request);
  EXPECT_NE(explained.text.find("customer"), std::string::npos) << explained.text;
  EXPECT_NE(explained.compiled.sql.find("SELECT"), std::string::npos);
  rights.data = permissions::DataRight::Builder;
  EXPECT_THROW(explain_query(environment, rights, request), Failure);
  rights.data = permissions::DataRight::BuilderAndSql;
  rights.closed_tables = {TableId(1)};
  EXPECT_THROW(explain_query(environment, rights, request), Failure);
}

TEST_F(Reach, appended_rows_and_pivots_come_through_the_pipeline) {
  QueryRequest request;
  request.dataset_query = json::parse(R"({"database": 1, "type": "query", "query": {"source-query": {"source-table": 1, "fields": [["field", 1, null]]}, "append": [{"source-query": {"source-table": 2, "fields": [["field", 3, null]], "filter": ["<", ["field", 3, null], 3]}}],
    "order-by": [["asc", ["field", "id", {"base-type": "type/Integer"}]]]}})");
  Kept answer;
  run_query(environment, rights, request, Format::Api, "", answer);
  EXPECT_EQ(json::write(answer.json().at("data").at("rows")), "[[1],[1],[2],[2],[3]]") << answer.body;
  request.dataset_query = json::parse(R"({"database": 1, "type": "query", "query": {"source-table": 2, "filter": ["<", ["field", 3, null], 4], "breakout": [["field", 4, null]], "aggregation": [["count"]]}})");
  request.pivot = query::PivotOptions{};
  Kept pivot;
  run_query(environment, rights, request, Format::Api, "", pivot);
  EXPECT_EQ(json::write(pivot.json().at("data").at("rows")), "[[1,0,2],[2,0,1],[null,1,3]]") << pivot.body;
  EXPECT_EQ(json::text(pivot.json().at("data").at("cols").as_array().at(1), "name"), "pivot-grouping");
}

}  // namespace
}  // namespace basalt::pipeline
