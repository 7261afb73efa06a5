// What may happen beside older nodes, what must wait, and that the order of what `commute` lets pass makes no difference.
#include "migrations/phases.h"

#include <set>

#include "migrations/law_store.h"
#include "migrations/next/all_next.h"

namespace basalt::migrations {
namespace {

using appdb::Engine;
using appdb::TestStores;

std::vector<Operation> made(const std::function<void(Schema&)>& build) {
  Schema schema;
  build(schema);
  return std::move(schema).operations();
}

Migration migration(int number, const std::function<void(Schema&)>& build, int floor = 1) {
  return {.number = number, .name = "test", .since_version = "0.2.0", .compat_floor = floor, .operations = made(build)};
}

// One or more of every kind, on the tables of LawStore.
std::vector<Operation> pool() {
  return made([](Schema& s) {
    s.create_table(table("child", {reference("thing").cascade(), text("note")}).index({"note"}))
        .create_table("island", {text("note")})
        .drop_table("leaf")
        .add_column("thing", text("extra"))
        .add_column("thing", boolean("flag").required().by_default(true))
        .add_column("thing", reference("leaf").set_null())
        .add_column("leaf", integer("weight"))
        .drop_column("thing", "label")
        .drop_column("thing", "parent_id")
        .rename_table("thing", "item")
        .rename_table("leaf", "blade")
        .rename_column("thing", "name", "title")
        .rename_column("thing", "label", "tag")
        .rename_column("leaf", "level", "grade")
        .change_column("thing", text("label").at_most(20))
        .change_column("thing", integer("small").between(2, 5))
        .change_column("thing", text("n"))
        .add_enum_value("thing", "kind", "c", "a")
        .add_unique("thing", {"label"}, {.rename = "label"})
        .drop_unique("thing", {"name"}, {.rename = "name"})
        .drop_unique("leaf", {"thing_id", "value"}, {.order_by = "level", .strictest_first = {"no", "some", "all"}})
        .create_index("thing", {"label", "n"})
        .create_index("thing", {"name"})
        .create_index("leaf", {"level"})
        .reshape_json("thing", "document", {move({"title"}, {"head", "title"})})
        .insert_rows("leaf", {"value"}, {{{"value", "seed 1"}, {"level", "no"}}})
        .insert_rows("thing", {"name"}, {{{"name", "seed thing"}, {"label", "a"}, {"document", R"({"title":"t"})"}}});
  });
}

struct Phases : testing::TestWithParam<Engine>, LawStore {
  void SetUp() override {
    if (auto missing = TestStores::missing(GetParam())) GTEST_SKIP() << *missing;
    open(GetParam(), 11);
  }
};

TEST_P(Phases, what_commutes_gives_the_same_in_both_orders) {
  auto operations = pool();
  int tried = 0, waits = 0;
  auto clean = structure;
  std::set<std::string> known;
  for (auto& [key, value] : content()) known.insert(key.substr(key.find('.') + 1, 36));
  // What the tables are and what is in them. Rows that the operations make have other ids each time: they are counted.
  auto outcome = [&](const Operation& first, int first_number, const Operation& second, int second_number) {
    std::pair<std::map<std::string, std::string>, std::map<std::string, std::string>> out;
    structure = clean;
    connection->execute_script("BEGIN");
    run_one(first, 3, first_number, Direction::Up);
    run_one(second, 3, second_number, Direction::Up);
    out.first = shape(structure, true);
    std::map<std::string, int> fresh;
    for (auto& [key, value] : content()) {
      auto column = key.substr(key.rfind('.'));
      if (known.contains(key.substr(key.find('.') + 1, 36))) out.second[key] = value;
      else if (column != ".id" && column != ".row_uid") ++fresh[key.substr(0, key.find('.')) + column + " = " + value];
    }
    for (auto& [what, times] : fresh) out.second["new " + what] = std::to_string(times);
    connection->execute_script("ROLLBACK");
    return out;
  };
  for (std::size_t i = 0; i < operations.size(); ++i)
    for (std::size_t j = 0; j < operations.size(); ++j) {
      auto &earlier = operations[i], &later = operations[j];
      // Only what may come first beside older nodes is ever brought forward.
      if (i == j || phase_of(later) != Phase::Expand) continue;
      EXPECT_EQ(commute(earlier, later), commute(later, earlier)) << describe(earlier) << " / " << describe(later);
      if (!commute(earlier, later)) {
        ++waits;
        continue;
      }
      SCOPED_TRACE(describe(earlier) + " / " + describe(later));
      auto ready = [&] {
        Structure s = clean;
        std::vector<Operation> out{prepare(earlier, s)};
        apply_to(s, out[0], 3, 0);
        out.push_back(prepare(later, s));
        return out;
      }();
      auto listed = outcome(ready[0], 0, ready[1], 1), turned = outcome(ready[1], 1, ready[0], 0);
      EXPECT_EQ(difference(listed.first, turned.first), "");
      EXPECT_EQ(difference(listed.second, turned.second), "");
      ++tried;
    }
  structure = clean;
  EXPECT_GT(tried, 100) << "a law about nothing";
  EXPECT_GT(waits, 50);
}

TEST_P(Phases, bringing_forward_what_does_not_wait_ends_where_the_list_ends) {
  auto operations = prepared(made([](Schema& s) {
                               s.reshape_json("thing", "document", {move({"title"}, {"head", "title"})})
                                   .add_column("thing", integer("rank").required().by_default(3))
                                   .drop_unique("thing", {"name"}, {.rename = "name"})
                                   .create_index("thing", {"name"})
                                   .rename_table("leaf", "blade")
                                   .create_table("shoot", {reference("blade").cascade()})
                                   .create_table("root", {reference("thing").cascade()});
                             }),
                             3);
  Migration all{.number = 3, .name = "mix", .since_version = "0.2.0", .compat_floor = 3, .operations = operations};
  auto waiting = put_off({all});
  EXPECT_EQ(waiting, (std::vector<std::pair<int, int>>{{3, 0}, {3, 2}, {3, 4}, {3, 5}}));
  auto waits = [&](std::size_t i) { return std::find(waiting.begin(), waiting.end(), std::pair(3, static_cast<int>(i))) != waiting.end(); };
  auto clean = structure;
  auto before = content();
  run(operations, 3, Direction::Up);
  auto listed_shape = shape(structure);
  auto listed = content();
  run(operations, 3, Direction::Down);
  EXPECT_EQ(difference(before, content()), "");
  structure = clean;  // without the holds that the way down left in it
  for (auto& t : {"hold_3_5", "hold_3_6"}) connection->execute_script("DROP TABLE " + appdb::quoted(t));

  connection->execute_script("BEGIN");
  for (bool finalise : {false, true})
    for (std::size_t i = 0; i < operations.size(); ++i)
      if (waits(i) == finalise) run_one(operations[i], 3, static_cast<int>(i), Direction::Up);
  connection->execute_script("COMMIT");
  EXPECT_EQ(difference(listed_shape, shape(structure)), "");
  EXPECT_EQ(difference(listed, content()), "");
  run(operations, 3, Direction::Down);
  EXPECT_EQ(difference(shape(clean), shape(structure)), "") << "and the way back is the list backwards";
  EXPECT_EQ(difference(before, content()), "");
}

TEST_P(Phases, expanding_first_and_finalising_after_older_nodes_wrote_is_the_same_as_both_at_once) {
  std::vector<Migration> ups;
  auto later = structure;
  auto add = [&](const std::function<void(Schema&)>& build) {
    Migration m{.number = 3 + static_cast<int>(ups.size()), .name = "step", .since_version = "0.2.0", .compat_floor = 1, .operations = {}};
    for (auto& raw : made(build)) {
      m.operations.push_back(prepare(raw, later));
      apply_to(later, m.operations.back(), m.number, static_cast<int>(m.operations.size()) - 1);
    }
    ups.push_back(std::move(m));
  };
  add([](Schema& s) { s.add_column("thing", text("audience").required().by_default("all")).reshape_json("thing", "document", {added({"extra"}), move({"title"}, {"head", "title"}), preset({"head", "mode"}, "plain")}); });
  add([](Schema& s) { s.drop_unique("thing", {"name"}, {.rename = "name"}).create_index("thing", {"name"}).add_enum_value("thing", "kind", "c", "a"); });
  add([](Schema& s) { s.create_table("note", {reference("thing").cascade(), text("note")}).change_column("thing", text("n")).drop_column("thing", "label"); });
  auto waiting = put_off(ups);
  EXPECT_EQ(waiting, (std::vector<std::pair<int, int>>{{3, 1}, {4, 0}, {4, 2}, {5, 1}, {5, 2}}));
  auto waits = [&](int migration, std::size_t i) { return std::find(waiting.begin(), waiting.end(), std::pair(migration, static_cast<int>(i))) != waiting.end(); };
  auto clean = structure;
  // What a node of the older version does: it names its columns, and knows nothing of the new ones.
  auto older_node_writes = [&] {
    connection->execute(R"(UPDATE thing SET document = '{"title":"edited by the old","extra":1}', n = 77 WHERE id = 5)");
    connection->execute("UPDATE thing SET label = 'edited', kind = 'b' WHERE id = 6");
    connection->execute("DELETE FROM thing WHERE id = 9");
    for (int i = 0; i < 5; ++i)
      connection->insert("thing", {{"id", 500 + i}, {"row_uid", "00000000-0000-7000-8000-00000000000" + std::to_string(i)}, {"name", "old " + std::to_string(i)}, {"n", i}, {"label", "x"}, {"document", R"({"title":"made by the old"})"}});
  };
  enum class Order { AllAtOnce, ExpandFirst };
  auto end_of = [&](Order order) {
    structure = clean;
    connection->execute_script("BEGIN");
    auto go = [&](auto wanted) {
      for (auto& m : ups)
        for (std::size_t i = 0; i < m.operations.size(); ++i) if (wanted(m.number, i)) run_one(m.operations[i], m.number, static_cast<int>(i), Direction::Up);
    };
    if (order == Order::ExpandFirst) go([&](int m, std::size_t i) { return !waits(m, i); });
    older_node_writes();
    if (order == Order::ExpandFirst) go([&](int m, std::size_t i) { return waits(m, i); });
    else go([](int, std::size_t) { return true; });
    auto parked = connection->query("SELECT migration, operation, direction, parked_row, value, shown FROM upgrade_park ORDER BY migration, operation, parked_row");
    std::map<std::string, std::string> out = content();
    for (auto& row : parked) out["parked " + std::to_string(row.integer("migration")) + "." + std::to_string(row.integer("operation")) + " " + row.text("parked_row")] = row.text("value") + row.text("shown");
    for (auto& [name, text] : shape(structure, true)) out["table " + name] = text;
    connection->execute_script("ROLLBACK");
    return out;
  };
  EXPECT_EQ(difference(end_of(Order::AllAtOnce), end_of(Order::ExpandFirst)), "");
  structure = clean;
}

INSTANTIATE_TEST_SUITE_P(Engines, Phases, testing::Values(Engine::Sqlite, Engine::Postgres), [](auto& info) { return info.param == Engine::Sqlite ? "sqlite" : "postgres"; });

TEST(PutOff, keeps_back_what_older_nodes_would_trip_over_and_what_hangs_on_it) {
  EXPECT_EQ(put_off({all_next()[1]}), (std::vector<std::pair<int, int>>{}));
  EXPECT_EQ(put_off(all_next()), (std::vector<std::pair<int, int>>{{3, 0}, {4, 0}}));
  auto renamed_then_widened = migration(2, [](Schema& s) { s.rename_table("card", "question").add_column("question", text("audience")).create_index("question", {"audience"}).create_table("island", {text("note")}); }, 2);
  EXPECT_EQ(put_off({renamed_then_widened}), (std::vector<std::pair<int, int>>{{2, 0}, {2, 1}, {2, 2}}));
  auto across = migration(3, [](Schema& s) { s.add_column("question", text("more")); });
  EXPECT_EQ(put_off({renamed_then_widened, across}).back(), std::pair(3, 0));
}

TEST(Lint, ties_the_floor_to_what_has_to_be_finalised) {
  auto s = structure_after(all());
  auto reshape = [](Schema& x) { x.reshape_json("card", "visualization_settings", {added({"a"})}); };
  EXPECT_EQ(lint(migration(2, reshape, 2), s).size(), 0u);
  EXPECT_EQ(lint(migration(2, reshape, 1), s).size(), 1u);
  EXPECT_EQ(lint(migration(2, [](Schema& x) { x.add_column("card", text("a")); }, 1), s).size(), 0u);
  EXPECT_EQ(lint(migration(2, [](Schema& x) { x.add_column("card", text("a")); }, 3), s).size(), 1u);
  EXPECT_EQ(lint(migration(2, [](Schema& x) { x.create_table("note", {reference("card")}); }), s).size(), 1u) << "an older node could not delete a card any more";
  EXPECT_EQ(lint(migration(2, [](Schema& x) { x.create_table("note", {reference("card").cascade()}); }), s).size(), 0u);
}

}  // namespace
}  // namespace basalt::migrations
