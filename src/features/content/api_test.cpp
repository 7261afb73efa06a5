// Cards, dashboards and their neighbours through the routes, on a real query.
#include "features/content/test_server.h"

namespace basalt::features {
namespace {

using appdb::Connection;

std::int64_t id_of(const Answer& answer) { return json::integer(answer.json(), "id").value_or(-1); }

TEST_P(ApiTest, ACardIsSavedWithItsColumnsAndRuns) {
  auto saved = post(somebody, "/api/card", new_card(orders_by_category()));
  ASSERT_EQ(saved.status, 200) << saved.body;
  auto card = saved.json();
  EXPECT_EQ(json::integer(card, "table_id"), table_id("ORDERS"));
  EXPECT_EQ(json::text(card, "query_type"), "query");
  ASSERT_TRUE(card.at("result_metadata").is_array()) << saved.body;
  EXPECT_EQ(card.at("result_metadata").as_array().size(), 2u);
  EXPECT_EQ(json::boolean(card, "can_write"), true);
  auto ran = post(somebody, "/api/card/" + std::to_string(id_of(saved)) + "/query");
  ASSERT_EQ(ran.status, 202) << ran.body;
  EXPECT_EQ(json::write(ran.json().at("data").at("rows")), R"([["Furniture",3],["Lighting",1]])") << ran.body;
  auto file = post(somebody, "/api/card/" + std::string(*json::text(card, "entity_id")) + "/query/csv");
  EXPECT_EQ(file.status, 200);
  EXPECT_NE(file.body.find("Furniture,3"), std::string::npos) << file.body;
  EXPECT_EQ(post(somebody, "/api/card/" + std::to_string(id_of(saved)) + "/query/xlsx").status, 400);
}

TEST_P(ApiTest, WhatIsWrongWithANewCardIsSaidAtItsField) {
  auto wrong = [&](json::object body, const char* field) {
    auto answer = post(administrator, "/api/card", body);
    EXPECT_EQ(answer.status, 400) << answer.body;
    EXPECT_TRUE(answer.json().at("errors").as_object().contains(field)) << answer.body;
  };
  auto good = new_card(orders_by_category());
  for (auto key : {"name", "display", "dataset_query", "visualization_settings"}) {
    auto body = good;
    body.erase(key);
    wrong(body, key);
  }
  auto with = [&](const char* key, json::value value) { auto body = good; body[key] = std::move(value); return body; };
  wrong(with("description", ""), "description");
  wrong(with("type", "gadget"), "type");
  auto rows_of_table = with("dataset_query", json::object{{"database", database.value}, {"type", "query"}, {"query", json::object{{"source-table", table_id("ORDERS")}}}});
  rows_of_table["type"] = "metric";
  wrong(rows_of_table, "dataset_query");
  wrong(with("dataset_query", json::object{{"database", 99}, {"type", "query"}, {"query", json::object{{"source-table", 1}}}}), "dataset_query");
}

TEST_P(ApiTest, WhoMayNotQueryTheDataMayNotSaveSuchACardButRunsOnesTheySee) {
  auto id = std::to_string(id_of(post(administrator, "/api/card", new_card(orders_by_category()))));
  write([&](Connection& c) { c.execute("DELETE FROM data_permission"); });
  server->permissions.forget();
  EXPECT_EQ(post(somebody, "/api/card", new_card(orders_by_category())).status, 403);
  json::object native{{"database", database.value}, {"type", "native"}, {"native", json::object{{"query", "SELECT 1 AS one"}}}};
  EXPECT_EQ(post(somebody, "/api/card", new_card(native)).status, 403);
  EXPECT_EQ(put(somebody, "/api/card/" + id, json::object{{"dataset_query", native}}).status, 403);
  EXPECT_EQ(post(somebody, "/api/card/" + id + "/copy").status, 403);
  auto renamed = put(somebody, "/api/card/" + id, json::object{{"name", "Renamed"}});
  EXPECT_EQ(renamed.status, 200) << renamed.body;
  EXPECT_EQ(json::boolean(renamed.json(), "can_run_adhoc_query"), false);
  auto ran = post(somebody, "/api/card/" + id + "/query");
  EXPECT_EQ(json::text(ran.json(), "status"), "completed") << ran.body;
}

TEST_P(ApiTest, WhatOneMayNotSeeIsNotThere) {
  auto place = json::integer(post(administrator, "/api/collection", json::object{{"name", "Board"}}).json(), "id").value();
  write([&](Connection& c) { c.execute("DELETE FROM collection_permission WHERE collection_id = ?", {place}); });
  server->permissions.forget();
  auto body = new_card(orders_by_category());
  body["collection_id"] = place;
  auto card = std::to_string(id_of(post(administrator, "/api/card", body)));
  auto dashboard = std::to_string(id_of(post(administrator, "/api/dashboard", json::object{{"name", "Secret"}, {"collection_id", place}})));
  for (auto& path : std::vector<std::string>{"/api/card/" + card, "/api/dashboard/" + dashboard, "/api/collection/" + std::to_string(place), "/api/collection/" + std::to_string(place) + "/items",
                    "/api/card/" + card + "/query_metadata", "/api/revision/card/" + card, "/api/revision/dashboard/" + dashboard, "/api/card/" + card + "/series",
                    "/api/dashboard/" + dashboard + "/query_metadata", "/api/card/99999", "/api/dashboard/99999", "/api/collection/99999"}) {
    auto answer = get(somebody, path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(answer.body, "Not found.") << path;
  }
  EXPECT_EQ(post(somebody, "/api/card/" + card + "/query").status, 404);
  EXPECT_EQ(del(somebody, "/api/card/" + card).status, 404);
  EXPECT_EQ(put(somebody, "/api/dashboard/" + dashboard, json::object{{"name", "x"}}).status, 404);
  EXPECT_EQ(post(somebody, "/api/bookmark/card/" + card).status, 404);
  for (auto path : {"/api/card", "/api/dashboard", "/api/collection", "/api/collection/tree", "/api/search", "/api/activity/popular_items", "/api/activity/recents?context=views", "/api/bookmark"}) {
    auto answer = get(somebody, path);
    EXPECT_EQ(answer.status, 200) << path << answer.body;
    EXPECT_EQ(answer.body.find("Board"), std::string::npos) << path;
    EXPECT_EQ(answer.body.find("By category"), std::string::npos) << path;
    EXPECT_EQ(answer.body.find("Secret"), std::string::npos) << path;
  }
  EXPECT_EQ(get(nullptr, "/api/card").status, 401);
}

TEST_P(ApiTest, WhoMayOnlyViewCannotChange) {
  auto card = std::to_string(id_of(post(administrator, "/api/card", new_card(orders_by_category()))));
  auto dashboard = std::to_string(id_of(post(administrator, "/api/dashboard", json::object{{"name", "Open"}})));
  write([&](Connection& c) { c.execute("UPDATE collection_permission SET value = 'view' WHERE collection_id IS NULL"); });
  server->permissions.forget();
  EXPECT_EQ(get(somebody, "/api/card/" + card).status, 200);
  for (auto& answer : {put(somebody, "/api/card/" + card, json::object{{"name", "x"}}), del(somebody, "/api/card/" + card), post(somebody, "/api/card", new_card(orders_by_category())),
                       put(somebody, "/api/dashboard/" + dashboard, json::object{{"name", "x"}}), post(somebody, "/api/dashboard/" + dashboard + "/copy"), del(somebody, "/api/dashboard/" + dashboard),
                       post(somebody, "/api/collection", json::object{{"name", "x"}}), post(somebody, "/api/card/collections", json::parse("{\"card_ids\":[" + card + "],\"collection_id\":null}"))}) {
    EXPECT_EQ(answer.status, 403) << answer.body;
    EXPECT_EQ(answer.body, "You don't have permissions to do that.");
  }
}

TEST_P(ApiTest, ADashboardsFiltersReachItsCards) {
  auto card = id_of(post(administrator, "/api/card", new_card(orders_by_category())));
  auto id = std::to_string(id_of(post(somebody, "/api/dashboard", json::object{{"name", "Shop"}})));
  auto category = "[\"dimension\",[\"field\"," + std::to_string(field_id("PRODUCTS", "CATEGORY")) + ",{\"source-field\":" + std::to_string(field_id("ORDERS", "PRODUCT_ID")) + "}]]";
  auto wired = json::parse(R"({"parameters":[{"id":"cat","name":"Category","slug":"category","type":"string/=","default":["Lighting"]}],
    "dashcards":[{"id":-1,"card_id":)" + std::to_string(card) + R"(,"row":0,"col":0,"size_x":12,"size_y":6,"parameter_mappings":[{"parameter_id":"cat","card_id":)" + std::to_string(card) + R"(,"target":)" + category + "}]}]}");
  auto saved = put(somebody, "/api/dashboard/" + id, wired);
  ASSERT_EQ(saved.status, 200) << saved.body;
  auto whole = saved.json();
  EXPECT_EQ(whole.at("param_fields").at("cat").at(0).at("name"), json::value("CATEGORY")) << saved.body;
  auto& dashcard = whole.at("dashcards").at(0);
  EXPECT_FALSE(dashcard.at("card").as_object().contains("creator"));
  auto path = "/api/dashboard/" + id + "/dashcard/" + std::to_string(*json::integer(dashcard, "id")) + "/card/" + std::to_string(card) + "/query";
  auto rows = [&](const char* body) { auto answer = post(somebody, path, json::parse(body)); return answer.status == 202 ? json::write(answer.json().at("data").at("rows")) : answer.body; };
  EXPECT_EQ(rows("{}"), R"([["Lighting",1]])");
  EXPECT_EQ(rows(R"({"parameters":[{"id":"cat","value":["Furniture"]}]})"), R"([["Furniture",3]])");
  EXPECT_EQ(get(somebody, "/api/dashboard/" + id).json().at("last_used_param_values"), json::parse(R"({"cat":["Furniture"]})"));
  EXPECT_EQ(rows(R"({"parameters":[{"id":"cat","value":null}]})"), R"([["Furniture",3],["Lighting",1]])");
  EXPECT_EQ(post(somebody, path, json::parse(R"({"parameters":[{"id":"nope","value":1}]})")).status, 400);
  EXPECT_EQ(post(somebody, "/api/dashboard/" + id + "/dashcard/1234/card/" + std::to_string(card) + "/query").status, 404);
  auto values = get(somebody, "/api/dashboard/" + id + "/params/cat/values");
  EXPECT_EQ(values.body, R"({"values":[["Furniture"],["Lighting"]],"has_more_values":false})");
  EXPECT_EQ(get(somebody, "/api/dashboard/" + id + "/params/cat/search/light").body, R"({"values":[["Lighting"]],"has_more_values":false})");
  EXPECT_EQ(get(somebody, "/api/dashboard/" + id + "/params/nope/values").status, 404);
  auto metadata = get(somebody, "/api/dashboard/" + id + "/query_metadata");
  EXPECT_GE(metadata.json().at("tables").as_array().size(), 2u) << metadata.body;
}

TEST_P(ApiTest, FixedAndQueriedListsOfValues) {
  auto source = id_of(post(administrator, "/api/card", new_card(orders_by_category())));
  auto body = R"({"parameters":[
     {"id":"a","name":"A","slug":"a","type":"string/=","values_source_type":"static-list","values_source_config":{"values":["x",["y","Why"]]}},
     {"id":"b","name":"B","slug":"b","type":"string/=","values_source_type":"card","values_source_config":{"card_id":)" + std::to_string(source) + R"(,"value_field":["field","CATEGORY",{"base-type":"type/Text"}]}}]})";
  auto id = std::to_string(id_of(post(administrator, "/api/dashboard", json::object{{"name", "Lists"}})));
  ASSERT_EQ(put(administrator, "/api/dashboard/" + id, json::parse(body)).status, 200);
  EXPECT_EQ(get(somebody, "/api/dashboard/" + id + "/params/a/values").body, R"({"values":[["x"],["y","Why"]],"has_more_values":false})");
  EXPECT_EQ(get(somebody, "/api/dashboard/" + id + "/params/a/search/why").body, R"({"values":[["y","Why"]],"has_more_values":false})");
  EXPECT_EQ(get(somebody, "/api/dashboard/" + id + "/params/a/remapping?value=y").body, R"(["y","Why"])");
  EXPECT_EQ(get(somebody, "/api/dashboard/" + id + "/params/b/values").body, R"({"values":[["Furniture"],["Lighting"]],"has_more_values":false})");
}

TEST_P(ApiTest, CardsGoToTheTrashAndComeBackAndRevisionsGoBack) {
  auto id = std::to_string(id_of(post(somebody, "/api/card", new_card(orders_by_category(), "First"))));
  auto away = put(somebody, "/api/card/" + id, json::object{{"archived", true}}).json();
  EXPECT_EQ(json::boolean(away, "can_restore"), true);
  EXPECT_EQ(json::text(away.at("collection"), "id"), "trash");
  EXPECT_NE(get(somebody, "/api/collection/trash/items").body.find("First"), std::string::npos);
  EXPECT_EQ(get(somebody, "/api/collection/root/items").body.find("First"), std::string::npos);
  EXPECT_EQ(json::boolean(put(somebody, "/api/card/" + id, json::object{{"archived", false}, {"name", "Second"}, {"display", "line"}}).json(), "archived"), false);
  auto history = get(somebody, "/api/revision?entity=card&id=" + id).json().as_array();
  ASSERT_EQ(history.size(), 3u);
  auto reverted = post(somebody, "/api/revision/revert", json::object{{"entity", "card"}, {"id", std::stoll(id)}, {"revision_id", *json::integer(history[2], "id")}});
  EXPECT_EQ(json::boolean(reverted.json(), "is_reversion"), true) << reverted.body;
  auto card = get(somebody, "/api/card/" + id).json();
  EXPECT_EQ(json::text(card, "name"), "First");
  EXPECT_EQ(json::text(card, "display"), "bar");
  EXPECT_EQ(del(somebody, "/api/card/" + id).status, 204);
  EXPECT_EQ(get(somebody, "/api/card/" + id).status, 404);
}

TEST_P(ApiTest, ADashboardsOwnQuestionLivesAndGoesWithIt) {
  auto dashboard = id_of(post(somebody, "/api/dashboard", json::object{{"name", "Home"}}));
  auto body = new_card(orders_by_category(), "Own");
  body["dashboard_id"] = dashboard;
  auto card = post(somebody, "/api/card", body);
  ASSERT_EQ(card.status, 200) << card.body;
  EXPECT_EQ(json::text(card.json().at("dashboard"), "name"), "Home");
  auto whole = get(somebody, "/api/dashboard/" + std::to_string(dashboard)).json();
  EXPECT_EQ(whole.at("dashcards").as_array().size(), 1u);
  EXPECT_EQ(get(somebody, "/api/collection/root/items?models=card").body.find("Own"), std::string::npos);
  EXPECT_EQ(put(somebody, "/api/dashboard/" + std::to_string(dashboard), json::parse(R"({"dashcards":[]})")).status, 200);
  EXPECT_EQ(json::boolean(get(somebody, "/api/card/" + std::to_string(id_of(card))).json(), "archived"), true);
}

TEST_P(ApiTest, BookmarksRecentsAndPopularThings) {
  auto card = std::to_string(id_of(post(somebody, "/api/card", new_card(orders_by_category()))));
  EXPECT_EQ(post(somebody, "/api/bookmark/card/" + card).status, 200);
  EXPECT_EQ(post(somebody, "/api/bookmark/card/" + card).status, 400);
  auto bookmarks = get(somebody, "/api/bookmark").json().as_array();
  ASSERT_EQ(bookmarks.size(), 1u);
  EXPECT_EQ(json::text(bookmarks[0], "id"), "card-" + card);
  EXPECT_TRUE(get(administrator, "/api/bookmark").json().as_array().empty());
  get(somebody, "/api/card/" + card);
  auto recents = get(somebody, "/api/activity/recents?context=views").json().at("recents").as_array();
  ASSERT_EQ(recents.size(), 1u);
  EXPECT_EQ(json::text(recents[0], "model"), "card");
  EXPECT_EQ(json::text(recents[0].at("parent_collection"), "name"), "Our analytics");
  EXPECT_EQ(get(somebody, "/api/activity/popular_items").json().at("popular_items").as_array().size(), 1u);
  EXPECT_EQ(get(somebody, "/api/activity/most_recently_viewed_dashboard").status, 204);
  EXPECT_EQ(del(somebody, "/api/bookmark/card/" + card).status, 204);
  EXPECT_EQ(get(somebody, "/api/bookmark").body, "[]");
}

TEST_P(ApiTest, SnippetsAreForThoseWhoWriteSql) {
  auto made = post(somebody, "/api/native-query-snippet", json::object{{"name", "recent"}, {"content", "created_at > now()"}});
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(post(somebody, "/api/native-query-snippet", json::object{{"name", "recent"}, {"content", "x"}}).status, 400);
  EXPECT_EQ(post(somebody, "/api/native-query-snippet", json::object{{"name", " x"}, {"content", "x"}}).status, 400);
  EXPECT_EQ(post(somebody, "/api/native-query-snippet", json::object{{"name", "a}b"}, {"content", "x"}}).status, 400);
  write([&](Connection& c) { c.execute("UPDATE data_permission SET value = 'query-builder' WHERE kind = 'create-queries'"); });
  server->permissions.forget();
  EXPECT_EQ(get(somebody, "/api/native-query-snippet").body, "[]");
  EXPECT_EQ(get(somebody, "/api/native-query-snippet/" + std::to_string(id_of(made))).status, 404);
  EXPECT_EQ(post(somebody, "/api/native-query-snippet", json::object{{"name", "other"}, {"content", "x"}}).status, 403);
  EXPECT_EQ(get(administrator, "/api/native-query-snippet").json().as_array().size(), 1u);
}

TEST_P(ApiTest, PublicLinksFollowTheSetting) {
  auto card = std::to_string(id_of(post(administrator, "/api/card", new_card(orders_by_category()))));
  server->settings.change("enable-public-sharing", false);
  auto off = post(administrator, "/api/card/" + card + "/public_link");
  EXPECT_EQ(off.status, 400);
  EXPECT_EQ(off.body, "Public sharing is not enabled.");
  server->settings.change("enable-public-sharing", true);
  auto uuid = json::text(post(administrator, "/api/card/" + card + "/public_link").json(), "uuid");
  ASSERT_TRUE(uuid);
  EXPECT_EQ(json::text(post(administrator, "/api/card/" + card + "/public_link").json(), "uuid"), uuid);
  EXPECT_EQ(post(somebody, "/api/card/" + card + "/public_link").status, 403);
  EXPECT_EQ(del(administrator, "/api/card/" + card + "/public_link").status, 204);
}

TEST_P(ApiTest, TheSampleDashboardIsMadeOnceAndAllItsCardsRun) {
  add_sample_content(server->services, database);
  add_sample_content(server->services, database);
  auto dashboards = get(somebody, "/api/dashboard").json().as_array();
  ASSERT_EQ(dashboards.size(), 1u);
  auto whole = get(somebody, "/api/dashboard/" + std::to_string(*json::integer(dashboards[0], "id")));
  auto dashboard = whole.json();
  EXPECT_EQ(json::text(dashboard.at("parameters").at(0), "default"), "2025-02-01~2026-01-31") << whole.body;
  ASSERT_EQ(dashboard.at("dashcards").as_array().size(), 9u);
  std::set<std::pair<std::int64_t, std::int64_t>> cells;
  for (auto& dashcard : dashboard.at("dashcards").as_array()) {
    for (auto x = *json::integer(dashcard, "col"); x < *json::integer(dashcard, "col") + *json::integer(dashcard, "size_x"); ++x) {
      EXPECT_LT(x, 24);
      for (auto y = *json::integer(dashcard, "row"); y < *json::integer(dashcard, "row") + *json::integer(dashcard, "size_y"); ++y) EXPECT_TRUE(cells.insert({x, y}).second) << "cards overlap";
    }
    if (!json::find(dashcard, "card_id")) continue;
    auto path = "/api/dashboard/" + std::to_string(*json::integer(dashboard, "id")) + "/dashcard/" + std::to_string(*json::integer(dashcard, "id")) + "/card/" + std::to_string(*json::integer(dashcard, "card_id")) + "/query";
    for (auto parameters : {R"({})", R"({"parameters":[{"id":"5a4d61e1","value":null},{"id":"c0ffee21","value":["Furniture"]},{"id":"7e57a7e5","value":["TX"]}]})"}) {
      auto ran = post(somebody, path, json::parse(parameters));
      EXPECT_EQ(json::text(ran.json(), "status"), "completed") << ran.body;
      EXPECT_FALSE(ran.json().at("data").at("rows").as_array().empty()) << ran.body;
    }
    EXPECT_TRUE(json::find(dashcard.at("card"), "result_metadata")) << json::write(dashcard.at("card"));
  }
}

TEST_P(ApiTest, StrangersSeeAPublicCardWithoutItsQueryAndCannotAimElsewhere) {
  json::object native{{"database", database.value}, {"type", "native"}, {"native", json::parse(R"({"query":"SELECT STATE FROM PEOPLE WHERE 1 = 1 [[AND STATE = {{state}}]] ORDER BY 1",
    "template-tags":{"state":{"id":"t1","name":"state","display-name":"State","type":"text"}}})")}};
  auto id = std::to_string(id_of(post(administrator, "/api/card", new_card(native, "States"))));
  server->settings.change("enable-public-sharing", true);
  auto uuid = *json::text(post(administrator, "/api/card/" + id + "/public_link").json(), "uuid");
  auto base = "/api/public/card/" + uuid;
  auto card = get(nullptr, base);
  EXPECT_EQ(card.status, 200);
  EXPECT_EQ(card.body.find("PEOPLE"), std::string::npos) << card.body;
  auto ran = get(nullptr, base + "/query");
  EXPECT_EQ(ran.status, 202);
  EXPECT_EQ(json::write(ran.json().at("data").at("rows")), R"([["NY"],["TX"]])") << ran.body;
  EXPECT_EQ(ran.body.find("PEOPLE"), std::string::npos) << ran.body;
  EXPECT_EQ(json::write(get(nullptr, base + R"(/query?parameters=[{"id":"t1","value":"TX"}])").json().at("data").at("rows")), R"([["TX"]])");
  auto aimed = get(nullptr, base + R"(/query?parameters=[{"value":"TX","type":"category","target":["dimension",["field",1,null]]}])");
  EXPECT_EQ(aimed.status, 400);
  EXPECT_EQ(aimed.body, "An error occurred.");
  EXPECT_NE(get(nullptr, base + "/query/csv").body.find("TX"), std::string::npos);
  EXPECT_EQ(get(nullptr, "/api/public/card/" + uuid4()).status, 404);
  server->settings.change("enable-public-sharing", false);
  EXPECT_EQ(get(nullptr, base).status, 400);
}

TEST_P(ApiTest, APublicQueryThatFailsDoesNotSayWhy) {
  json::object native{{"database", database.value}, {"type", "native"}, {"native", json::object{{"query", "SELECT secret_column FROM nowhere"}}}};
  auto id = std::to_string(id_of(post(administrator, "/api/card", new_card(native))));
  server->settings.change("enable-public-sharing", true);
  auto base = "/api/public/card/" + *json::text(post(administrator, "/api/card/" + id + "/public_link").json(), "uuid");
  for (auto path : {"/query", "/query/csv", "/query/json"}) {
    auto answer = get(nullptr, base + path);
    EXPECT_EQ(json::text(answer.json(), "status"), "failed") << answer.body;
    EXPECT_EQ(answer.body.find("nowhere"), std::string::npos) << answer.body;
  }
}

TEST_P(ApiTest, APublicDashboardRunsItsCardsAndNoOthers) {
  auto card = id_of(post(administrator, "/api/card", new_card(orders_by_category())));
  auto id = std::to_string(id_of(post(administrator, "/api/dashboard", json::object{{"name", "Shop"}})));
  auto saved = put(administrator, "/api/dashboard/" + id, json::parse("{\"dashcards\":[{\"id\":-1,\"card_id\":" + std::to_string(card) + ",\"row\":0,\"col\":0,\"size_x\":4,\"size_y\":4}]}")).json();
  auto other = std::to_string(id_of(post(administrator, "/api/card", new_card(orders_by_category(), "Other"))));
  server->settings.change("enable-public-sharing", true);
  auto base = "/api/public/dashboard/" + *json::text(post(administrator, "/api/dashboard/" + id + "/public_link").json(), "uuid");
  auto whole = get(nullptr, base);
  ASSERT_EQ(whole.status, 200) << whole.body;
  EXPECT_EQ(whole.body.find("source-table"), std::string::npos) << whole.body;
  auto dashcard = base + "/dashcard/" + std::to_string(*json::integer(whole.json().at("dashcards").at(0), "id")) + "/card/";
  EXPECT_EQ(json::write(get(nullptr, dashcard + std::to_string(card)).json().at("data").at("rows")), R"([["Furniture",3],["Lighting",1]])");
  EXPECT_EQ(get(nullptr, dashcard + other).status, 404);
}

INSTANTIATE_TEST_SUITE_P(Engines, ApiTest, testing::Values(appdb::Engine::Sqlite, appdb::Engine::Postgres), engine_name);

}  // namespace
}  // namespace basalt::features
