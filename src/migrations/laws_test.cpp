// The laws that hold for every operation, on random and dirty rows, on both engines:
// down(up(y)) = y, up(down(x)) = x, old rules hold after down, probes tell the truth, and the JSON form undoes as well.
#include <gtest/gtest.h>

#include <set>

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
      {"real_to_text", [](Schema& s) { s.change_column("thing", text("mass")); }, [](Connection& c, Random& r) { for (int i = 1; i < 12; ++i) c.execute("UPDATE thing SET mass = ? WHERE id = ?", {any_text(r), i}); }},
      {"real_to_integer", [](Schema& s) { s.change_column("thing", integer("mass")); }, [](Connection& c, Random&) { c.execute("UPDATE thing SET mass = 7 WHERE id % 3 = 0"); }},
      {"text_to_integer", [](Schema& s) { s.change_column("thing", integer("label")); }, [](Connection& c, Random&) { c.execute("UPDATE thing SET label = -5 WHERE id % 3 = 0"); }},
      {"time_to_text", [](Schema& s) { s.change_column("thing", text("seen_at")); }},
      {"required_list_to_optional_number", [](Schema& s) { s.change_column("thing", integer("kind"), "a"); }, [](Connection& c, Random&) { c.execute("UPDATE thing SET kind = 5 WHERE id % 3 = 0"); }},
      {"shift_range", [](Schema& s) { s.change_column("thing", integer("small").between(20, 30)); }, [](Connection& c, Random&) { c.execute("UPDATE thing SET small = 25 WHERE id % 3 = 0"); }, "SELECT count(*) FROM thing WHERE small < 0 OR small > 9"},
      {"add_real_and_write_infinity", [](Schema& s) { s.add_column("thing", real("heat")); },
       [](Connection& c, Random&) { c.execute("UPDATE thing SET heat = ? WHERE id % 3 = 0", {HUGE_VAL}); c.execute("UPDATE thing SET heat = ? WHERE id % 3 = 1", {-0.0}); }},
      {"drop_real_column", [](Schema& s) { s.drop_column("thing", "mass"); }},
      {"drop_time_column", [](Schema& s) { s.drop_column("thing", "seen_at"); }},
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

enum class Rows { Clean, Dirty };

struct Laws : testing::TestWithParam<std::tuple<Engine, std::size_t>> {
  void SetUp() override {
    auto engine = std::get<0>(GetParam());
    if (auto missing = TestStores::missing(engine)) GTEST_SKIP() << *missing;
    // One store for all laws of an engine: making the first schema takes longer than a law.
    if (!shared || shared->connection->engine() != engine) {
      shared = std::make_unique<LawStore>();
      shared->open_empty(engine);
    }
  }
  void TearDown() override { if (HasFailure()) shared.reset(); }
  static void TearDownTestSuite() { shared.reset(); }

  static void hold(LawStore& s, const Law& law, Rows rows);

  inline static std::unique_ptr<LawStore> shared;
};

// What was a reference to nothing may become null, and a row that hung on nothing may go: but then they are listed.
void forgive_orphans(LawStore& s, std::map<std::string, std::string>& before, const std::map<std::string, std::string>& after) {
  std::set<std::string> listed;
  s.connection->each("SELECT parked_row FROM upgrade_park WHERE state = 'orphan'", {}, [&](const appdb::Row& row) { listed.insert(row.text("parked_row")); });
  for (auto entry = before.begin(); entry != before.end();) {
    auto now = after.find(entry->first);
    bool is_listed = listed.contains(entry->first.substr(entry->first.find('.') + 1, 36));
    if (is_listed && now != after.end() && now->second == "null" && (entry->second == "4711" || entry->second == "4712")) entry->second = "null";
    entry = is_listed && now == after.end() ? before.erase(entry) : std::next(entry);
  }
}

void Laws::hold(LawStore& s, const Law& law, Rows rows) {
  Schema schema;
  law.build(schema);
  auto operations = s.prepared(std::move(schema).operations(), 3);
  auto before_structure = s.structure;
  auto y = s.content();
  auto theirs = [&] {
    std::string out;
    if (rows == Rows::Clean) return out;
    auto name = s.structure.table("thing") ? "thing" : "item";
    s.connection->each("SELECT row_uid, \"Their own\" FROM " + std::string(name) + " ORDER BY row_uid", {}, [&](const appdb::Row& row) { out += row.text("row_uid") + row.optional_text("Their own").value_or("-") + "\n"; });
    return out + (index_exists(*s.connection, "their_index") ? "index" : "");
  };
  auto own = theirs();
  auto same_as = [&](std::map<std::string, std::string> expected) {
    auto found = s.content();
    if (rows == Rows::Dirty) forgive_orphans(s, expected, found);
    return LawStore::difference(expected, found);
  };

  s.run(operations, 3, Direction::Up);
  auto new_structure = s.structure;
  auto fresh = s.content();
  s.run(operations, 3, Direction::Down);
  EXPECT_EQ(LawStore::difference(LawStore::shape(before_structure), LawStore::shape(s.structure)), "");
  EXPECT_EQ(same_as(y), "") << "down(up(y)) is not y";

  s.run(operations, 3, Direction::Up);
  EXPECT_EQ(same_as(fresh), "") << "up(down(up(y))) is not up(y)";
  if (law.live_new) law.live_new(*s.connection, s.random);
  auto x = s.content();
  s.run(operations, 3, Direction::Down);
  EXPECT_EQ(law.old_rule.empty() ? 0 : s.connection->count(law.old_rule), 0) << "an old rule is broken after the way down";
  auto down_once = s.content();
  s.run(operations, 3, Direction::Up);
  EXPECT_EQ(same_as(x), "") << "up(down(x)) is not x";
  EXPECT_EQ(LawStore::difference(LawStore::shape(new_structure), LawStore::shape(s.structure)), "");
  // Twice is as good as once.
  s.run(operations, 3, Direction::Down);
  EXPECT_EQ(same_as(down_once), "");
  EXPECT_EQ(theirs(), own) << "somebody's own column or index went away";
  s.run(operations, 3, Direction::Up);
  EXPECT_EQ(same_as(x), "");
}

TEST_P(Laws, hold) {
  auto& law = laws()[std::get<1>(GetParam())];
  auto& s = *shared;
  int round = 0;
  for (auto rows : {Rows::Clean, Rows::Dirty, Rows::Dirty}) {
    auto seed = round == 0 ? 7 : law_seed() + static_cast<unsigned>(round);
    ++round;
    SCOPED_TRACE("BASALT_LAW_SEED=" + std::to_string(law_seed()) + (rows == Rows::Dirty ? ", dirty rows" : ", clean rows"));
    s.empty();
    s.fill(seed);
    if (rows == Rows::Dirty) s.soil();
    if (rows == Rows::Dirty && round == 2 && law.name == "reshape") s.soil_with_huge_documents();
    hold(s, law, rows);
    if (HasFatalFailure()) return;
  }
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
