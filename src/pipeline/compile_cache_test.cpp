#include "pipeline/compile_cache.h"

#include <gtest/gtest.h>

#include "pipeline/prepare.h"
#include "pipeline/testing.h"

namespace basalt::pipeline {
namespace {

using testing::Kept;
using testing::ShopEnvironment;
using testing::ShopTables;
using testing::TestRights;

class CompileCacheTest : public ::testing::Test {
 protected:
  std::shared_ptr<const CompiledQuery> compile(const QueryRequest& request) { return prepare(environment, rights, request, Ask::Rights).compiled; }
  static QueryRequest asking(const std::string& query) {
    QueryRequest request;
    request.dataset_query = json::parse(query);
    return request;
  }
  json::value run(const QueryRequest& request) {
    Kept answer;
    run_query(environment, rights, request, Format::Api, "query_result", answer);
    return answer.json();
  }
  // Other knowledge of the shop, as after a sync or an edit.
  std::shared_ptr<ShopTables> changed() const { return std::make_shared<ShopTables>(*environment.tables); }

  ShopEnvironment environment;
  TestRights rights;
  const std::string by_customer = R"({"database": 1, "type": "query", "query": {"source-table": 2, "filter": ["=", ["field", 4, null], 1]}})";
};

TEST_F(CompileCacheTest, the_same_question_is_compiled_once) {
  auto first = compile(asking(by_customer));
  EXPECT_EQ(compile(asking(by_customer)), first);
  EXPECT_GT(environment.cache.bytes(), 0u);
}

TEST_F(CompileCacheTest, another_value_is_another_question) {
  compile(asking(by_customer));
  auto other = asking(R"({"database": 1, "type": "query", "query": {"source-table": 2, "filter": ["=", ["field", 4, null], 2]}})");
  auto answer = run(other);
  EXPECT_EQ(answer.at("row_count").to_number<int>(), 2);
  EXPECT_EQ(answer.at("data").at("rows").at(0).at(0).to_number<int>(), 3);
}

TEST_F(CompileCacheTest, parameters_are_bound_with_the_values_of_each_run) {
  auto request = asking(R"({"database": 1, "type": "native", "native": {"query": "SELECT total FROM sale WHERE id = {{id}}",
    "template-tags": {"id": {"id": "a", "name": "id", "display-name": "Id", "type": "number"}}}})");
  for (auto [id, total] : {std::pair{1, 10.5}, std::pair{3, 7.0}, std::pair{1, 10.5}}) {
    request.parameters = {json::object{{"type", "number"}, {"target", {"variable", {"template-tag", "id"}}}, {"value", id}}};
    EXPECT_EQ(run(request).at("data").at("rows").at(0).at(0).to_number<double>(), total);
  }
}

TEST_F(CompileCacheTest, rights_are_asked_at_each_run) {
  auto request = asking(by_customer);
  EXPECT_EQ(run(request).at("status"), "completed");
  rights.closed_tables.insert(TableId(2));
  auto refused = run(request);
  EXPECT_EQ(refused.at("status"), "failed");
  EXPECT_EQ(refused.at("error_type"), "missing-required-permissions");
  EXPECT_TRUE(refused.at("data").at("rows").as_array().empty());
  rights.closed_tables.clear();
  EXPECT_EQ(run(request).at("status"), "completed");
  rights.data = permissions::DataRight::None;
  EXPECT_THROW(compile(request), Failure);
}

TEST_F(CompileCacheTest, rights_to_sql_are_asked_at_each_run) {
  auto request = asking(R"({"database": 1, "type": "native", "native": {"query": "SELECT 1"}})");
  EXPECT_EQ(compile(request), compile(request));
  rights.data = permissions::DataRight::Builder;
  EXPECT_THROW(compile(request), Failure);
}

TEST_F(CompileCacheTest, a_collection_that_is_closed_closes_its_card) {
  auto request = asking(by_customer);
  request.card = CardId(9);
  environment.cards[CardId(9)] = {CardId(9), DatabaseId(1), "Sales", "question", request.dataset_query, nullptr, CollectionId(4)};
  rights.data = permissions::DataRight::None;
  EXPECT_EQ(compile(request), compile(request)) << "the right to view its collection suffices";
  rights.closed_collections.insert(CollectionId(4));
  EXPECT_THROW(compile(request), Failure);
  request.card = std::nullopt;
  EXPECT_THROW(compile(request), Failure) << "what a card may, its text by itself may not";
}

TEST_F(CompileCacheTest, a_renamed_column_is_asked_by_its_new_name) {
  auto request = asking(by_customer);
  auto before = compile(request);
  run(request);
  auto tables = changed();
  tables->fields[FieldId(5)].name = "amount";
  tables->fields[FieldId(5)].display_name = "Amount";
  environment.tables = tables;
  auto after = compile(request);
  EXPECT_NE(after, before);
  EXPECT_NE(after->statement.text.find("\"amount\""), std::string::npos) << after->statement.text;
  EXPECT_EQ(after->columns[2].display_name, "Amount");
}

TEST_F(CompileCacheTest, a_new_column_appears) {
  auto request = asking(by_customer);
  EXPECT_EQ(run(request).at("data").at("cols").as_array().size(), 4u);
  auto tables = changed();
  tables->fields.erase(FieldId(6));
  environment.tables = tables;
  EXPECT_EQ(run(request).at("data").at("cols").as_array().size(), 3u);
}

TEST_F(CompileCacheTest, another_time_zone_of_the_database_counts) {
  auto request = asking(by_customer);
  auto before = compile(request);
  auto tables = changed();
  tables->database.time_zone = "Europe/Berlin";
  environment.tables = tables;
  EXPECT_NE(compile(request), before);
}

TEST_F(CompileCacheTest, settings_that_change_what_is_compiled_count) {
  auto request = asking(by_customer);
  auto usual = compile(request);
  environment.wanted.report_time_zone = "Asia/Tokyo";
  auto tokyo = compile(request);
  EXPECT_NE(tokyo, usual);
  environment.wanted.start_of_week = "monday";
  auto monday = compile(request);
  EXPECT_NE(monday, tokyo);
  environment.wanted.breakout_bins = 50;
  auto bins = compile(request);
  EXPECT_NE(bins, monday);
  environment.wanted.breakout_bin_width = 1.5;
  EXPECT_NE(compile(request), bins);
  environment.wanted = {};
  EXPECT_EQ(compile(request), usual);
}

TEST_F(CompileCacheTest, limits_titles_and_how_integers_are_written_count) {
  auto request = asking(by_customer);
  auto usual = compile(request);
  request.constraints.max_results_bare = 1;
  auto capped = compile(request);
  EXPECT_EQ(capped->row_cap, 1);
  request.integers_as_text = false;
  auto plain = compile(request);
  EXPECT_FALSE(plain->integers_as_text);
  request.card_metadata = json::parse(R"([{"name": "total", "display_name": "Revenue"}])");
  EXPECT_EQ(compile(request)->columns[2].display_name, "Revenue");
  EXPECT_EQ(compile(asking(by_customer)), usual);
}

TEST_F(CompileCacheTest, now_is_never_kept) {
  auto tables = changed();
  tables->fields[FieldId(6)].base_type = tables->fields[FieldId(6)].effective_type = "type/DateTime";
  environment.tables = tables;
  for (auto* filter : {R"(["time-interval", ["field", 6, {"base-type": "type/DateTime"}], -1, "day"])", R"(["<", ["field", 6, {"base-type": "type/DateTime"}], ["relative-datetime", "current"]])",
                       R"(["<", ["field", 6, {"base-type": "type/DateTime"}], ["now"]])"}) {
    auto request = asking(std::string(R"({"database": 1, "type": "query", "query": {"source-table": 2, "filter": )") + filter + "}}");
    EXPECT_NE(compile(request), compile(request)) << filter;
  }
  EXPECT_EQ(environment.cache.bytes(), 0u);
}

TEST_F(CompileCacheTest, a_card_that_is_used_is_read_each_time) {
  environment.cards[CardId(7)] = {CardId(7), DatabaseId(1), "Some sales", "question", json::parse(by_customer), nullptr, std::nullopt};
  auto request = asking(R"({"database": 1, "type": "query", "query": {"source-table": "card__7", "aggregation": [["count"]]}})");
  EXPECT_EQ(run(request).at("data").at("rows").at(0).at(0).to_number<int>(), 2);
  environment.cards[CardId(7)].dataset_query = json::parse(R"({"database": 1, "type": "query", "query": {"source-table": 2}})");
  EXPECT_EQ(run(request).at("data").at("rows").at(0).at(0).to_number<int>(), 4);
}

TEST_F(CompileCacheTest, a_catalogue_that_cannot_tell_keeps_nothing) {
  struct Silent final : query::Catalog {
    explicit Silent(query::Catalog& inner) : inner(inner) {}
    const query::Database* database(DatabaseId id) override { return inner.database(id); }
    const query::Table* table(TableId id) override { return inner.table(id); }
    const query::Field* field(FieldId id) override { return inner.field(id); }
    std::vector<const query::Field*> fields_of(TableId id) override { return inner.fields_of(id); }
    const query::Field* primary_key(TableId id) override { return inner.primary_key(id); }
    const query::SourceCard* card(CardId id) override { return inner.card(id); }
    std::optional<std::string> snippet(std::string_view name) override { return inner.snippet(name); }
    query::Catalog& inner;
  };
  auto inner = environment.catalog();
  Silent silent(*inner);
  RecordingCatalog recorded(silent);
  recorded.table(TableId(1));
  environment.cache.keep("key", std::make_shared<CompiledQuery>(), recorded, silent);
  EXPECT_EQ(environment.cache.bytes(), 0u);
}

TEST_F(CompileCacheTest, stays_within_its_bytes_and_forgets_the_least_recently_used) {
  CompileCache cache(64 << 10);
  auto catalog = environment.catalog();
  RecordingCatalog recorded(*catalog);
  recorded.table(TableId(1));
  for (int i = 0; i < 1000; ++i) {
    cache.keep("query " + std::to_string(i), std::make_shared<CompiledQuery>(), recorded, *catalog);
    EXPECT_NE(cache.find("query 0", *catalog), nullptr) << "in use all the time, after " << i;
  }
  EXPECT_LE(cache.bytes(), 64u << 10);
  EXPECT_EQ(cache.find("query 1", *catalog), nullptr);
  EXPECT_NE(cache.find("query 999", *catalog), nullptr);
}

TEST_F(CompileCacheTest, another_answer_of_the_driver_shows_other_columns) {
  auto compiled = compile(asking(R"({"database": 1, "type": "native", "native": {"query": "SELECT 1"}})"));
  rows::Column number{"n", rows::Kind::Integer, "INTEGER", "type/Integer"}, text{"n", rows::Kind::Text, "TEXT", "type/Text"};
  auto first = show_columns(*compiled, {number}, nullptr);
  EXPECT_EQ(show_columns(*compiled, {number}, nullptr), first);
  auto second = show_columns(*compiled, {text}, nullptr);
  EXPECT_EQ(second->columns[0].base_type, "type/Text");
  EXPECT_NE(second->data_end.find("type/Text"), std::string::npos);
}

}  // namespace
}  // namespace basalt::pipeline
