// The routes with everything behind them but sockets and sign-in, for tests: an application database, a small SQLite shop to
// query, an administrator (Ada) and somebody without rights of their own (Bob). Header only.
#pragma once
#include <sqlite3.h>

#include "features/activity/activity_api.h"
#include "features/bookmarks/bookmarks_api.h"
#include "features/cards/cards_api.h"
#include "features/collections/collections_api.h"
#include "features/content/sample_content.h"
#include "features/content/test_content.h"
#include "features/dashboards/dashboards_api.h"
#include "features/databases/catalog.h"
#include "features/databases/sync.h"
#include "features/queries/data_sources.h"
#include "features/revisions/revisions_api.h"
#include "features/search/search_api.h"
#include "features/segments/segments_api.h"
#include "features/snippets/snippets_api.h"
#include "http/failure_response.h"
#include "jobs/scheduler.h"
#include "permissions/defaults.h"
#include "session/passwords.h"
#include "session/sessions.h"

namespace basalt::features {

class TestEnvironment final : public pipeline::Environment {
 public:
  TestEnvironment(MetadataCache& cache, DataSources& sources) : cache_(cache), sources_(sources) {}
  std::unique_ptr<query::Catalog> catalog() override { return std::make_unique<StoreCatalog>(cache_); }
  pipeline::Settings settings() override { return {}; }
  std::shared_ptr<pipeline::ConnectionLease> lease(DatabaseId database, std::stop_token gone) override { return sources_.lease(database, gone); }
  void record(const pipeline::RunRecord&) override {}

 private:
  MetadataCache& cache_;
  DataSources& sources_;
};

struct Answer {
  int status = 0;
  std::string body;
  json::value json() const { return json::parse(body); }
};

class TestServer {
 public:
  explicit TestServer(appdb::Store& opened, const std::filesystem::path& folder)
      : store(opened), sealer(std::nullopt), settings(store, {}, [](auto& text) { return text; }, [](auto& text) { return text; }), permissions(store), metadata(store),
        drivers(drivers::DriverOptions{folder, 64}), sources(store, drivers, [](auto& text) { return text; }), environment(metadata, sources),
        sync({store, drivers, environment, sealer, metadata, clock}), sessions(store, clock, {}), passwords(session::PasswordRules{}), pool("test", 1, 10), scheduler(pool),
        services{store, permissions, settings, drivers, sources, metadata, sync, environment, sessions, passwords, scheduler, clock, pool, sealer, migrations, folder} {
    add_collection_routes(routes, services);
    add_card_routes(routes, services);
    add_dashboard_routes(routes, services);
    add_revision_routes(routes, services);
    add_search_routes(routes, services);
    add_activity_routes(routes, services);
    add_bookmark_routes(routes, services);
    add_snippet_routes(routes, services);
    add_segment_routes(routes, services);
  }

  // As the server would: rights of the route, handler, stream, failures to answers.
  Answer call(std::shared_ptr<const http::Caller> caller, http::Method method, const std::string& target, const std::string& body = "") {
    http::Request request;
    request.method = method;
    auto mark = target.find('?');
    request.path = target.substr(0, mark);
    for (auto rest = mark == std::string::npos ? std::string() : target.substr(mark + 1); !rest.empty();) {
      auto end = rest.find('&');
      auto pair = rest.substr(0, end);
      request.query.emplace_back(pair.substr(0, pair.find('=')), pair.find('=') == std::string::npos ? "" : pair.substr(pair.find('=') + 1));
      rest = end == std::string::npos ? "" : rest.substr(end + 1);
    }
    if (!body.empty()) request.headers.emplace_back("content-type", "application/json");
    request.body = body;
    request.caller_or_none = caller;
    auto match = routes.match(method, request.path);
    if (!match.route) return {404, "API endpoint does not exist."};
    request.path_values = match.path_values;
    struct Sink final : http::ResponseStream {
      Answer answer;
      void start(int status, std::vector<std::pair<std::string, std::string>>) override { answer.status = status; }
      void write(std::string_view bytes) override { answer.body += bytes; }
    };
    try {
      if (match.route->access_rule != http::Access::Open) request.caller();
      if (match.route->access_rule == http::Access::Administrator && !caller->is_administrator) throw forbidden();
      auto response = match.route->handler(request);
      if (!response.producer) return {response.status, response.body};
      Sink sink;
      response.producer(sink);
      return sink.answer;
    } catch (const Failure& failure) {
      auto response = http::failure_response(failure, "test");
      return {response.status, response.body};
    }
  }

  appdb::Store& store;
  FixedClock clock{*parse_timestamp("2026-03-01T12:00:00Z")};
  Sealer sealer;
  Settings settings;
  permissions::Permissions permissions;
  MetadataCache metadata;
  drivers::Drivers drivers;
  DataSources sources;
  TestEnvironment environment;
  SyncJobs sync;
  session::Sessions sessions;
  session::Passwords passwords;
  WorkerPool pool;
  jobs::Scheduler scheduler;
  std::vector<migrations::Migration> migrations;
  Services services;
  http::Routes routes;
};

class ApiTest : public ContentTest {
 protected:
  void SetUp() override {
    ContentTest::SetUp();
    if (IsSkipped()) return;
    make_shop(stores->folder() / "shop.sqlite");
    server = std::make_unique<TestServer>(*store, stores->folder());
    write([&](appdb::Connection& c) {
      permissions::grant_new_store(c);
      permissions::grant_new_database(c, database);
      c.update("database", {{"details", json::write(json::object{{"db", (stores->folder() / "shop.sqlite").string()}})}}, "id", database);
      c.update("person", {{"is_administrator", true}}, "id", ada);
      for (auto person : {ada, bob}) c.insert("group_membership", {{"person_id", person}, {"group_id", permissions::all_users}});
      c.insert("group_membership", {{"person_id", ada}, {"group_id", permissions::administrators}});
    });
    server->sync.run(database, SyncDepth::Everything);
    server->permissions.forget();
    server->metadata.forget();
    administrator = caller(ada, "Ada", true);
    somebody = caller(bob, "Bob", false);
  }
  static std::shared_ptr<const http::Caller> caller(PersonId person, const char* name, bool administrator) {
    auto caller = std::make_shared<http::Caller>();
    caller->person = person;
    caller->first_name = name;
    caller->email = lower_ascii(name) + "@example.com";
    caller->is_administrator = administrator;
    caller->groups = {permissions::all_users};
    if (administrator) caller->groups.push_back(permissions::administrators);
    return caller;
  }
  static void make_shop(const std::filesystem::path& file) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(file.c_str(), &db), SQLITE_OK);
    char* error = nullptr;
    sqlite3_exec(db, R"(
      CREATE TABLE PRODUCTS (ID INTEGER PRIMARY KEY, TITLE TEXT, CATEGORY TEXT);
      CREATE TABLE PEOPLE (ID INTEGER PRIMARY KEY, STATE TEXT);
      CREATE TABLE ORDERS (ID INTEGER PRIMARY KEY, USER_ID INTEGER REFERENCES PEOPLE (ID), PRODUCT_ID INTEGER REFERENCES PRODUCTS (ID), SUBTOTAL REAL, DISCOUNT REAL, QUANTITY INTEGER, CREATED_AT TIMESTAMP);
      CREATE TABLE REVIEWS (ID INTEGER PRIMARY KEY, PRODUCT_ID INTEGER REFERENCES PRODUCTS (ID), RATING INTEGER, CREATED_AT TIMESTAMP);
      INSERT INTO PRODUCTS VALUES (1, 'Oak table', 'Furniture'), (2, 'Lamp', 'Lighting'), (3, 'Stool', 'Furniture');
      INSERT INTO PEOPLE VALUES (1, 'TX'), (2, 'NY');
      INSERT INTO ORDERS VALUES (1, 1, 1, 100, NULL, 1, '2025-11-03 10:00:00'), (2, 2, 2, 40, 5, 2, '2025-12-04 10:00:00'), (3, 1, 3, 60, NULL, 1, '2026-01-05 10:00:00'), (4, 2, 1, 100, 10, 1, '2026-02-14 10:00:00');
      INSERT INTO REVIEWS VALUES (1, 1, 5, '2026-01-20 08:00:00'), (2, 2, 3, '2026-02-02 08:00:00');)", nullptr, nullptr, &error);
    EXPECT_EQ(error, nullptr) << error;
    sqlite3_close(db);
  }

  Answer get(std::shared_ptr<const http::Caller> who, const std::string& path) { return server->call(who, http::Method::Get, path); }
  Answer post(std::shared_ptr<const http::Caller> who, const std::string& path, const json::value& body = json::object()) { return server->call(who, http::Method::Post, path, json::write(body)); }
  Answer put(std::shared_ptr<const http::Caller> who, const std::string& path, const json::value& body) { return server->call(who, http::Method::Put, path, json::write(body)); }
  Answer del(std::shared_ptr<const http::Caller> who, const std::string& path) { return server->call(who, http::Method::Delete, path); }

  std::int64_t field_id(const char* table, const char* field) {
    return read([&](appdb::Connection& c) {
      return c.count("SELECT f.id FROM data_field f JOIN data_table t ON t.id = f.table_id WHERE t.name = ? AND f.name = ?", {table, field});
    });
  }
  std::int64_t table_id(const char* table) { return read([&](appdb::Connection& c) { return c.count("SELECT id FROM data_table WHERE name = ?", {table}); }); }
  json::object orders_by_category() {
    json::array breakout;
    breakout.push_back(json::parse("[\"field\"," + std::to_string(field_id("PRODUCTS", "CATEGORY")) + ",{\"source-field\":" + std::to_string(field_id("ORDERS", "PRODUCT_ID")) + "}]"));
    return {{"database", database.value}, {"type", "query"}, {"query", json::object{{"source-table", table_id("ORDERS")}, {"aggregation", json::parse("[[\"count\"]]")}, {"breakout", std::move(breakout)}}}};
  }
  json::object new_card(const json::object& query, const char* name = "By category") {
    return {{"name", name}, {"display", "bar"}, {"dataset_query", query}, {"visualization_settings", json::object()}};
  }

  std::unique_ptr<TestServer> server;
  std::shared_ptr<const http::Caller> administrator, somebody;
};

}  // namespace basalt::features
