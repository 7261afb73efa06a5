// The laws that hold for every operation, on random and dirty rows, on both engines:
// down(up(y)) = y, up(down(x)) = x, old rules hold after down, probes tell the truth, and the JSON form undoes as well.
#include <gtest/gtest.h>

#include "base/failure.h"
#include "migrations/law_store.h"
#include "migrations/next/all_next.h"
#include "migrations/phases.h"

namespace basalt::migrations {
namespace {

using appdb::Connection;
using appdb::Engine;
using appdb::TestStores;

const std::string now = LawStore::now;

struct Law {
  std::string name;
  std::function<void(Schema&)> build;                             // the migration under test, on the base below
  std::function<void(Connection&, Random&)> live_new = nullptr;   // what the new version writes
  std::string old_rule = {};                                      // SQL that counts rows breaking the old rules
};

std::int64_t put(Connection& c, std::string_view table, const std::vector<appdb::Assignment>& values) { return c.insert(table, values); }

const std::vector<Law>& laws() {
  static const std::vector<Law> all{
      {"create_table", [](Schema& s) { s.create_table("child", {reference("thing").required().cascade(), text("note"), reference("other_id", "thing").set_null()}); },
       [](Connection& c, Random& r) { for (int i = 0; i < 20; ++i) put(c, "child", {{"thing_id", c.count("SELECT id FROM thing ORDER BY row_uid LIMIT 1")}, {"note", any_text(r)}}); }},
      {"drop_table", [](Schema& s) { s.drop_table("leaf"); }},
      {"add_optional_column", [](Schema& s) { s.add_column("thing", text("extra")); }, [](Connection& c, Random& r) { c.execute("UPDATE thing SET extra = ? WHERE id % 3 = 0", {any_text(r)}); }},
      {"add_required_column", [](Schema& s) { s.add_column("thing", boolean("flag").required().by_default(true)); }, [](Connection& c, Random&) { c.execute("UPDATE thing SET flag = FALSE WHERE id % 4 = 1"); }},
      {"add_reference", [](Schema& s) { s.add_column("thing", reference("leaf").set_null()); }, [](Connection& c, Random&) { c.execute("UPDATE thing SET leaf_id = (SELECT max(id) FROM leaf) WHERE id % 2 = 0"); }},
      {"add_time_and_real", [](Schema& s) { s.add_column("thing", time("at")).add_column("thing", real("weight")).add_column("thing", blob("picture")); },
       [](Connection& c, Random&) { c.execute("UPDATE thing SET at = ?, weight = 0.1, picture = ? WHERE id % 2 = 1", {now, appdb::Blob{std::string("\0\x01\xff", 3)}}); }},
      {"drop_column", [](Schema& s) { s.drop_column("thing", "label"); }},
      {"drop_reference_column", [](Schema& s) { s.drop_column("thing", "parent_id"); }},
      {"rename_table", [](Schema& s) { s.rename_table("thing", "item"); }},
      {"rename_column", [](Schema& s) { s.rename_column("thing", "name", "title"); }},
      {"rename_checked_column", [](Schema& s) { s.rename_column("thing", "kind", "sort"); }},
      {"widen_text", [](Schema& s) { s.change_column("thing", text("label").at_most(200)); }, [](Connection& c, Random& r) { c.execute("UPDATE thing SET label = ? WHERE id % 2 = 0", {std::string(90, 'y') + any_text(r)}); },
       "SELECT count(*) FROM thing WHERE length(label) > 60"},
      {"widen_range", [](Schema& s) { s.change_column("thing", integer("small").between(-1000, 1000)); }, [](Connection& c, Random&) { c.execute("UPDATE thing SET small = id * 7 - 50"); }, "SELECT count(*) FROM thing WHERE small < 0 OR small > 9"},
      {"integer_to_text", [](Schema& s) { s.change_column("thing", text("n")); }, [](Connection& c, Random& r) { for (int i = 1; i < 12; ++i) c.execute("UPDATE thing SET n = ? WHERE id = ?", {any_text(r), i}); }},
      {"integer_to_real", [](Schema& s) { s.change_column("thing", real("n")); }, [](Connection& c, Random&) { c.execute("UPDATE thing SET n = 0.25 WHERE id % 2 = 0"); }},
      {"required_to_optional", [](Schema& s) { s.change_column("thing", text("kind").one_of({"a", "b"}), "a"); }, [](Connection& c, Random&) { c.execute("UPDATE thing SET kind = NULL WHERE id % 3 = 0"); }, "SELECT count(*) FROM thing WHERE kind IS NULL"},
      {"add_enum_value", [](Schema& s) { s.add_enum_value("thing", "kind", "c", "a"); }, [](Connection& c, Random&) { c.execute("UPDATE thing SET kind = 'c' WHERE id % 3 = 0"); }, "SELECT count(*) FROM thing WHERE kind = 'c'"},
      {"add_unique_by_renaming", [](Schema& s) { s.add_unique("thing", {"label"}, {.rename = "label"}); }},
      {"drop_unique_by_renaming", [](Schema& s) { s.drop_unique("thing", {"name"}, {.rename = "name"}); },
       [](Connection& c, Random&) { c.execute("UPDATE thing SET name = 'same' WHERE id % 2 = 0"); c.execute("UPDATE thing SET name = 'same (2)' WHERE id = 1"); }, "SELECT count(*) - count(DISTINCT name) FROM thing"},
      {"drop_unique_by_parking_rows", [](Schema& s) { s.drop_unique("leaf", {"thing_id", "value"}, {.order_by = "level", .strictest_first = {"no", "some", "all"}}); },
       [](Connection& c, Random&) {
         for (auto level : {"all", "no", "some"}) put(c, "leaf", {{"thing_id", 1}, {"value", "p"}, {"level", level}});
         for (auto level : {"all", "some"}) put(c, "leaf", {{"thing_id", nullptr}, {"value", "q"}, {"level", level}});
       },
       "SELECT count(*) FROM leaf WHERE (value = 'p' AND level <> 'no') OR (value = 'q' AND level <> 'some')"},
      {"create_index", [](Schema& s) { s.create_index("thing", {"label", "n"}); }},
      {"reshape", [](Schema& s) { s.reshape_json("thing", "document", {added({"extra"}), move({"title"}, {"head", "title"}), preset({"head", "mode"}, "plain"), split({"name"}, " ", {"first"}, {"last"})}); },
       [](Connection& c, Random& r) { for (int i = 1; i < 30; ++i) c.execute("UPDATE thing SET document = ? WHERE id = ?", {any_document(r), i}); }},
      {"insert_rows", [](Schema& s) { s.insert_rows("leaf", {"value"}, {{{"value", "seed 1"}, {"level", "no"}}, {{"value", "seed 2"}, {"level", "all"}}}); },
       [](Connection& c, Random&) { c.execute("UPDATE leaf SET level = 'some' WHERE value = 'seed 1'"); c.execute("DELETE FROM leaf WHERE value = 'seed 2'"); }},
      {"several_at_once", [](Schema& s) {
         s.rename_column("thing", "label", "tag").add_column("thing", text("tag_two")).rename_table("thing", "item").add_column("item", integer("rank").required().by_default(0)).drop_column("item", "small")
             .create_table("item_note", {reference("item").required().cascade(), text("text")}).add_enum_value("item", "kind", "c", "b");
       },
       [](Connection& c, Random& r) {
         c.execute("UPDATE item SET rank = 5, tag_two = ?, kind = 'c' WHERE id % 2 = 0", {any_text(r)});
         put(c, "item_note", {{"item_id", c.count("SELECT max(id) FROM item")}, {"text", "kept"}});
       }},
  };
  return all;
}

struct Laws : testing::TestWithParam<std::tuple<Engine, std::size_t>>, LawStore {
  void SetUp() override {
    auto engine = std::get<0>(GetParam());
    if (auto missing = TestStores::missing(engine)) GTEST_SKIP() << *missing;
    open(engine, 7);
  }
};

TEST_P(Laws, hold) {
  auto& law = laws()[std::get<1>(GetParam())];
  Schema schema;
  law.build(schema);
  auto operations = prepared(std::move(schema).operations(), 3);
  auto before_structure = structure;
  auto y = content();

  run(operations, 3, Direction::Up);
  auto new_structure = structure;
  auto fresh = content();
  run(operations, 3, Direction::Down);
  EXPECT_EQ(shape(structure), shape(before_structure));
  EXPECT_EQ(difference(y, content()), "") << "down(up(y)) is not y";

  run(operations, 3, Direction::Up);
  EXPECT_EQ(difference(fresh, content()), "") << "up(down(up(y))) is not up(y)";
  if (law.live_new) law.live_new(*connection, random);
  auto x = content();
  run(operations, 3, Direction::Down);
  EXPECT_EQ(law.old_rule.empty() ? 0 : connection->count(law.old_rule), 0) << "an old rule is broken after the way down";
  auto down_once = content();
  run(operations, 3, Direction::Up);
  EXPECT_EQ(difference(x, content()), "") << "up(down(x)) is not x";
  EXPECT_EQ(shape(structure), shape(new_structure));
  // Twice is as good as once.
  run(operations, 3, Direction::Down);
  EXPECT_EQ(difference(down_once, content()), "");
  run(operations, 3, Direction::Up);
  EXPECT_EQ(difference(x, content()), "");
}

INSTANTIATE_TEST_SUITE_P(Operations, Laws, testing::Combine(testing::Values(Engine::Sqlite, Engine::Postgres), testing::Range<std::size_t>(0, laws().size())), [](auto& info) {
  return std::string(std::get<0>(info.param) == Engine::Sqlite ? "sqlite_" : "postgres_") + laws()[std::get<1>(info.param)].name;
});

TEST(Migrations, are_numbered_without_gaps_and_pass_the_lint) {
  for (auto& list : {all(), all_next()}) {
    Structure s;
    int number = 0;
    for (auto& migration : list) {
      EXPECT_EQ(migration.number, ++number);
      EXPECT_EQ(lint(migration, s), std::vector<std::string>{});
      int place = 0;
      for (auto& operation : migration.operations) {
        auto ready = prepare(operation, s);
        EXPECT_EQ(json::write(to_json(operation_from_json(to_json(ready)))), json::write(to_json(ready)));
        apply_to(s, ready, migration.number, place++);
      }
    }
    EXPECT_EQ(structure_from_json(to_json(s)), s);
  }
}

TEST(Lint, refuses_what_could_not_come_back) {
  Structure s = structure_after(all());
  auto complaints = [&](const std::function<void(Schema&)>& build) {
    Schema schema;
    build(schema);
    return lint(std::move(schema).operations().front(), s).size();
  };
  EXPECT_GT(complaints([](Schema& x) { x.add_column("card", text("owner").required()); }), 0u);
  EXPECT_GT(complaints([](Schema& x) { x.add_column("nothing", text("owner")); }), 0u);
  EXPECT_GT(complaints([](Schema& x) { x.drop_table("person"); }), 0u);
  EXPECT_GT(complaints([](Schema& x) { x.drop_column("card", "name"); }), 0u);
  EXPECT_GT(complaints([](Schema& x) { x.create_table("Alert", {text("name")}); }), 0u);
  EXPECT_GT(complaints([](Schema& x) { x.create_table("alert", {reference("nowhere")}); }), 0u);
  EXPECT_GT(complaints([](Schema& x) { x.add_enum_value("collection_permission", "value", "own", "curate"); }), 0u) << "a right falls back to the strictest";
  EXPECT_GT(complaints([](Schema& x) { x.drop_unique("collection_permission", {"group_id", "collection_id"}, {}); }), 0u);
  EXPECT_GT(complaints([](Schema& x) { x.reshape_json("card", "name", {}); }), 0u);
  EXPECT_EQ(complaints([](Schema& x) { x.add_enum_value("collection_permission", "value", "own", "view"); }), 0u);
}

TEST(OperationJson, that_this_version_does_not_know_is_refused_in_a_sentence) {
  for (auto text : {R"({"op":"teleport"})", R"({"op":"add_column"})", R"({"op":"add_column","table":"t","column":{"name":"c","type":"colour"}})", R"({"op":"reshape_json","table":"t","column":"c","changes":[{"wave":1}]})"})
    EXPECT_THROW(operation_from_json(json::parse(text)), Failure) << text;
}

}  // namespace
}  // namespace basalt::migrations
