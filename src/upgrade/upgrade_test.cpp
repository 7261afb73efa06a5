// Whole upgrades and step-downs of real stores on both engines, with the migrations of basalt-next.
#include <gtest/gtest.h>

#include <fstream>

#include "appdb/sqlite_connection.h"
#include "base/failure.h"
#include "base/version.h"
#include "migrations/next/all_next.h"
#include "upgrade/fingerprint.h"
#include "upgrade/ledger.h"
#include "upgrade/test_upgrades.h"

namespace basalt::upgrade {
namespace {

using appdb::Connection;
using appdb::Engine;
using appdb::Row;
using appdb::TestStores;

const std::string now = "2026-01-02T03:04:05.000006Z";

// Nothing is changed yet at those, one like the other: "rehearsed" stands for them.
bool of_the_rehearsal(std::string_view edge) { return edge.starts_with("rehearse: "); }

struct Upgrades : testing::TestWithParam<Engine> {
  void SetUp() override {
    if (auto missing = TestStores::missing(GetParam())) GTEST_SKIP() << *missing;
    set_version("0.1.0");
    stores.emplace(GetParam());
    store = stores->open();
  }
  void TearDown() override { set_version("0.0.0"); }

  Context old_binary() { return {*store, first, stores->folder()}; }
  Context next_binary() { return {*store, next, stores->folder()}; }

  Outcome up_as(const std::vector<migrations::Migration>& known, const std::string& binary, std::function<void(std::string_view)> hook = {}) {
    set_version(binary);
    Context context{*store, known, stores->folder(), &progress, "", std::move(hook)};
    return up(context);
  }
  Outcome up_old() { return up_as(first, "0.1.0"); }
  Outcome up_next() { return up_as(next, "0.2.0"); }
  Outcome down_as_old(int to = 1) {
    set_version("0.1.0");
    auto context = old_binary();
    return down(context, to);
  }

  // What people made: two cards, snippets, a document that the old shape knows.
  void fill() {
    store->write([&](Connection& c) {
      person = c.insert("person", {{"email", "ada@example.com"}, {"entity_id", "p1"}, {"created_at", now}, {"updated_at", now}});
      auto database = c.insert("database", {{"name", "Shop"}, {"engine", "postgres"}, {"entity_id", "d1"}, {"created_at", now}, {"updated_at", now}});
      for (auto [name, settings] : {std::pair{"Orders", R"({"basalt.note":"check this","color":"red"})"}, {"People", "{}"}, {"Dirty", "no json at all"}, {"List", "[1, 2]"}})
        c.insert("card", {{"name", name}, {"database_id", database}, {"creator_id", person}, {"visualization_settings", settings}, {"entity_id", name}, {"created_at", now}, {"updated_at", now}});
      for (auto name : {"active", "active (2)", "Größe 😀"})
        c.insert("snippet", {{"name", name}, {"content", "x = 1"}, {"creator_id", person}, {"entity_id", name}, {"created_at", now}, {"updated_at", now}});
    });
  }
  // What only the next version can hold.
  void fill_next() {
    store->write([&](Connection& c) {
      c.update("card", {{"audience", "board"}}, "name", "Orders");
      c.update("card", {{"visualization_settings", R"({"color":"red","notes":{"format":"markdown","text":"*check*","by":"ada"}})"}}, "name", "People");
      c.insert("snippet", {{"name", "active"}, {"content", "x = 2"}, {"creator_id", person}, {"entity_id", "s9"}, {"created_at", now}, {"updated_at", now}});
    });
  }
  std::string text(const std::string& sql) {
    return store->read([&](Connection& c) {
      auto row = c.query_one(sql);
      if (!row || std::holds_alternative<std::nullptr_t>(row->values()[0])) return std::string("<null>");
      auto& v = row->values()[0];
      if (auto* s = std::get_if<std::string>(&v)) return *s;
      if (auto* i = std::get_if<std::int64_t>(&v)) return std::to_string(*i);
      return std::string("?");
    });
  }
  // Documents are the same whatever the order of their keys.
  static std::string sorted(const json::value& v) {
    if (auto* o = v.if_object()) {
      std::map<std::string, std::string> parts;
      for (auto& [key, value] : *o) parts[std::string(key)] = sorted(value);
      std::string out = "{";
      for (auto& [key, value] : parts) out += key + ":" + value + ",";
      return out + "}";
    }
    return json::write(v);
  }
  // Fingerprints of everything people made, by table; documents that a migration reshapes by their meaning.
  std::map<std::string, std::string> content() {
    return store->read([&](Connection& c) {
      std::map<std::string, std::string> out;
      auto structure = read_ledger(c).structure;
      for (auto& t : structure.tables)
        if (!t.name.starts_with("upgrade_") && !t.name.starts_with("hold_") && t.name != "card") out[t.name] = fingerprint(c, t).text();
      auto ledger = read_ledger(c);
      auto& card = *ledger.structure.table("card");
      c.each("SELECT * FROM card ORDER BY id", {}, [&](const Row& row) {
        for (auto& name : card.column_names()) {
          auto document = name == "visualization_settings" ? json::try_parse(row.text(name)) : std::nullopt;
          out["card " + row.text("entity_id")] += name + "=" + (document ? sorted(*document) : json::write(migrations::value_json(row[name]))) + ";";
        }
      });
      return out;
    });
  }
  json::value settings(const std::string& card) { return json::parse(text("SELECT visualization_settings FROM card WHERE name = '" + card + "'")); }

  std::optional<TestStores> stores;
  std::unique_ptr<appdb::Store> store;
  std::vector<migrations::Migration> first = migrations::all(), next = migrations::all_next();
  Progress progress;
  std::int64_t person = 0;
};

TEST_P(Upgrades, a_fresh_store_is_created_at_once_and_is_then_up_to_date) {
  auto outcome = up_old();
  EXPECT_EQ(outcome.code, done);
  EXPECT_EQ(outcome.to, 1);
  EXPECT_EQ(outcome.backup, "");
  std::cout << "created in " << outcome.seconds << " s\n";
  EXPECT_EQ(progress.now().state, "done");
  EXPECT_EQ(up_old().code, nothing_to_do);
  EXPECT_EQ(text("SELECT name FROM permission_group WHERE id = 1"), "All Users");
  EXPECT_EQ(text("SELECT name FROM permission_group WHERE id = 2"), "Administrators");
  auto context = old_binary();
  auto now_there = status(context);
  EXPECT_EQ(now_there.decision, Decision::Run);
  EXPECT_EQ(now_there.schema, 1);
  EXPECT_EQ(now_there.instance_id.size(), 36u);
}

TEST_P(Upgrades, a_failed_creation_leaves_an_empty_store_that_a_plain_restart_creates) {
  EXPECT_THROW(up_as(first, "0.1.0", [](std::string_view edge) { if (edge == "before commit") throw std::runtime_error("power cut"); }), std::runtime_error);
  EXPECT_EQ(progress.now().state, "failed");
  EXPECT_EQ(up_old().code, done);
}

TEST_P(Upgrades, an_upgrade_keeps_everything_and_takes_a_verified_backup_first) {
  up_old();
  fill();
  auto before = content();
  auto outcome = up_next();
  EXPECT_EQ(outcome.code, done);
  EXPECT_EQ(outcome.from, 1);
  EXPECT_EQ(outcome.to, 4);
  EXPECT_TRUE(std::filesystem::exists(outcome.backup));
  EXPECT_EQ(text("SELECT audience FROM card WHERE name = 'Orders'"), "everyone");
  EXPECT_EQ(settings("Orders"), json::parse(R"({"color":"red","notes":{"text":"check this","format":"plain"}})"));
  EXPECT_EQ(text("SELECT visualization_settings FROM card WHERE name = 'Dirty'"), "no json at all");
  EXPECT_EQ(text("SELECT visualization_settings FROM card WHERE name = 'List'"), "[1, 2]");
  auto after = content();
  for (auto& table : {"person", "database", "snippet", "permission_group"}) EXPECT_EQ(after[table], before[table]) << table;
  auto context = next_binary();
  auto list = backup_list(context);
  ASSERT_EQ(list.size(), 1u);
  EXPECT_FALSE(list[0].verified_at.empty());
  EXPECT_EQ(list[0].schema, 1);
  // PostgreSQL expands first and finalises then, in transactions of their own.
  EXPECT_EQ(status(context).history.size(), GetParam() == Engine::Sqlite ? 4u : 6u);
  EXPECT_EQ(status(context).level, 4);
  EXPECT_TRUE(status(context).pending.empty());
}

TEST_P(Upgrades, down_and_up_again_gives_back_every_value) {
  up_old();
  fill();
  up_next();
  fill_next();
  auto there = content();
  auto outcome = down_as_old();
  EXPECT_EQ(outcome.to, 1);
  EXPECT_EQ(outcome.parked, 3) << outcome.sentence;
  // The old version sees its own shape, and its rules hold.
  EXPECT_EQ(settings("Orders"), json::parse(R"({"basalt.note":"check this","color":"red"})"));
  EXPECT_EQ(json::text(settings("People"), "basalt.note"), "*check*");
  EXPECT_EQ(text("SELECT name FROM snippet WHERE entity_id = 's9'"), "active (3)");
  EXPECT_THROW(store->write([](Connection& c) { c.update("snippet", {{"name", "active"}}, "entity_id", "s9"); }), Failure);
  EXPECT_THROW(text("SELECT audience FROM card"), Failure);
  auto again = up_next();
  EXPECT_EQ(again.returned, 3);
  EXPECT_EQ(content(), there);
}

TEST_P(Upgrades, the_old_version_left_alone_gets_its_data_back_exactly) {
  up_old();
  fill();
  auto before = content();
  up_next();
  down_as_old();
  EXPECT_EQ(content(), before);
}

// One store goes from the first schema to the last at once, another of the same content one migration at a time, each by a binary
// of its own: nobody can tell afterwards.
TEST_P(Upgrades, at_once_and_step_by_step_end_alike) {
  up_old();
  fill();
  auto old = old_binary();
  auto backup = backup_create(old, "manual", "test");
  TestStores others(GetParam());
  auto other = others.open();
  Context old_there{*other, first, others.folder()};
  restore(old_there, backup.path);
  ASSERT_EQ(status(old_there).schema, 1);

  up_next();
  for (auto known = first; known.size() < next.size();) {
    known.push_back(next[known.size()]);
    set_version("0.1." + std::to_string(known.size()));
    Context context{*other, known, others.folder()};
    auto outcome = up(context);
    ASSERT_EQ(outcome.code, done) << outcome.sentence;
    ASSERT_EQ(outcome.to, static_cast<int>(known.size()));
  }
  auto state = [](appdb::Store& of) {
    return of.read([](Connection& c) {
      std::map<std::string, std::string> out;
      auto ledger = read_ledger(c);
      for (auto& t : ledger.structure.tables)
        if (!t.name.starts_with("upgrade_")) out["rows of " + t.name] = fingerprint(c, t).text();
      out["structure"] = json::write(migrations::to_json(ledger.structure));
      out["schema"] = std::to_string(ledger.schema) + ", level " + std::to_string(ledger.level) + ", floor " + std::to_string(ledger.compat_floor) + ", " + std::to_string(ledger.pending.size()) + " pending";
      for (auto& back : ways_back(c, 0)) out["way back of " + std::to_string(back.migration)] = std::to_string(back.compat_floor_before) + " " + migrations::operations_text(back.operations);
      auto& park = *ledger.structure.table("upgrade_park");
      out["parked"] = std::to_string(c.count("SELECT count(*) FROM " + park.name));
      return out;
    });
  };
  auto direct = state(*store), stepped = state(*other);
  EXPECT_EQ(direct.size(), stepped.size());
  for (auto& [what, is] : direct) EXPECT_EQ(stepped[what], is) << what;
  EXPECT_GT(direct.size(), 30u);
  // And so they go down: at once, and step by step.
  down_as_old();
  for (int schema = static_cast<int>(next.size()) - 1; schema >= 1; --schema) {
    set_version("0.1.0");
    ASSERT_EQ(down(old_there, schema).to, schema);
  }
  direct = state(*store), stepped = state(*other);
  for (auto& [what, is] : direct) EXPECT_EQ(stepped[what], is) << what << " after the way down";
}

TEST_P(Upgrades, what_the_old_version_edits_wins_and_the_parked_value_stays_listed) {
  up_old();
  fill();
  up_next();
  fill_next();
  down_as_old();
  store->write([](Connection& c) {
    c.update("snippet", {{"name", "renamed"}}, "entity_id", "s9");
    c.update("card", {{"visualization_settings", R"({"basalt.note":"edited","color":"blue"})"}}, "name", "People");
    c.update("card", {{"name", "Orders 2"}}, "name", "Orders");
  });
  auto outcome = up_next();
  EXPECT_EQ(text("SELECT name FROM snippet WHERE entity_id = 's9'"), "renamed");
  EXPECT_EQ(text("SELECT audience FROM card WHERE name = 'Orders 2'"), "board");
  // The note was edited; its format and author were not, and come back.
  auto people = settings("People");
  EXPECT_EQ(*people.as_object()["notes"].as_object().if_contains("text"), "edited");
  EXPECT_EQ(json::text(people, "color"), "blue");
  EXPECT_EQ(outcome.superseded, 1) << outcome.sentence;
  auto context = next_binary();
  auto listed = parked_list(context);
  ASSERT_FALSE(listed.empty());
  auto snippet = std::find_if(listed.begin(), listed.end(), [](auto& p) { return p.table == "snippet"; });
  ASSERT_NE(snippet, listed.end());
  EXPECT_EQ(snippet->state, "superseded");
  parked_take(context, snippet->id);
  EXPECT_EQ(text("SELECT name FROM snippet WHERE entity_id = 's9'"), "active");
  EXPECT_THROW(parked_take(context, snippet->id), Failure);
  EXPECT_THROW(parked_show(context, 999999), Failure);
}

TEST_P(Upgrades, a_value_whose_row_the_old_version_deleted_is_kept_as_an_orphan) {
  up_old();
  fill();
  up_next();
  fill_next();
  down_as_old();
  store->write([](Connection& c) { c.execute("DELETE FROM card WHERE name = 'Orders'"); });
  // A new row may get the old id on some engines; the value must not land there.
  auto outcome = up_next();
  EXPECT_EQ(outcome.orphaned, 1);
  auto context = next_binary();
  auto listed = parked_list(context);
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0].state, "orphan");
  EXPECT_EQ(listed[0].value, json::parse(R"({"value":"board"})"));
  EXPECT_EQ(text("SELECT count(*) FROM card WHERE audience = 'board'"), "0");
}

TEST_P(Upgrades, newer_data_is_refused_with_both_versions_and_the_way_out) {
  up_old();
  fill();
  up_next();
  try {
    up_old();
    FAIL();
  } catch (const Failure& failure) {
    auto sentence = failure.sentence();
    for (auto part : {"schema 4", "0.2.0", "0.1.0", "basalt migrate down --to 1"}) EXPECT_NE(sentence.find(part), std::string::npos) << sentence;
  }
  auto context = old_binary();
  EXPECT_EQ(status(context).decision, Decision::Refuse);
  auto way = plan(context);
  EXPECT_EQ(way.blocked, "");
  ASSERT_EQ(way.steps.size(), 3u);
  EXPECT_EQ(way.steps[0].migration, 4);
  EXPECT_EQ(way.steps[0].direction, "down");
}

TEST_P(Upgrades, an_old_version_runs_on_newer_data_above_the_floor) {
  up_old();
  std::vector<migrations::Migration> two(next.begin(), next.begin() + 2);
  up_as(two, "0.2.0");
  EXPECT_EQ(up_old().code, nothing_to_do);
  auto context = old_binary();
  EXPECT_EQ(status(context).decision, Decision::RunNewer);
}

TEST_P(Upgrades, a_plan_counts_what_would_be_parked_and_changes_nothing) {
  up_old();
  fill();
  up_next();
  fill_next();
  auto before = content();
  auto context = old_binary();
  auto way = plan(context, 1);
  std::int64_t will_park = 0;
  for (auto& step : way.steps) will_park += step.will_park;
  EXPECT_EQ(will_park, 3);
  EXPECT_EQ(content(), before);
  EXPECT_EQ(down_as_old().parked, will_park);
  auto next_context = next_binary();
  EXPECT_EQ(plan(next_context).steps.size(), 3u);
  EXPECT_FALSE(plan(next_context, 9).blocked.empty());
  EXPECT_EQ(schema_of_version(next_context, "0.1.0"), 1);
  EXPECT_EQ(schema_of_version(next_context, "v0.2"), 4);
  EXPECT_THROW(schema_of_version(next_context, "soon"), Failure);
  EXPECT_THROW(schema_of_version(next_context, "0.0.1"), Failure);
}

// At every edge of a run up and of a run down the process "dies"; what is left is exactly before or exactly after, and a plain
// restart goes on.
TEST_P(Upgrades, a_crash_at_any_edge_leaves_before_or_after_and_a_restart_goes_on) {
  up_old();
  fill();
  auto before = content();
  const Edges edges;
  for (int edge = edges.first;; edge += edges.step) {
    int seen = 0;
    std::string name;
    try {
      up_as(next, "0.2.0", [&](std::string_view e) { if (!of_the_rehearsal(e) && seen++ == edge) { name = e; throw std::runtime_error("power cut"); } });
    } catch (const std::runtime_error& e) {
      ASSERT_STREQ(e.what(), "power cut") << "after edge " << name;
    }
    if (name.empty()) {
      ASSERT_GT(edge, 8);
      break;
    }
    SCOPED_TRACE("killed at: " + name);
    store = stores->open();  // a new process
    auto left = store->read([](Connection& c) { return read_ledger(c).schema; });
    ASSERT_TRUE(left == 1 || left == 4 || GetParam() == Engine::Postgres) << left;
    if (left == 1) {
      ASSERT_EQ(content(), before);
    }
    ASSERT_NO_THROW(up_next());
    ASSERT_EQ(text("SELECT audience FROM card WHERE name = 'Orders'"), "everyone");
    ASSERT_NO_THROW(down_as_old());
    ASSERT_EQ(content(), before);
  }
}

TEST_P(Upgrades, a_crash_at_any_edge_of_the_way_down_loses_nothing) {
  up_old();
  fill();
  up_next();
  fill_next();
  auto there = content();
  const Edges edges;
  for (int edge = edges.first;; edge += edges.step) {
    int seen = 0;
    std::string name;
    set_version("0.1.0");
    Context context{*store, first, stores->folder(), nullptr, "", [&](std::string_view e) { if (!of_the_rehearsal(e) && seen++ == edge) { name = e; throw std::runtime_error("power cut"); } }};
    try {
      down(context, 1);
    } catch (const std::runtime_error& e) {
      ASSERT_STREQ(e.what(), "power cut") << "after edge " << name;
    }
    SCOPED_TRACE("killed at: " + name);
    store = stores->open();
    ASSERT_NO_THROW(up_next());
    ASSERT_EQ(content(), there);
    if (name.empty()) break;
  }
}

TEST_P(Upgrades, somebody_who_took_over_fences_the_sleeper_out) {
  up_old();
  fill();
  auto before = content();
  try {
    up_as(next, "0.2.0", [&](std::string_view edge) {
      if (edge != "backed up") return;
      store->connect()->execute("UPDATE upgrade_lock SET fence = fence + 1");
    });
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error_type(), "fenced") << failure.sentence();
  }
  EXPECT_EQ(content(), before);
  EXPECT_EQ(up_next().to, 4);
}

TEST_P(Upgrades, a_migration_that_was_run_in_another_form_blocks) {
  up_old();
  auto other = next;
  std::get<migrations::CreateTable>(other[0].operations[0]).table.columns[0].preset = "x";
  EXPECT_THROW(up_as(other, "0.2.0"), Failure);
  EXPECT_EQ(up_next().to, 4);
}

TEST_P(Upgrades, a_damaged_or_too_new_way_back_blocks_without_a_change) {
  up_old();
  fill();
  up_next();
  auto before = content();
  store->write([](Connection& c) { c.execute("UPDATE upgrade_down SET operations_version = 99 WHERE migration = 4"); });
  EXPECT_THROW(down_as_old(), Failure);
  store->write([](Connection& c) { c.execute("UPDATE upgrade_down SET operations_version = 1, operations = '[]' WHERE migration = 4"); });
  EXPECT_THROW(down_as_old(), Failure);
  EXPECT_EQ(content(), before);
  EXPECT_THROW(down_as_old(0), Failure);
  EXPECT_THROW(down_as_old(7), Failure);
}

TEST_P(Upgrades, a_backup_that_cannot_be_taken_blocks_the_upgrade) {
  up_old();
  fill();
  std::ofstream(stores->folder() / "backups") << "in the way";
  EXPECT_THROW(up_next(), Failure);
  auto context = old_binary();
  EXPECT_EQ(status(context).schema, 1);
}

INSTANTIATE_TEST_SUITE_P(Engines, Upgrades, testing::Values(Engine::Sqlite, Engine::Postgres), [](auto& info) { return info.param == Engine::Sqlite ? "sqlite" : "postgres"; });

// Negative controls: the verifications are not decoration.
const std::vector<std::string> sabotages = {"UPDATE person SET first_name = 'Eve'", "DELETE FROM snippet WHERE name = 'active'", "UPDATE permission_group SET name = 'x' WHERE id = 1",
                                            "INSERT INTO setting (row_uid, key, value, updated_at) VALUES ('u', 'k', 'v', 'now')", "UPDATE card SET visualization_settings = '{}'", "UPDATE card SET audience = 'x'"};

void fill_little(appdb::Store& store) {
  store.write([&](Connection& c) {
    auto person = c.insert("person", {{"email", "a@b"}, {"entity_id", "p"}, {"created_at", now}, {"updated_at", now}});
    c.insert("snippet", {{"name", "active"}, {"content", ""}, {"creator_id", person}, {"entity_id", "s"}, {"created_at", now}, {"updated_at", now}});
    c.insert("card", {{"name", "Orders"}, {"creator_id", person}, {"visualization_settings", R"({"basalt.note":"n"})"}, {"entity_id", "c"}, {"created_at", now}, {"updated_at", now}});
  });
}

void expect_noticed(Context& context, const std::string& sabotage) {
  try {
    up(context);
    ADD_FAILURE() << "not noticed: " << sabotage;
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error_type(), "verification-failed") << failure.sentence();
  }
  EXPECT_EQ(status(context).schema, 1);
}

// A trigger that nobody backs up does to the data what it does not do to the rehearsal.
TEST(Verification, notices_on_the_data_itself_what_did_not_happen_in_the_rehearsal) {
  for (auto& sabotage : sabotages) {
    TestStores stores(Engine::Sqlite);
    auto store = open_fresh(stores);
    fill_little(*store);
    store->connect()->execute_script("CREATE TRIGGER evil AFTER INSERT ON upgrade_history WHEN NEW.migration = 4 BEGIN " + sabotage + "; END");
    auto known = migrations::all_next();
    Context context{*store, known, stores.folder()};
    expect_noticed(context, sabotage);
  }
}

TEST(Verification, notices_on_postgres_what_did_not_happen_in_the_rehearsal) {
  if (auto missing = TestStores::missing(Engine::Postgres)) GTEST_SKIP() << *missing;
  for (auto& sabotage : sabotages) {
    TestStores stores(Engine::Postgres);
    auto store = open_fresh(stores);
    fill_little(*store);
    // The first of the migrations: what comes before a unit that fails stays.
    auto made = sabotage.find("INSERT") == std::string::npos ? sabotage : "INSERT INTO setting (row_uid, key, value, updated_at) VALUES ('u', 'k', 'v', now())";
    store->connect()->execute_script("CREATE FUNCTION evil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + made + "; RETURN NULL; END $$; CREATE TRIGGER evil AFTER INSERT ON upgrade_history FOR EACH ROW WHEN (NEW.migration = 2) EXECUTE FUNCTION evil()");
    auto known = migrations::all_next();
    Context context{*store, known, stores.folder()};
    expect_noticed(context, sabotage);
  }
}

TEST(Verification, notices_in_the_rehearsal_what_no_migration_asked_for) {
  for (auto& sabotage : sabotages) {
    if (sabotage.find("card") != std::string::npos) continue;  // the migrations touch it: only the data itself can differ
    TestStores stores(Engine::Sqlite);
    auto store = open_fresh(stores);
    fill_little(*store);
    auto known = migrations::all_next();
    Context context{*store, known, stores.folder()};
    context.hook = [&](std::string_view edge) {
      if (edge != "backed up") return;
      for (auto& entry : std::filesystem::directory_iterator(stores.folder() / "backups"))
        if (entry.path().filename().string().starts_with(".restored-") && entry.path().extension() == ".sqlite") appdb::SqliteConnection(entry.path(), {.write_ahead_log = false}).execute_script("CREATE TRIGGER evil AFTER INSERT ON upgrade_history WHEN NEW.migration = 4 BEGIN " + sabotage + "; END");
    };
    expect_noticed(context, sabotage);
  }
}

TEST(Sqlite, a_server_that_has_the_data_open_blocks_a_step_down) {
  TestStores stores(Engine::Sqlite);
  auto known = migrations::all_next();
  auto server = stores.open();
  Context serving{*server, known, stores.folder()};
  up(serving);
  auto command = stores.open();
  Context context{*command, known, stores.folder()};
  context.lock_patience = std::chrono::milliseconds(1);
  try {
    down(context, 1);
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_NE(failure.sentence().find("stop it first"), std::string::npos) << failure.sentence();
  }
}

}  // namespace
}  // namespace basalt::upgrade
