#include "features/content/test_content.h"
#include "features/dashboards/dashboards.h"
#include "features/revisions/revisions.h"

namespace basalt::features {
namespace {

using appdb::Connection;
using permissions::CollectionRight;

class DashboardsTest : public ContentTest {
 protected:
  DashboardId make(const char* name = "Sales", std::optional<CollectionId> place = {}) {
    return write([&](Connection& c) {
      NewDashboard wanted;
      wanted.name = name;
      if (place) wanted.collection_id = {true, json::value(place->value)};
      return create_dashboard(c, TestRights(ada), wanted, now);
    });
  }
  void change(DashboardId id, const std::string& body, const permissions::Rights& rights) {
    write([&](Connection& c) { change_dashboard(c, rights, id, read_fields<DashboardChange>(json::parse(body)), now); });
  }
  void change(DashboardId id, const std::string& body) { change(id, body, TestRights(ada)); }
  DashboardContent content(DashboardId id) { return read([&](Connection& c) { return read_content(c, id); }); }
  static std::string dashcard(std::int64_t id, std::optional<CardId> card, std::string more = "") {
    return "{\"id\":" + std::to_string(id) + ",\"card_id\":" + (card ? std::to_string(card->value) : "null") + ",\"row\":0,\"col\":0,\"size_x\":6,\"size_y\":3" + more + "}";
  }
};

TEST_P(DashboardsTest, ASaveBringsTheCompleteListOfCards) {
  auto id = make();
  auto a = add_card("a"), b = add_card("b");
  change(id, "{\"dashcards\":[" + dashcard(-1, a) + "," + dashcard(-2, b) + "]}");
  auto first = content(id);
  ASSERT_EQ(first.dashcards.size(), 2u);
  auto kept = first.dashcards[0];
  // Clients send whole objects back, with leftovers.
  change(id, "{\"dashcards\":[" + dashcard(kept.id.value, kept.card, ",\"card\":{\"id\":1},\"entity_id\":\"x\",\"visualization_settings\":{\"k\":1}") + "," + dashcard(-1, std::nullopt) + "]}");
  auto second = content(id);
  ASSERT_EQ(second.dashcards.size(), 2u);
  EXPECT_EQ(second.dashcards[0].id, kept.id);
  EXPECT_EQ(json::write(second.dashcards[0].visualization_settings), R"({"k":1})");
  EXPECT_EQ(second.dashcards[0].entity_id, kept.entity_id);
  EXPECT_FALSE(second.dashcards[1].card);
  change(id, R"({"dashcards":[]})");
  EXPECT_TRUE(content(id).dashcards.empty());
}

TEST_P(DashboardsTest, NewTabsMayBeNamedByTheirNegativeIds) {
  auto id = make();
  auto a = add_card("a");
  change(id, "{\"tabs\":[{\"id\":-1,\"name\":\"One\"},{\"id\":-2,\"name\":\"Two\"}],\"dashcards\":[" + dashcard(-1, a, ",\"dashboard_tab_id\":-2") + "]}");
  auto now_there = content(id);
  ASSERT_EQ(now_there.tabs.size(), 2u);
  EXPECT_EQ(now_there.dashcards[0].tab, now_there.tabs[1].id);
  // Renamed and turned round.
  auto one = std::to_string(now_there.tabs[0].id.value), two = std::to_string(now_there.tabs[1].id.value);
  change(id, "{\"tabs\":[{\"id\":" + two + ",\"name\":\"Second\"},{\"id\":" + one + ",\"name\":\"One\"}]}");
  auto turned = content(id);
  EXPECT_EQ(turned.tabs[0].name, "Second");
  EXPECT_EQ(turned.tabs[0].id, now_there.tabs[1].id);
  EXPECT_EQ(turned.dashcards.size(), 1u);
}

TEST_P(DashboardsTest, WithOneTabCardsLieOnItWithSeveralTheyMustSayWhere) {
  auto id = make();
  auto a = add_card("a");
  change(id, "{\"tabs\":[{\"id\":-1,\"name\":\"One\"}],\"dashcards\":[" + dashcard(-1, a) + "]}");
  EXPECT_EQ(content(id).dashcards[0].tab, content(id).tabs[0].id);
  auto two_tabs = "{\"tabs\":[{\"id\":-1,\"name\":\"One\"},{\"id\":-2,\"name\":\"Two\"}],\"dashcards\":[" + dashcard(-1, a) + "]}";
  EXPECT_EQ(failure_of([&] { change(id, two_tabs); }), FailureKind::BadRequest);
  EXPECT_EQ(content(id).tabs.size(), 1u) << "nothing of a refused save may stay";
}

TEST_P(DashboardsTest, RefuseWrongListsAsAWhole) {
  auto id = make();
  auto a = add_card("a");
  change(id, "{\"dashcards\":[" + dashcard(-1, a) + "]}");
  for (auto& body : {"{\"dashcards\":[" + dashcard(-1, a) + "," + dashcard(-1, a) + "]}", std::string(R"({"dashcards":[{"id":-1,"row":0,"col":0,"size_x":0,"size_y":3}]})"),
                     "{\"dashcards\":[" + dashcard(-1, CardId(4711)) + "]}", "{\"dashcards\":[" + dashcard(-1, a, ",\"dashboard_tab_id\":77") + "]}",
                     std::string(R"({"tabs":[{"id":-1,"name":" "}]})"), std::string(R"({"width":"wide"})"), std::string(R"({"parameters":[{"id":"a","type":"x"},{"id":"a","type":"x"}]})")})
    EXPECT_EQ(failure_of([&] { change(id, body); }), FailureKind::BadRequest) << body;
  EXPECT_EQ(content(id).dashcards.size(), 1u);
}

TEST_P(DashboardsTest, CardsOutOfSightCannotBePutOnThem) {
  auto secret = add_collection("Secret");
  auto id = make();
  auto hidden = add_card("hidden", secret);
  TestRights rights(bob);
  rights.collections = {{secret.value, CollectionRight::None}};
  auto body = "{\"dashcards\":[" + dashcard(-1, hidden) + "]}";
  EXPECT_EQ(failure_of([&] { change(id, body, rights); }), FailureKind::BadRequest);
  // But what lies there already does not keep others from saving.
  change(id, body);
  auto kept = content(id).dashcards[0].id.value;
  EXPECT_FALSE(failure_of([&] { change(id, "{\"dashcards\":[" + dashcard(kept, hidden) + "]}", rights); }));
}

TEST_P(DashboardsTest, AskForRights) {
  auto place = add_collection("Place");
  auto id = make("Sales", place);
  TestRights rights(bob);
  rights.collections = {{place.value, CollectionRight::View}};
  EXPECT_EQ(failure_of([&] { change(id, R"({"name":"Mine"})", rights); }), FailureKind::Forbidden);
  rights.collections = {{place.value, CollectionRight::None}};
  EXPECT_EQ(failure_of([&] { change(id, R"({"name":"Mine"})", rights); }), FailureKind::NotFound);
  EXPECT_EQ(failure_of([&] { read([&](Connection& c) { require_dashboard(c, rights, id); }); }), FailureKind::NotFound);
  EXPECT_EQ(failure_of([&] { change(id, R"({"enable_embedding":true})"); }), FailureKind::Forbidden) << "embedding is for administrators";
}

TEST_P(DashboardsTest, CardsInTheTrashKeepTheirPlace) {
  auto id = make();
  auto a = add_card("a");
  change(id, "{\"dashcards\":[" + dashcard(-1, a) + "]}");
  write([&](Connection& c) { c.update("card", {{"archived", true}}, "id", a); });
  change(id, R"({"dashcards":[]})");
  EXPECT_EQ(content(id).dashcards.size(), 1u);
}

TEST_P(DashboardsTest, ACopyTakesTabsWiringAndSeriesAlong) {
  auto id = make();
  auto a = add_card("a"), b = add_card("b"), model = add_card("m", {}, "model");
  auto wired = ",\"dashboard_tab_id\":-1,\"parameter_mappings\":[{\"parameter_id\":\"p\",\"card_id\":" + std::to_string(a.value) + ",\"target\":[\"dimension\",[\"field\",1,null]]}],\"series\":[{\"id\":" + std::to_string(b.value) + "}]";
  change(id, "{\"tabs\":[{\"id\":-1,\"name\":\"One\"}],\"parameters\":[{\"id\":\"p\",\"type\":\"string/=\",\"name\":\"P\",\"slug\":\"p\"}],\"dashcards\":[" + dashcard(-1, a, wired) + "," + dashcard(-2, model, ",\"dashboard_tab_id\":-1") + "]}");
  DashboardCopy wanted;
  wanted.is_deep_copy = true;
  auto copy = write([&](Connection& c) { return copy_dashboard(c, TestRights(bob), id, wanted, now); });
  auto there = content(copy.id);
  ASSERT_EQ(there.dashcards.size(), 2u);
  auto& first = there.dashcards[0].card == model ? there.dashcards[1] : there.dashcards[0];
  EXPECT_NE(first.card, a);
  EXPECT_EQ(json::integer(first.parameter_mappings.get_array().at(0), "card_id"), first.card->value);
  ASSERT_EQ(first.series.size(), 1u);
  EXPECT_NE(first.series[0], b);
  EXPECT_TRUE(std::any_of(there.dashcards.begin(), there.dashcards.end(), [&](auto& d) { return d.card == model; })) << "models are not copied";
  wanted.is_deep_copy = false;
  auto shallow = write([&](Connection& c) { return copy_dashboard(c, TestRights(bob), id, wanted, now); });
  auto same = content(shallow.id).dashcards;
  EXPECT_TRUE(std::any_of(same.begin(), same.end(), [&](auto& d) { return d.card == a; }));
}

TEST_P(DashboardsTest, GoBackToAnEarlierState) {
  auto id = make("First");
  auto a = add_card("a");
  change(id, "{\"tabs\":[{\"id\":-1,\"name\":\"One\"}],\"dashcards\":[" + dashcard(-1, a) + "]}");
  change(id, R"({"name":"Second","dashcards":[],"tabs":[]})");
  auto history = read([&](Connection& c) { return revisions_json(c, "dashboard", id.value); });
  ASSERT_EQ(history.size(), 3u);
  EXPECT_EQ(json::text(history[2], "description"), "created this.");
  EXPECT_EQ(json::text(history[0], "description"), "renamed this from \"First\" to \"Second\", removed a card and removed a tab.");
  write([&](Connection& c) { revert_dashboard(c, TestRights(ada), id, RevisionId(*json::integer(history[1], "id")), now); });
  auto there = content(id);
  ASSERT_EQ(there.dashcards.size(), 1u);
  ASSERT_EQ(there.tabs.size(), 1u);
  EXPECT_EQ(there.dashcards[0].tab, there.tabs[0].id);
  EXPECT_EQ(read([&](Connection& c) { return c.query_one("SELECT name FROM dashboard WHERE id = ?", {id})->text("name"); }), "First");
  EXPECT_EQ(read([&](Connection& c) { return json::boolean(revisions_json(c, "dashboard", id.value).at(0), "is_reversion"); }), true);
}

TEST_P(DashboardsTest, KeepFifteenRevisions) {
  auto id = make();
  for (int i = 0; i < 30; ++i) change(id, "{\"name\":\"n" + std::to_string(i) + "\"}");
  EXPECT_EQ(read([&](Connection& c) { return revisions_json(c, "dashboard", id.value).size(); }), 15u);
}

TEST_P(DashboardsTest, NothingIsOverwrittenUnseen) {
  auto id = make();
  write([&](Connection& c) {
    c.execute("DELETE FROM revision");
    c.update("dashboard", {{"name", "Imported"}}, "id", id);
  });
  change(id, R"({"name":"Mine"})");
  auto history = read([&](Connection& c) { return revisions_json(c, "dashboard", id.value); });
  ASSERT_EQ(history.size(), 2u);
  EXPECT_EQ(history[0].as_object()["diff"].as_object()["before"].as_object()["name"], json::value("Imported"));
}

TEST_P(DashboardsTest, ANewCardGoesToTheFirstFreePlace) {
  std::vector<Dashcard> taken(1);
  taken[0].size_x = 18;
  taken[0].size_y = 4;
  EXPECT_EQ(free_place(taken, 6, 3).column, 18);
  EXPECT_EQ(free_place(taken, 12, 3).row, 4);
  EXPECT_EQ(free_place({}, 12, 3).row, 0);
}

INSTANTIATE_TEST_SUITE_P(Engines, DashboardsTest, testing::Values(appdb::Engine::Sqlite, appdb::Engine::Postgres), engine_name);

TEST(Differences, SayWhatHappenedInWords) {
  auto said = [](const char* model, const char* before, const char* after) { return difference_sentences(model, json::parse(before).as_object(), json::parse(after).as_object()); };
  EXPECT_EQ(said("card", R"({"display":"table"})", R"({"display":"bar","visualization_settings":{}})"), std::vector<std::string>{"changed the display from \"table\" to \"bar\""});
  EXPECT_EQ(said("card", R"({"archived":false})", R"({"archived":true})"), std::vector<std::string>{"put this in the trash"});
  EXPECT_EQ(said("dashboard", R"({"dashcards":[{"id":1,"row":0}]})", R"({"dashcards":[{"id":1,"row":4},{"id":2},{"id":3}]})"), (std::vector<std::string>{"added 2 cards", "rearranged the cards"}));
  EXPECT_TRUE(said("card", R"({"name":"a"})", R"({"name":"a"})").empty());
}

}  // namespace
}  // namespace basalt::features
