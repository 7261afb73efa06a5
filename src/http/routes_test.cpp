#include <gtest/gtest.h>

#include "http/docs.h"
#include "http/routes.h"
#include "http/url_text.h"

namespace basalt::http {
namespace {

struct Body {
  std::int64_t card = 0;
  std::optional<std::string> note;
  static constexpr auto fields() { return json_fields(field("card_id", &Body::card, positive), field("note", &Body::note)); }
};

Routes& fill(Routes& routes) {
  routes.in_feature("card");
  routes.get("/api/card", [](Request&) { return json::value("list"); });
  routes.get("/api/card/:id", [](Request& request) { return json::value("one " + request.path_value("id")); });
  routes.get("/api/card/public", [](Request&) { return json::value("public"); });
  routes.put("/api/card/public", [](Request&) {});
  routes.post("/api/card/:card-id/query/:format", [](Request&, const Body& body) { return json::value(body.card); });
  routes.get("/api/user-key-value/namespace/:ns/key/:key", [](Request& request) { return json::value(request.path_value("key")); });
  routes.get("/files/*path", [](Request& request) { return json::value(request.path_value("path")); });
  routes.del("/api/card/:id", [](Request&) {}).administrator();
  return routes;
}

std::string pattern(const Routes& routes, Method method, std::string_view path) {
  auto match = routes.match(method, path);
  return match.route ? match.route->pattern : match.other_method ? "other method" : "none";
}

TEST(Routes, literals_beat_names_and_a_trailing_slash_is_the_same) {
  Routes routes;
  fill(routes);
  EXPECT_EQ(pattern(routes, Method::Get, "/api/card"), "/api/card");
  EXPECT_EQ(pattern(routes, Method::Get, "/api/card/"), "/api/card");
  EXPECT_EQ(pattern(routes, Method::Get, "/api/card/7"), "/api/card/:id");
  EXPECT_EQ(pattern(routes, Method::Get, "/api/card/7/"), "/api/card/:id");
  EXPECT_EQ(pattern(routes, Method::Get, "/api/card/public"), "/api/card/public");
  EXPECT_EQ(pattern(routes, Method::Delete, "/api/card/public"), "/api/card/:id") << "only the name has DELETE";
  EXPECT_EQ(pattern(routes, Method::Get, "/api/card/7/8"), "none");
  EXPECT_EQ(pattern(routes, Method::Get, "/api//card"), "none");
  EXPECT_EQ(pattern(routes, Method::Get, "/"), "none");
  EXPECT_EQ(pattern(routes, Method::Post, "/api/card/public"), "other method");
}

TEST(Routes, head_finds_the_get_route) {
  Routes routes;
  EXPECT_EQ(pattern(fill(routes), Method::Head, "/api/card/7"), "/api/card/:id"); }

TEST(Routes, values_come_decoded_and_an_encoded_slash_stays_in_its_segment) {
  Routes routes;
  fill(routes);
  auto match = routes.match(Method::Get, "/api/user-key-value/namespace/a%20b/key/x%2Fy");
  ASSERT_TRUE(match.route);
  EXPECT_EQ(match.path_values["ns"], "a b");
  EXPECT_EQ(match.path_values["key"], "x/y");
  EXPECT_EQ(routes.match(Method::Get, "/files/a/b%20c/d").path_values["path"], "a/b c/d");
  EXPECT_EQ(routes.match(Method::Get, "/files").path_values["path"], "");
  EXPECT_FALSE(routes.match(Method::Get, "/api/card/%0a").route) << "control characters are no value";
  EXPECT_FALSE(routes.match(Method::Get, "/api/card/%4").route);
}

TEST(Routes, the_same_route_twice_is_our_mistake) {
  Routes routes;
  fill(routes);
  EXPECT_THROW(routes.get("/api/card/:other", [](Request&) {}), Failure);
}

TEST(Routes, a_body_is_read_by_its_fields) {
  Routes routes;
  fill(routes);
  Request request;
  auto match = routes.match(Method::Post, "/api/card/3/query/csv");
  ASSERT_TRUE(match.route);
  request.body = R"({"card_id": 5, "leftover": 1})";
  EXPECT_EQ(match.route->handler(request).body, "5");
  request.body = R"({"card_id": 0})";
  try {
    match.route->handler(request);
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.fields().at("card_id"), "value must be an integer greater than zero.");
  }
}

TEST(Routes, the_document_names_every_route) {
  Routes routes;
  fill(routes);
  add_docs_routes(routes);
  auto document = routes.openapi("0.1.0");
  auto& paths = document.at("paths").as_object();
  EXPECT_TRUE(paths.at("/api/card/{id}").as_object().contains("get"));
  EXPECT_TRUE(paths.at("/api/card/{id}").as_object().at("delete").as_object().at("responses").as_object().contains("403"));
  auto& query = paths.at("/api/card/{card-id}/query/{format}").as_object().at("post").as_object();
  EXPECT_EQ(query.at("requestBody").at_pointer("/content/application~1json/schema/required/0"), json::value("card_id"));
  Request request;
  EXPECT_NE(routes.match(Method::Get, "/api/docs").route->handler(request).body.find("/api/card/:id"), std::string::npos);
}

TEST(Request, reads_query_cookies_and_forms) {
  Request request;
  request.query = parse_query_text("models=card&models=dash%20board&archived=true&n=12&empty=&plus=a+b&bad=%zz");
  request.headers = {{"cookie", "a=1; metabase.SESSION=\"xyz\""}, {"content-type", "application/x-www-form-urlencoded"}};
  EXPECT_EQ(request.query_values("models"), (std::vector<std::string>{"card", "dash board"}));
  EXPECT_TRUE(request.query_flag("archived"));
  EXPECT_FALSE(request.query_flag("missing"));
  EXPECT_EQ(request.query_integer("n"), 12);
  EXPECT_EQ(request.query_integer("empty"), std::nullopt);
  EXPECT_EQ(request.query_value("plus"), "a b");
  EXPECT_EQ(request.query_value("bad"), "%zz");
  EXPECT_THROW(request.query_integer("plus"), Failure);
  EXPECT_THROW(request.query_flag("n"), Failure);
  EXPECT_EQ(request.cookie("metabase.SESSION"), "xyz");
  EXPECT_EQ(request.cookie("SESSION"), std::nullopt);
  request.body = "query=%7B%7D&format_rows=true";
  EXPECT_EQ(json::text(request.json_body(), "query"), "{}");
  request.headers.clear();
  EXPECT_THROW(request.json_body(), Failure);
  request.body = " ";
  EXPECT_TRUE(request.json_body().is_object());
  request.path_values["id"] = "0";
  EXPECT_THROW(request.path_integer("id"), Failure);
  request.path_values["id"] = "12";
  EXPECT_EQ(request.path_id<CardId>("id"), CardId(12));
}

}  // namespace
}  // namespace basalt::http
