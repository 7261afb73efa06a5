// The laws that hold for every operation, on random and dirty rows, on both engines:
// down(up(y)) = y, up(down(x)) = x, old rules hold after down, probes tell the truth, and the JSON form undoes as well.
#include <gtest/gtest.h>

#include <random>

#include "appdb/sqlite_connection.h"
#include "appdb/test_stores.h"
#include "base/failure.h"
#include "migrations/all.h"
#include "migrations/execute.h"
#include "migrations/next/all_next.h"

namespace basalt::migrations {
namespace {

using appdb::Connection;
using appdb::Engine;
using appdb::quoted;
using appdb::Row;
using appdb::TestStores;
using Random = std::mt19937;

const std::string now = "2026-01-02T03:04:05.000006Z";

int below(Random& random, int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); }

std::string any_text(Random& random) {
  static const std::vector<std::string> texts{"", "a", "Größe 😀", "it's \"quoted\" ?", "name (2)", "12", "-7", "0012", "1e5", std::string(60, 'x'), "tab\there", "99999999999999999999"};
  return texts[static_cast<std::size_t>(below(random, static_cast<int>(texts.size())))];
}

std::string any_document(Random& random) {
  static const std::vector<std::string> documents{
      "{}", "[]", "null", "not json", "5", R"({"title":"a b","size":3})", R"({"head":{"title":"both"},"title":"there"})", R"({"head":{"title":"only new"}})", R"({"head":{}})", R"({"name":"Ada Lovelace","title":null})",
      R"({"head":7,"title":"x"})", R"({"first":"Ada","last":"L","name":"Bob B"})", R"({"title":{"deep":[1,{"x":null}]}})", R"({ "title" : "blanks" , "n": 1.50 })", R"({"a":1,"a":2,"title":"double key"})",
      R"({"extra":{"k":1},"head":{"title":"t","mode":"plain"}})", R"({"head":{"mode":"fancy"},"big":123456789012345678901234567890})", R"({"first":"x y","last":"z"})", R"({"name":"none"})", R"({"name":" "})"};
  return documents[static_cast<std::size_t>(below(random, static_cast<int>(documents.size())))];
}

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

struct Laws : testing::TestWithParam<std::tuple<Engine, std::size_t>> {
  void SetUp() override {
    auto engine = std::get<0>(GetParam());
    if (auto missing = TestStores::missing(engine)) GTEST_SKIP() << *missing;
    stores.emplace(engine);
    store = stores->open();
    if (engine == Engine::Sqlite) connection = std::make_unique<appdb::SqliteConnection>(stores->options().sqlite_path, appdb::SqliteOpening{.foreign_keys = false});
    else connection = store->connect();
    run(m0001_first_schema().operations, 1, Direction::Up);
    Schema base;
    base.create_table(table("thing", {text("name").required().unique(), integer("n"), text("label").at_most(60), integer("small").between(0, 9), text("kind").required().by_default("a").one_of({"a", "b"}), json_document("document"),
                                      reference("parent_id", "thing").set_null()}));
    base.create_table(table("leaf", {reference("thing").cascade(), text("value").required(), text("level").required().by_default("no")}).unique({"thing_id", "value"}));
    run(std::move(base).operations(), 2, Direction::Up);
    random.seed(7);
    for (int i = 1; i <= 40; ++i) {
      connection->insert("thing", {{"name", "thing " + std::to_string(i)}, {"n", i % 5 == 0 ? appdb::Parameter(nullptr) : appdb::Parameter(std::int64_t{i} * (i % 7 == 0 ? 900719925474099 : 1) * (i % 2 ? 1 : -1))},
                                   {"label", i % 4 == 0 ? appdb::Parameter(nullptr) : appdb::Parameter(any_text(random).substr(0, 40))}, {"small", i % 10}, {"kind", i % 2 ? "a" : "b"}, {"document", any_document(random)},
                                   {"parent_id", i > 3 ? appdb::Parameter(i - 3) : appdb::Parameter(nullptr)}});
      connection->insert("leaf", {{"thing_id", i % 3 ? appdb::Parameter(i) : appdb::Parameter(nullptr)}, {"value", "v" + std::to_string(i)}, {"level", i % 2 ? "no" : "all"}});
    }
    connection->execute("DELETE FROM thing WHERE id = 40");
    connection->execute("UPDATE leaf SET thing_id = NULL WHERE thing_id = 40");
  }

  // Runs prepared operations through their JSON form: what the stored way back does.
  Counters run(const std::vector<Operation>& operations, int migration, Direction direction) {
    connection->execute_script("BEGIN");
    Executor executor(*connection, structure, migration, 0, now);
    for (std::size_t i = 0; i < operations.size(); ++i) {
      auto at = direction == Direction::Up ? i : operations.size() - 1 - i;
      auto operation = direction == Direction::Up ? prepare(operations[at], structure) : operation_from_json(json::parse(json::write(to_json(operations[at]))));
      executor.run(operation, static_cast<int>(at), direction);
      auto there = probe(*connection, operation, migration, static_cast<int>(at));
      EXPECT_EQ(there.value_or(direction == Direction::Up), direction == Direction::Up) << describe(operation);
    }
    EXPECT_FALSE(connection->engine() == Engine::Sqlite && connection->query_one("PRAGMA foreign_key_check"));
    connection->execute_script("COMMIT");
    return executor.counters();
  }

  // Fills in `was`, as a run does before it stores the way back.
  std::vector<Operation> prepared(const std::vector<Operation>& raw, int migration) {
    Structure s = structure;
    std::vector<Operation> out;
    for (auto& operation : raw) {
      out.push_back(prepare(operation, s));
      EXPECT_EQ(lint(operation, s), std::vector<std::string>{});
      apply_to(s, out.back(), migration, static_cast<int>(out.size()) - 1);
    }
    return out;
  }

  static std::string meaning(const json::value& v) {
    if (auto* o = v.if_object()) {
      std::map<std::string, std::string> parts;
      for (auto& [key, value] : *o) parts[std::string(key)] = meaning(value);
      std::string out = "{";
      for (auto& [key, value] : parts) out += key + ":" + value + ",";
      return out + "}";
    }
    return json::write(v);
  }

  // Everything people made: table, row, column, value.
  std::map<std::string, std::string> content() {
    std::map<std::string, std::string> out;
    for (auto& t : structure.tables) {
      if (t.name.starts_with("upgrade_") || t.held) continue;
      auto names = t.column_names();
      std::sort(names.begin(), names.end());
      std::string columns;
      for (auto& n : names) columns += (columns.empty() ? "" : ", ") + quoted(n);
      connection->each("SELECT " + columns + " FROM " + quoted(t.name), {}, [&](const Row& row) {
        for (auto& n : names) {
          if (!t.has_id && n == "row_uid") continue;
          auto value = value_json(row[n]);
          auto document = n == "document" && value.is_string() ? json::try_parse(value.get_string()) : std::nullopt;
          out[t.name + "." + row.text("row_uid") + "." + n] = document ? meaning(*document) : json::write(value);
        }
      });
    }
    return out;
  }

  static std::string difference(const std::map<std::string, std::string>& a, const std::map<std::string, std::string>& b) {
    std::string out;
    for (auto& [key, value] : a)
      if (!b.contains(key)) out += "\n- " + key + " = " + value;
      else if (b.at(key) != value) out += "\n~ " + key + ": " + value + " -> " + b.at(key);
    for (auto& [key, value] : b) if (!a.contains(key)) out += "\n+ " + key + " = " + value;
    return out.substr(0, 1500);
  }

  std::optional<TestStores> stores;
  std::unique_ptr<appdb::Store> store;
  std::unique_ptr<Connection> connection;
  Structure structure;
  Random random;
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
  auto tables = [](const Structure& s) {
    std::map<std::string, std::string> out;
    for (auto& t : s.tables) if (!t.held) out[t.name] = json::write(to_json(t));
    return out;
  };
  EXPECT_EQ(tables(structure), tables(before_structure));
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
  EXPECT_EQ(tables(structure), tables(new_structure));
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
      EXPECT_LE(migration.compat_floor, migration.number);
      int place = 0;
      for (auto& operation : migration.operations) {
        EXPECT_EQ(lint(operation, s), std::vector<std::string>{});
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
