// Segments, measures and pivots through the routes.
#include "features/content/test_server.h"
#include "features/databases/databases_api.h"
#include "features/queries/queries_api.h"

namespace basalt::features {
namespace {

using appdb::Connection;

class SegmentsTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    if (IsSkipped()) return;
    add_query_routes(server->routes, server->services);
    add_table_routes(server->routes, server->services);
  }
  json::object small_orders() {
    return {{"name", "Small orders"}, {"table_id", table_id("ORDERS")},
            {"definition", json::object{{"source-table", table_id("ORDERS")}, {"filter", json::parse("[\"<\", [\"field\", " + std::to_string(field_id("ORDERS", "SUBTOTAL")) + ", null], 50]")}}}};
  }
  json::object query(const std::string& inner) {
    return {{"database", database.value}, {"type", "query"}, {"query", json::parse("{\"source-table\": " + std::to_string(table_id("ORDERS")) + ", " + inner + "}")}};
  }
  static std::string rows(const Answer& answer) {
    auto body = answer.json();
    return json::write(body.at("data").at("rows"));
  }
  static std::string id_of(const Answer& answer) { return std::to_string(json::integer(answer.json(), "id").value_or(-1)); }
};

TEST_P(SegmentsTest, an_administrator_makes_a_segment_and_everybody_with_the_table_uses_it) {
  EXPECT_EQ(post(somebody, "/api/segment", small_orders()).status, 403);
  auto made = post(administrator, "/api/segment", small_orders());
  ASSERT_EQ(made.status, 200) << made.body;
  auto id = id_of(made);
  EXPECT_EQ(json::text(made.json(), "name"), "Small orders");
  EXPECT_EQ(get(somebody, "/api/segment").json().as_array().size(), 1u);
  auto answer = post(somebody, "/api/dataset", query("\"aggregation\": [[\"count\"]], \"filter\": [\"segment\", " + id + "]"));
  EXPECT_EQ(rows(answer), "[[1]]") << answer.body;
  auto metadata = get(somebody, "/api/table/" + std::to_string(table_id("ORDERS")) + "/query_metadata");
  EXPECT_EQ(metadata.json().at("segments").as_array().size(), 1u) << metadata.body;
}

TEST_P(SegmentsTest, a_changed_segment_says_why_and_keeps_its_history) {
  auto id = id_of(post(administrator, "/api/segment", small_orders()));
  auto path = "/api/segment/" + id;
  EXPECT_EQ(put(administrator, path, json::object{{"name", "Tiny"}}).status, 400) << "without revision_message";
  EXPECT_EQ(put(somebody, path, json::object{{"name", "Tiny"}, {"revision_message", "shorter"}}).status, 403);
  auto changed = put(administrator, path, json::object{{"name", "Tiny"}, {"revision_message", "shorter"}});
  EXPECT_EQ(json::text(changed.json(), "name"), "Tiny") << changed.body;
  auto kept = read([&](Connection& c) { return c.count("SELECT count(*) FROM revision WHERE model = 'segment' AND model_id = ?", {std::int64_t(std::stoll(id))}); });
  EXPECT_EQ(kept, 2);
  EXPECT_EQ(del(administrator, path).status, 400);
  EXPECT_EQ(del(administrator, path + "?revision_message=old").status, 204);
  EXPECT_EQ(get(somebody, "/api/segment").body, "[]");
  // A question that was asked with it goes on.
  auto answer = post(somebody, "/api/dataset", query("\"aggregation\": [[\"count\"]], \"filter\": [\"segment\", " + id + "]"));
  EXPECT_EQ(rows(answer), "[[1]]") << answer.body;
}

TEST_P(SegmentsTest, a_definition_is_about_its_table_and_has_what_its_kind_needs) {
  auto wrong = [&](const char* route, json::value definition) {
    auto body = small_orders();
    body["definition"] = std::move(definition);
    auto answer = post(administrator, route, body);
    EXPECT_EQ(answer.status, 400) << answer.body;
    EXPECT_TRUE(answer.json().at("errors").as_object().contains("definition")) << answer.body;
  };
  wrong("/api/segment", json::object{{"source-table", table_id("ORDERS")}});
  wrong("/api/segment", json::object{{"source-table", table_id("PEOPLE")}, {"filter", json::parse("[\"=\", 1, 1]")}});
  wrong("/api/segment", json::object{{"source-table", table_id("ORDERS")}, {"filter", json::parse("[\"huh\", 1]")}});
  wrong("/api/segment", "x");
  wrong("/api/measure", json::object{{"source-table", table_id("ORDERS")}, {"filter", json::parse("[\"=\", 1, 1]")}});
}

TEST_P(SegmentsTest, a_measure_is_an_aggregation_with_a_name) {
  json::object body{{"name", "Revenue"}, {"table_id", table_id("ORDERS")},
                    {"definition", json::object{{"source-table", table_id("ORDERS")}, {"aggregation", json::parse("[[\"sum\", [\"field\", " + std::to_string(field_id("ORDERS", "SUBTOTAL")) + ", null]]]")}}}};
  auto made = post(administrator, "/api/measure", body);
  ASSERT_EQ(made.status, 200) << made.body;
  auto answer = post(somebody, "/api/dataset", query("\"aggregation\": [[\"measure\", " + id_of(made) + "]]"));
  EXPECT_EQ(rows(answer), "[[300.0]]") << answer.body;
  EXPECT_EQ(json::text(answer.json().at("data").at("cols").as_array().at(0), "display_name"), "Revenue");
}

TEST_P(SegmentsTest, who_may_not_see_the_table_sees_neither_the_segment_nor_what_it_finds) {
  auto id = id_of(post(administrator, "/api/segment", small_orders()));
  write([&](Connection& c) { c.execute("DELETE FROM data_permission"); });
  server->permissions.forget();
  EXPECT_EQ(get(somebody, "/api/segment").body, "[]");
  EXPECT_EQ(get(somebody, "/api/segment/" + id).status, 403);
  auto answer = post(somebody, "/api/dataset", query("\"filter\": [\"segment\", " + id + "]"));
  EXPECT_NE(answer.body.find("permission"), std::string::npos) << answer.body;
}

TEST_P(SegmentsTest, a_pivot_answers_with_its_subtotals) {
  auto by = [&](const char* table, const char* field, const char* key) {
    return "[\"field\", " + std::to_string(field_id(table, field)) + ", {\"source-field\": " + std::to_string(field_id("ORDERS", key)) + "}]";
  };
  auto body = query("\"aggregation\": [[\"count\"]], \"breakout\": [" + by("PRODUCTS", "CATEGORY", "PRODUCT_ID") + ", " + by("PEOPLE", "STATE", "USER_ID") + "]");
  body["pivot_rows"] = json::array{0};
  body["pivot_cols"] = json::array{1};
  auto answer = post(somebody, "/api/dataset/pivot", body);
  ASSERT_EQ(answer.status, 202) << answer.body;
  EXPECT_EQ(rows(answer), R"([["Furniture","NY",0,1],["Furniture","TX",0,2],["Lighting","NY",0,1],[null,"NY",1,2],[null,"TX",1,2],["Furniture",null,2,3],["Lighting",null,2,1],[null,null,3,4]])") << answer.body;
  body.erase("pivot_rows");
  body.erase("pivot_cols");
  auto card = new_card(body);
  card["display"] = "pivot";
  card["visualization_settings"] = json::parse(R"({"pivot_table.column_split": {"rows": ["CATEGORY"], "columns": ["STATE"], "values": ["count"]}, "pivot.show_row_totals": false})");
  auto saved = post(somebody, "/api/card", card);
  ASSERT_EQ(saved.status, 200) << saved.body;
  auto ran = post(somebody, "/api/card/pivot/" + id_of(saved) + "/query");
  EXPECT_EQ(rows(ran), R"([["Furniture","NY",0,1],["Furniture","TX",0,2],["Lighting","NY",0,1],[null,"NY",1,2],[null,"TX",1,2]])") << ran.body;
  // What the browser stored about the columns is not to be relied on.
  card["result_metadata"] = json::parse(R"([{"name": "CATEGORY", "field_ref": ["field"]}, {"name": "STATE", "field_ref": ["field"]}])");
  card["visualization_settings"] = json::parse(R"({"pivot_table.column_split": {"rows": [["field", 1, null], ["field"]], "columns": [["field", 2, null]]}})");
  auto odd = post(somebody, "/api/card", card);
  ASSERT_EQ(odd.status, 200) << odd.body;
  EXPECT_EQ(post(somebody, "/api/card/pivot/" + id_of(odd) + "/query").status, 202);
  // One page of it.
  body["query"].as_object()["page"] = json::object{{"page", 2}, {"items", 3}};
  body["pivot_rows"] = json::array{0};
  body["pivot_cols"] = json::array{1};
  auto page = post(somebody, "/api/dataset/pivot", body);
  EXPECT_EQ(rows(page), R"([[null,"NY",1,2],[null,"TX",1,2],["Furniture",null,2,3]])") << page.body;
}

TEST_P(SegmentsTest, a_query_is_explained_converted_and_shown) {
  auto asked = query("\"aggregation\": [[\"count\"]]");
  auto explained = post(somebody, "/api/dataset/explain", asked);
  ASSERT_EQ(explained.status, 200) << explained.body;
  EXPECT_NE(json::text(explained.json(), "plan").value_or("").find("ORDERS"), std::string::npos) << explained.body;
  auto converted = post(somebody, "/api/dataset/convert", json::object{{"query", asked}, {"to", "mbql5"}});
  ASSERT_EQ(converted.status, 200) << converted.body;
  auto answer = post(somebody, "/api/dataset", converted.json().at("query"));
  EXPECT_EQ(rows(answer), "[[4]]") << answer.body;
  asked["pretty"] = false;
  EXPECT_EQ(json::text(post(somebody, "/api/dataset/native", asked).json(), "query").value_or("").find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Engines, SegmentsTest, testing::Values(appdb::Engine::Sqlite, appdb::Engine::Postgres), engine_name);

}  // namespace
}  // namespace basalt::features
