#include "features/collections/collection_items.h"
#include "features/content/test_content.h"

namespace basalt::features {
namespace {

using appdb::Connection;
using permissions::CollectionRight;

class CollectionsTest : public ContentTest {
 protected:
  void change(CollectionId id, const char* body) {
    write([&](Connection& c) { change_collection(c, TestRights(ada), id, read_fields<CollectionChange>(json::parse(body)), now); });
  }
  Collection at(CollectionId id) { return *read([&](Connection& c) { return find_collection(c, id); }); }
  json::object items(ItemsRequest wanted, const permissions::Rights& rights) {
    return read([&](Connection& c) { return collection_items(c, rights, wanted); });
  }
  std::vector<std::string> names(const json::object& items) {
    std::vector<std::string> out;
    for (auto& item : items.at("data").as_array()) out.push_back(*json::text(item, "name"));
    return out;
  }
};

TEST_P(CollectionsTest, NestAndKnowTheirAncestors) {
  auto top = add_collection("Company"), middle = add_collection("Sales", top), leaf = add_collection("Weekly", middle);
  EXPECT_EQ(at(leaf).location, "/" + std::to_string(top.value) + "/" + std::to_string(middle.value) + "/");
  auto full = read([&](Connection& c) { Collections all(c); return collection_json(*all.find(leaf), all, TestRights(ada)); });
  EXPECT_EQ(full["effective_ancestors"].as_array().size(), 2u);
  EXPECT_EQ(full["parent_id"], json::value(middle.value));
  EXPECT_EQ(full["slug"], json::value("weekly"));
}

TEST_P(CollectionsTest, MoveWithEverythingBelowButNeverIntoThemselves) {
  auto a = add_collection("A"), b = add_collection("B", a), c = add_collection("C", b), other = add_collection("Other");
  change(b, ("{\"parent_id\":" + std::to_string(other.value) + "}").c_str());
  EXPECT_EQ(at(c).location, "/" + std::to_string(other.value) + "/" + std::to_string(b.value) + "/");
  auto into_own = "{\"parent_id\":" + std::to_string(c.value) + "}";
  EXPECT_EQ(failure_of([&] { change(b, into_own.c_str()); }), FailureKind::BadRequest);
  change(b, "{\"parent_id\":null}");
  EXPECT_EQ(at(b).location, "/");
}

TEST_P(CollectionsTest, ComeBackFromTheTrashWithWhatWentThereWithThem) {
  auto top = add_collection("Top"), inner = add_collection("Inner", top);
  auto kept = add_card("kept", inner), thrown = add_card("thrown before", inner);
  write([&](Connection& c) { c.update("card", {{"archived", true}, {"archived_directly", true}}, "id", thrown); });
  change(top, R"({"archived":true})");
  EXPECT_TRUE(at(inner).archived);
  EXPECT_EQ(at(inner).archived_directly, false);
  auto archived = [&](CardId id) { return read([&](Connection& c) { return c.query_one("SELECT archived FROM card WHERE id = ?", {id})->boolean("archived"); }); };
  EXPECT_TRUE(archived(kept));
  EXPECT_EQ(failure_of([&] { change(inner, R"({"archived":false})"); }), FailureKind::BadRequest);
  change(top, R"({"archived":false})");
  EXPECT_FALSE(at(inner).archived);
  EXPECT_FALSE(archived(kept));
  EXPECT_TRUE(archived(thrown));
}

TEST_P(CollectionsTest, AreDeletedOnlyFromTheTrashAndWithAllThatLiesInThem) {
  auto top = add_collection("Top"), inner = add_collection("Inner", top);
  add_card("card", inner);
  auto remove = [&] { write([&](Connection& c) { delete_collection(c, TestRights(ada), top); }); };
  EXPECT_EQ(failure_of(remove), FailureKind::BadRequest);
  change(top, R"({"archived":true})");
  remove();
  EXPECT_EQ(read([](Connection& c) { return c.count("SELECT count(*) FROM collection"); }), 0);
  EXPECT_EQ(read([](Connection& c) { return c.count("SELECT count(*) FROM card"); }), 0);
}

TEST_P(CollectionsTest, AskForRightsOnBothEndsOfAMove) {
  auto from = add_collection("From"), to = add_collection("To");
  TestRights rights(bob);
  auto move = [&] {
    CollectionChange wanted;
    wanted.parent_id = {true, json::value(to.value)};
    write([&](Connection& c) { change_collection(c, rights, from, wanted, now); });
  };
  rights.collections = {{to.value, CollectionRight::View}};
  EXPECT_EQ(failure_of(move), FailureKind::Forbidden);
  rights.collections = {{to.value, CollectionRight::None}};
  EXPECT_EQ(failure_of(move), FailureKind::NotFound);
  rights.collections = {{from.value, CollectionRight::None}};
  EXPECT_EQ(failure_of(move), FailureKind::NotFound);
  rights.collections = {};
  EXPECT_FALSE(failure_of(move));
}

TEST_P(CollectionsTest, APersonalOneIsMadeOnceAndStaysWhereItIs) {
  auto make = [&] { return write([&](Connection& c) { return ensure_personal_collection(c, ada, now); }); };
  auto id = make();
  EXPECT_EQ(make(), id);
  EXPECT_EQ(at(id).name, "Ada Lovelace's Personal Collection");
  EXPECT_EQ(at(id).slug, "ada_lovelace_s_personal_collection");
  EXPECT_EQ(failure_of([&] { change(id, R"({"archived":true})"); }), FailureKind::BadRequest);
  auto below = add_collection("Drafts", id);
  EXPECT_TRUE(read([&](Connection& c) { Collections all(c); return all.is_personal(*all.find(below)); }));
}

TEST_P(CollectionsTest, ListTheirItemsInPagesWithATotal) {
  auto place = add_collection("Place");
  add_collection("zoo", place);
  for (auto name : {"beta", "Alpha", "gamma"}) add_card(name, place);
  add_card("model", place, "model");
  ItemsRequest wanted;
  wanted.collection = place;
  TestRights rights(ada);
  auto all = items(wanted, rights);
  EXPECT_EQ(names(all), (std::vector<std::string>{"zoo", "Alpha", "beta", "gamma", "model"}));
  EXPECT_EQ(json::write(all["models"]), R"(["card","dataset","collection"])");
  wanted.limit = 2;
  wanted.offset = 3;
  auto page = items(wanted, rights);
  EXPECT_EQ(names(page), (std::vector<std::string>{"gamma", "model"}));
  EXPECT_EQ(page["total"], json::value(5));
  wanted.offset = 50;
  EXPECT_EQ(items(wanted, rights)["total"], json::value(5));
  wanted = {};
  wanted.collection = place;
  wanted.models = {"dataset"};
  EXPECT_EQ(names(items(wanted, rights)), (std::vector<std::string>{"model"}));
  wanted.models = {"no_models"};
  EXPECT_EQ(json::write(items(wanted, rights)["data"]), "[]");
  wanted.models = {};
  wanted.sort_direction = "desc";
  EXPECT_EQ(names(items(wanted, rights)), (std::vector<std::string>{"zoo", "model", "gamma", "beta", "Alpha"}));
}

TEST_P(CollectionsTest, ChildrenOfAHiddenOneAppearWhereThePersonCanReachThem) {
  auto hidden = add_collection("Hidden"), seen = add_collection("Seen", hidden);
  TestRights rights(bob);
  rights.collections = {{hidden.value, CollectionRight::None}};
  EXPECT_EQ(names(items({}, rights)), (std::vector<std::string>{"Seen"}));
  auto full = read([&](Connection& c) { Collections all(c); return collection_json(*all.find(seen), all, rights); });
  EXPECT_EQ(full["effective_location"], json::value("/"));
  EXPECT_TRUE(full["effective_ancestors"].as_array().empty());
}

TEST_P(CollectionsTest, TheTrashShowsWhatWasThrownAwayDirectlyAndMayBeSeen) {
  auto open = add_collection("Open"), secret = add_collection("Secret");
  auto a = add_card("a", open), b = add_card("b", secret), c0 = add_card("c");
  for (auto id : {a, b, c0}) write([&](Connection& c) { c.update("card", {{"archived", true}, {"archived_directly", true}}, "id", id); });
  ItemsRequest wanted;
  wanted.place = ItemsRequest::Place::Trash;
  TestRights rights(bob);
  rights.collections = {{secret.value, CollectionRight::None}};
  EXPECT_EQ(names(items(wanted, rights)), (std::vector<std::string>{"a", "c"}));
  rights.collections = {{secret.value, CollectionRight::None}, {0, CollectionRight::None}, {open.value, CollectionRight::None}};
  EXPECT_TRUE(names(items(wanted, rights)).empty());
  rights.administrator = true;
  EXPECT_EQ(names(items(wanted, rights)).size(), 3u);
}

INSTANTIATE_TEST_SUITE_P(Engines, CollectionsTest, testing::Values(appdb::Engine::Sqlite, appdb::Engine::Postgres), engine_name);

}  // namespace
}  // namespace basalt::features
