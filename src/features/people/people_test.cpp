// Who is asking and what they may do, on a real store of each engine.
#include "features/people/people.h"

#include <gtest/gtest.h>

#include "base/crypto.h"
#include "base/random.h"
#include "permissions/defaults.h"
#include "permissions/graphs.h"
#include "session/password_resets.h"
#include "session/sessions.h"
#include "session/sign_in_throttle.h"
#include "upgrade/test_upgrades.h"

namespace basalt::features {
namespace {

using namespace std::chrono_literals;
using permissions::CollectionRight;
using permissions::DataRight;

class PeopleTest : public ::testing::TestWithParam<appdb::Engine> {
 protected:
  void SetUp() override {
    if (auto reason = appdb::TestStores::missing(GetParam())) GTEST_SKIP() << *reason;
    stores = std::make_unique<appdb::TestStores>(GetParam());
    store = upgrade::open_fresh(*stores);
    permissions = std::make_unique<permissions::Permissions>(*store);
    sessions = std::make_unique<session::Sessions>(*store, clock, session::SessionOptions{.age = std::chrono::minutes(60), .remembered = 0ms});
    ada = add_person("ada@example.com", {all_users_group, administrators_group});
    bob = add_person("bob@example.com", {all_users_group});
  }
  PersonId add_person(const std::string& email, std::vector<GroupId> groups) {
    return store->write([&](appdb::Connection& connection) {
      PersonId id(connection.insert("person", {{"email", email}, {"is_administrator", false}, {"is_active", true}, {"kind", "personal"}, {"created_at", clock.now()},
                                               {"updated_at", clock.now()}, {"entity_id", entity_id()}}));
      set_groups(connection, id, groups);
      return id;
    });
  }
  GroupId add_group(const std::string& name) {
    return store->write([&](appdb::Connection& connection) { return GroupId(connection.insert("permission_group", {{"name", name}, {"kind", "own"}, {"entity_id", entity_id()}, {"created_at", clock.now()}})); });
  }
  DatabaseId add_database(const std::string& name) {
    return store->write([&](appdb::Connection& connection) {
      return DatabaseId(connection.insert("database", {{"name", name}, {"engine", "sqlite"}, {"details", "{}"}, {"is_sample", false}, {"is_full_sync", true}, {"is_on_demand", false},
          {"auto_run_queries", true}, {"metadata_sync_schedule", "0 50 * * * ? *"}, {"cache_field_values_schedule", "0 0 3 * * ? *"}, {"initial_sync_status", "complete"},
          {"created_at", clock.now()}, {"updated_at", clock.now()}, {"entity_id", entity_id()}}));
    });
  }
  TableId add_table(DatabaseId database, const std::string& schema, const std::string& name) {
    return store->write([&](appdb::Connection& connection) {
      return TableId(connection.insert("data_table", {{"database_id", database}, {"schema_name", schema}, {"name", name}, {"display_name", name}, {"field_order", "database"}, {"active", true},
          {"initial_sync_status", "complete"}, {"view_count", 0}, {"is_view", false}, {"show_in_getting_started", false}, {"created_at", clock.now()}, {"updated_at", clock.now()}, {"entity_id", entity_id()}}));
    });
  }
  CollectionId add_collection(const std::string& name, const std::string& location = "/", std::optional<PersonId> owner = {}) {
    return store->write([&](appdb::Connection& connection) {
      return CollectionId(connection.insert("collection", {{"name", name}, {"slug", name}, {"location", location}, {"personal_owner_id", owner}, {"archived", false},
          {"created_at", clock.now()}, {"updated_at", clock.now()}, {"entity_id", entity_id()}}));
    });
  }
  http::Caller caller(PersonId id) {
    return store->read([&](appdb::Connection& connection) {
      auto person = *find_person(connection, id);
      return http::Caller{.person = id, .email = person.email, .is_administrator = person.is_administrator, .groups = person.groups};
    });
  }
  std::shared_ptr<const permissions::Rights> rights(PersonId id) { return permissions->of(caller(id)); }
  http::Request with_key(const std::string& key) {
    http::Request request;
    request.headers = {{"x-metabase-session", key}};
    return request;
  }
  json::object change_data(const json::value& graph, bool force = false) {
    return permissions::Graphs(*store, *permissions, clock).change_data({.graph = graph, .by = ada, .force = force});
  }
  json::object change_collections(const json::value& graph) {
    return permissions::Graphs(*store, *permissions, clock).change_collections({.graph = graph, .by = ada}, {});
  }
  template <class Work>
  static std::string sentence_of(FailureKind kind, Work&& work) {
    try {
      work();
    } catch (const Failure& failure) {
      EXPECT_EQ(static_cast<int>(failure.kind()), static_cast<int>(kind)) << failure.sentence();
      return failure.sentence();
    }
    ADD_FAILURE() << "nothing was thrown";
    return "";
  }

  std::unique_ptr<appdb::TestStores> stores;
  std::unique_ptr<appdb::Store> store;
  FixedClock clock{Timestamp(std::chrono::hours(24 * 365 * 55))};
  std::unique_ptr<permissions::Permissions> permissions;
  std::unique_ptr<session::Sessions> sessions;
  PersonId ada, bob;
};

TEST_P(PeopleTest, a_session_lives_until_it_ends_or_expires) {
  auto made = sessions->create(bob, http::Request());
  auto found = sessions->authenticate(with_key(made.key));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->person, bob);
  EXPECT_EQ(found->groups, (std::vector<GroupId>{all_users_group}));
  EXPECT_FALSE(found->is_administrator);
  EXPECT_FALSE(sessions->authenticate(with_key(uuid4())));
  EXPECT_EQ(store->read([](appdb::Connection& c) { return c.query_one("SELECT key_hash FROM session")->text("key_hash"); }), sha256_hex(made.key)) << "never the key itself";
  clock.advance(59min);
  EXPECT_TRUE(sessions->authenticate(with_key(made.key)));
  clock.advance(2min);
  EXPECT_FALSE(sessions->authenticate(with_key(made.key)));
  auto second = sessions->create(bob, http::Request());
  EXPECT_EQ(sessions->remove_expired(), 1);
  EXPECT_TRUE(sessions->end(with_key(second.key)));
  EXPECT_FALSE(sessions->end(with_key(second.key)));
  EXPECT_FALSE(sessions->authenticate(with_key(second.key)));
}

TEST_P(PeopleTest, what_is_remembered_of_a_session_ends_with_it) {
  session::Sessions remembering(*store, clock, session::SessionOptions{.remembered = 1h, .most_remembered = 2});
  auto one = remembering.create(bob, http::Request()), two = remembering.create(bob, http::Request()), three = remembering.create(ada, http::Request());
  for (auto* made : {&one, &two, &three, &one}) EXPECT_TRUE(remembering.authenticate(with_key(made->key)));
  EXPECT_TRUE(remembering.end(with_key(one.key)));
  EXPECT_FALSE(remembering.authenticate(with_key(one.key)));
  EXPECT_TRUE(remembering.authenticate(with_key(two.key)));
  remembering.end_all_of(bob);
  EXPECT_FALSE(remembering.authenticate(with_key(two.key)));
  EXPECT_TRUE(remembering.authenticate(with_key(three.key)));
  store->write([&](appdb::Connection& c) { c.update("person", {{"is_active", false}}, "id", ada); });
  remembering.forget(ada);
  EXPECT_FALSE(remembering.authenticate(with_key(three.key))) << "inactive people are nobody";
}

TEST_P(PeopleTest, cookies_of_other_sites_change_nothing) {
  auto made = sessions->create(bob, http::Request());
  http::Request request;
  request.method = http::Method::Post;
  auto send = [&](std::vector<std::pair<std::string, std::string>> headers) {
    request.headers = std::move(headers);
    request.headers.emplace_back("cookie", "metabase.SESSION=" + made.key);
    request.headers.emplace_back("host", "bi.example.com");
    return sessions->authenticate(request);
  };
  EXPECT_TRUE(send({})) << "programs send no origin";
  EXPECT_TRUE(send({{"origin", "http://bi.example.com"}}));
  EXPECT_TRUE(send({{"sec-fetch-site", "same-origin"}, {"origin", "https://elsewhere.example.com"}})) << "a proxy changed the host";
  for (auto headers : std::vector<std::vector<std::pair<std::string, std::string>>>{
           {{"origin", "http://evil.example"}}, {{"origin", "null"}}, {{"sec-fetch-site", "cross-site"}}, {{"sec-fetch-site", "cross-site"}, {"origin", "http://bi.example.com"}},
           {{"sec-fetch-site", "same-site"}, {"origin", "http://other.example.com"}}, {{"origin", "http://bi.example.com:8080"}}}) {
    sentence_of(FailureKind::Forbidden, [&] { send(headers); });
  }
  request.method = http::Method::Get;
  EXPECT_TRUE(send({{"origin", "http://evil.example"}})) << "reading is no change";
}

TEST_P(PeopleTest, an_api_key_is_its_hidden_person) {
  auto key = session::make_api_key();
  EXPECT_TRUE(key.key.starts_with("mb_"));
  EXPECT_EQ(key.prefix.size(), 7u);
  auto person = add_person("api-key-user-1@api-key.invalid", {administrators_group});
  store->write([&](appdb::Connection& c) {
    c.insert("api_key", {{"name", "ci"}, {"key_hash", key.hash}, {"key_prefix", key.prefix}, {"masked_key", key.masked}, {"person_id", person}, {"group_id", administrators_group},
                         {"creator_id", ada}, {"updated_by_id", ada}, {"created_at", clock.now()}, {"updated_at", clock.now()}});
  });
  http::Request request;
  request.headers = {{"x-api-key", key.key}};
  auto found = sessions->authenticate(request);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->by_api_key);
  EXPECT_TRUE(found->is_administrator);
  request.headers = {{"x-api-key", key.key.substr(0, key.key.size() - 1) + (key.key.back() == 'A' ? 'B' : 'A')}};
  EXPECT_FALSE(sessions->authenticate(request)) << "the prefix alone opens nothing";
}

TEST_P(PeopleTest, guessing_is_slowed_down) {
  session::SignInThrottle throttle(*store, clock);
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(throttle.wait("Bob@example.com", "1.2.3.4")) << i;
    throttle.failed("bob@example.com", "1.2.3.4");
    clock.advance(1s);
  }
  auto wait = throttle.wait("BOB@example.com", "9.9.9.9");
  ASSERT_TRUE(wait) << "from anywhere";
  EXPECT_EQ(wait->count(), 14);
  EXPECT_FALSE(throttle.wait("ada@example.com", "1.2.3.4"));
  clock.advance(15s);
  EXPECT_FALSE(throttle.wait("bob@example.com", "1.2.3.4"));
  for (int i = 0; i < 30; ++i) throttle.failed("bob@example.com", "1.2.3.4");
  EXPECT_EQ(throttle.wait("bob@example.com", "9.9.9.9"), 900s) << "never longer than 15 minutes";
  throttle.succeeded("bob@example.com");
  EXPECT_FALSE(throttle.wait("bob@example.com", "9.9.9.9"));
  for (int i = 0; i < 60; ++i) throttle.failed("other" + std::to_string(i) + "@example.com", "6.6.6.6");
  EXPECT_TRUE(throttle.wait("ada@example.com", "6.6.6.6")) << "one address tries many people";
  clock.advance(2h);
  EXPECT_FALSE(throttle.wait("ada@example.com", "6.6.6.6"));
}

TEST_P(PeopleTest, a_reset_link_works_once_for_two_days) {
  session::PasswordResets resets(*store, clock);
  auto token = resets.create(bob);
  EXPECT_TRUE(token.starts_with(std::to_string(bob.value) + "_"));
  EXPECT_EQ(resets.person_of(token), bob);
  EXPECT_FALSE(resets.person_of(token + "x"));
  EXPECT_EQ(store->write([&](appdb::Connection& c) { return resets.redeem(c, token); }), bob);
  EXPECT_FALSE(store->write([&](appdb::Connection& c) { return resets.redeem(c, token); }));
  auto old = resets.create(bob), later = resets.create(bob);
  EXPECT_FALSE(resets.person_of(old)) << "a new link ends the former";
  clock.advance(49h);
  EXPECT_FALSE(resets.person_of(later));
}

TEST_P(PeopleTest, the_last_administrator_stays) {
  auto remove = [&](PersonId id) { store->write([&](appdb::Connection& c) { remove_from_group(c, id, administrators_group); }); };
  EXPECT_TRUE(caller(ada).is_administrator);
  sentence_of(FailureKind::BadRequest, [&] { remove(ada); });
  store->write([&](appdb::Connection& c) { set_groups(c, bob, {administrators_group}); });
  EXPECT_TRUE(caller(bob).is_administrator);
  remove(ada);
  EXPECT_FALSE(caller(ada).is_administrator);
  EXPECT_EQ(caller(ada).groups, (std::vector<GroupId>{all_users_group}));
  sentence_of(FailureKind::BadRequest, [&] { remove(bob); });
  sentence_of(FailureKind::BadRequest, [&] { store->write([&](appdb::Connection& c) { remove_from_group(c, ada, all_users_group); }); });
}

TEST_P(PeopleTest, collection_rights_are_the_most_that_a_group_gives) {
  auto readers = add_group("Readers"), editors = add_group("Editors");
  auto shared = add_collection("shared"), hidden = add_collection("hidden");
  auto own = add_collection("bobs", "/", bob), below = add_collection("below", "/" + std::to_string(own.value) + "/");
  change_collections(json::parse(R"({"revision":0,"groups":{")" + std::to_string(readers.value) + R"(":{")" + std::to_string(shared.value) + R"(":"read"},")" +
                                 std::to_string(editors.value) + R"(":{")" + std::to_string(shared.value) + R"(":"write"}}})"));
  EXPECT_EQ(rights(bob)->collection(shared), CollectionRight::None);
  store->write([&](appdb::Connection& c) { set_groups(c, bob, {readers}); });
  EXPECT_EQ(rights(bob)->collection(shared), CollectionRight::View);
  sentence_of(FailureKind::Forbidden, [&] { rights(bob)->require_curate(shared); });
  store->write([&](appdb::Connection& c) { set_groups(c, bob, {readers, editors}); });
  EXPECT_EQ(rights(bob)->collection(shared), CollectionRight::Curate);
  EXPECT_EQ(rights(bob)->collection(hidden), CollectionRight::None);
  sentence_of(FailureKind::NotFound, [&] { rights(bob)->require_curate(hidden); });
  sentence_of(FailureKind::NotFound, [&] { rights(bob)->require_view(CollectionId(9999)); });
  EXPECT_EQ(rights(bob)->collection(std::nullopt), CollectionRight::None) << "nothing is granted before the set-up";
  EXPECT_EQ(rights(ada)->collection(hidden), CollectionRight::Curate);
  EXPECT_EQ(rights(ada)->collection(CollectionId(9999)), CollectionRight::None);
  // Personal: the owner and administrators, below too.
  auto carl = add_person("carl@example.com", {readers, editors});
  for (auto collection : {own, below}) {
    EXPECT_EQ(rights(bob)->collection(collection), CollectionRight::Curate);
    EXPECT_EQ(rights(ada)->collection(collection), CollectionRight::Curate);
    EXPECT_EQ(rights(carl)->collection(collection), CollectionRight::None);
  }
  // Made after the rights were read: looked up by itself.
  auto before = rights(bob);
  auto late = add_collection("late", "/" + std::to_string(own.value) + "/");
  EXPECT_EQ(before->collection(late), CollectionRight::Curate);
  EXPECT_EQ(rights(carl)->collection(late), CollectionRight::None);
  auto inner = add_collection("inner", "/" + std::to_string(shared.value) + "/");
  store->write([&](appdb::Connection& c) { permissions::grant_new_collection(c, inner, shared); });
  EXPECT_EQ(rights(carl)->collection(inner), CollectionRight::Curate) << "takes over the rights of the one it is made in";
}

TEST_P(PeopleTest, data_rights_go_down_to_tables) {
  auto team = add_group("Team"), other = add_group("Other");
  store->write([&](appdb::Connection& c) { set_groups(c, bob, {team}); });
  auto shop = add_database("shop");
  auto orders = add_table(shop, "public", "orders"), people = add_table(shop, "public", "people"), log = add_table(shop, "audit", "log");
  auto group = std::to_string(team.value), database = std::to_string(shop.value);
  auto graph = [&](const std::string& value, const std::string& view = R"("unrestricted")") {
    return json::parse(R"({"groups":{")" + group + R"(":{")" + database + R"(":{"create-queries":)" + value + R"(,"view-data":)" + view + "}}}}");
  };
  EXPECT_FALSE(rights(bob)->any_table(shop));
  sentence_of(FailureKind::Forbidden, [&] { rights(bob)->require_table(shop, "public", orders); });
  store->write([&](appdb::Connection& c) { permissions::grant_new_database(c, shop); });
  permissions->forget();
  EXPECT_EQ(rights(bob)->whole_database(shop), DataRight::BuilderAndSql) << "everybody may query a new database";
  change_data(json::parse(R"({"groups":{"1":{")" + database + R"(":{"create-queries":"no"}}}})"), true);
  EXPECT_EQ(rights(bob)->whole_database(shop), DataRight::None);

  change_data(graph(R"("query-builder")"), true);
  EXPECT_EQ(rights(bob)->table(shop, "public", orders), DataRight::Builder);
  sentence_of(FailureKind::Forbidden, [&] { rights(bob)->require_native(shop); });

  change_data(graph(R"({"public":{")" + std::to_string(orders.value) + R"(":"query-builder"}})"), true);
  EXPECT_EQ(rights(bob)->table(shop, "public", orders), DataRight::Builder);
  EXPECT_EQ(rights(bob)->table(shop, "public", people), DataRight::None);
  EXPECT_EQ(rights(bob)->table(shop, "audit", log), DataRight::None);
  EXPECT_EQ(rights(bob)->whole_database(shop), DataRight::None);
  EXPECT_TRUE(rights(bob)->any_table(shop));
  auto shown = permissions::Graphs(*store, *permissions, clock).data(team);
  EXPECT_EQ(json::write(shown.at("groups").at(group).at(database).at("create-queries")), R"({"public":{")" + std::to_string(orders.value) + R"(":"query-builder"}})");

  change_data(graph(R"({"audit":"query-builder"})"), true);
  EXPECT_EQ(rights(bob)->table(shop, "audit", log), DataRight::Builder);
  EXPECT_EQ(rights(bob)->table(shop, "public", orders), DataRight::None);

  change_data(graph(R"("query-builder-and-native")", R"({"audit":"blocked"})"), true);
  EXPECT_EQ(rights(bob)->table(shop, "audit", log), DataRight::None) << "blocked beats granted";
  EXPECT_EQ(rights(bob)->table(shop, "public", orders), DataRight::BuilderAndSql);
  EXPECT_EQ(rights(bob)->whole_database(shop), DataRight::None) << "SQL would reach the blocked schema";

  // Another group opens it again: the most permissive wins.
  change_data(json::parse(R"({"groups":{")" + std::to_string(other.value) + R"(":{")" + database + R"(":{"create-queries":"query-builder-and-native"}}}})"), true);
  store->write([&](appdb::Connection& c) { set_groups(c, bob, {team, other}); });
  EXPECT_EQ(rights(bob)->table(shop, "audit", log), DataRight::BuilderAndSql);
  EXPECT_EQ(rights(bob)->whole_database(shop), DataRight::BuilderAndSql);
  EXPECT_EQ(rights(ada)->whole_database(shop), DataRight::BuilderAndSql);
}

TEST_P(PeopleTest, graphs_refuse_what_they_do_not_know_and_changes_from_an_old_revision) {
  auto shop = std::to_string(add_database("shop").value);
  auto value = [&](const std::string& text) { return json::parse(R"({"revision":0,"groups":{"1":{")" + shop + R"(":{"create-queries":)" + text + "}}}}"); };
  for (auto* wrong : {R"("all")", R"({"public":"query-builder-and-native"})", R"({"public":{"x":"no"}})", R"(7)", R"({"public":7})"}) {
    sentence_of(FailureKind::BadRequest, [&] { change_data(value(wrong)); });
  }
  sentence_of(FailureKind::BadRequest, [&] { change_data(json::parse(R"({"revision":0,"groups":{"77":{}}})")); });
  sentence_of(FailureKind::BadRequest, [&] { change_data(json::parse(R"({"revision":0,"groups":{"1":{"77":{}}}})")); });
  sentence_of(FailureKind::BadRequest, [&] { change_data(json::parse(R"({"revision":0})")); });
  sentence_of(FailureKind::BadRequest, [&] { change_data(json::parse("[]")); });
  EXPECT_EQ(change_data(value(R"("query-builder")")).at("revision"), json::value(1));
  sentence_of(FailureKind::Conflict, [&] { change_data(value(R"("no")")); });
  EXPECT_EQ(change_data(value(R"("no")"), true).at("revision"), json::value(2)) << "force";
  // Administrators are shown with everything and cannot be changed.
  auto admin = json::parse(R"({"revision":2,"groups":{"2":{")" + shop + R"(":{"create-queries":"no"}}}})");
  EXPECT_EQ(change_data(admin).at("groups").at("2").at(shop).at("create-queries"), json::value("query-builder-and-native"));

  auto personal = add_collection("own", "/", bob);
  sentence_of(FailureKind::BadRequest, [&] { change_collections(json::parse(R"({"revision":0,"groups":{"1":{")" + std::to_string(personal.value) + R"(":"read"}}})")); });
  sentence_of(FailureKind::BadRequest, [&] { change_collections(json::parse(R"({"revision":0,"groups":{"1":{"root":"curate"}}})")); });
  auto after = change_collections(json::parse(R"({"revision":0,"groups":{"1":{"root":"read"}}})"));
  EXPECT_EQ(json::write(after), R"({"revision":1,"groups":{"1":{"root":"read"},"2":{"root":"write"}}})");
  EXPECT_EQ(rights(bob)->collection(std::nullopt), CollectionRight::View);
}

INSTANTIATE_TEST_SUITE_P(Engines, PeopleTest, ::testing::Values(appdb::Engine::Sqlite, appdb::Engine::Postgres),
                         [](auto& info) { return info.param == appdb::Engine::Sqlite ? std::string("sqlite") : std::string("postgres"); });

}  // namespace
}  // namespace basalt::features
