// Damage done by hand, found by meaning, and repaired by the SQL that the finding gives.
#include "upgrade/drift.h"

#include <gtest/gtest.h>

#include <random>

#include "appdb/sqlite_connection.h"
#include "base/failure.h"
#include "base/version.h"
#include "migrations/next/all_next.h"
#include "upgrade/drift_expression.h"
#include "upgrade/test_upgrades.h"

namespace basalt::upgrade {
namespace {

using appdb::Connection;
using appdb::Engine;
using appdb::TestStores;
using migrations::Table;

TEST(DriftExpression, reads_rules_alike_however_they_are_written) {
  auto same = [](const char* ours, const char* theirs) { EXPECT_EQ(conditions(ours), conditions(theirs)) << ours << "   " << theirs; };
  same(R"("kind" IN ('a', 'b'))", "(kind = ANY (ARRAY['b'::text, 'a'::text]))");
  same(R"("kind" IN ('a', 'b'))", "((kind)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))");
  same(R"("kind" IN ('a', 'b'))", "kind = 'b' OR kind = 'a'");
  same(R"("kind" IN ('a'))", "(kind = 'a'::text)");
  same(R"("x" IN ('it''s', 'b'))", "(x = ANY (ARRAY['b'::text, 'it''s'::text]))");
  same(R"(length("name") <= 100)", "(char_length(name) < 101)");
  same(R"("n" >= -5 AND "n" <= 9)", "((n >= '-5'::integer) AND (n <= 9))");
  same(R"("n" >= -5 AND "n" <= 9)", "n BETWEEN -5 AND 9");
  same(R"("n" >= -9223372036854775807)", "(n >= '-9223372036854775807'::bigint)");
  same(R"(5 <= n)", R"([n] >= 5)");
}

TEST(DriftExpression, tells_different_rules_apart) {
  auto differ = [](const char* a, const char* b) { EXPECT_NE(conditions(a), conditions(b)) << a << "   " << b; };
  differ("kind IN ('a', 'b')", "kind IN ('a')");
  differ("length(name) <= 100", "length(name) <= 10");
  differ("n >= 5", "n <= 5");
  differ("kind IN ('a')", "kind IN ('A')");
  differ("kind IN ('a')", "NOT kind IN ('a')");
  differ("a >= 1 OR a <= 0", "a >= 1 AND a <= 0");
}

TEST(DriftExpression, reads_what_nobody_foresaw_word_by_word) {
  EXPECT_EQ(canonical("CASE WHEN x THEN 1 ELSE 2 END > 0"), canonical("case  when x then 1\nelse 2 end > 0"));
  EXPECT_NE(canonical("CASE WHEN x THEN 1 ELSE 2 END"), canonical("CASE WHEN x THEN 1 ELSE 3 END"));
}

TEST(DriftExpression, reads_the_texts_that_sqlite_keeps) {
  auto table = read_create_table(R"(CREATE TABLE "check" (id INTEGER PRIMARY KEY AUTOINCREMENT, "check" TEXT CHECK ("check" IN ('x)', '(')), n INTEGER CONSTRAINT c CHECK(n > 0) -- CHECK (no)
  ))");
  ASSERT_EQ(table.checks.size(), 2u);
  EXPECT_EQ(conditions(table.checks[1]), conditions("n >= 1"));
  EXPECT_TRUE(table.counts_ids);
  auto index = read_create_index(R"(CREATE UNIQUE INDEX "i" ON "t" ("a" COLLATE NOCASE DESC, coalesce("b", -1)) WHERE a > 5)");
  EXPECT_EQ(index.items, (std::vector<std::string>{"a", "coalesce(b,-1)"}));
  EXPECT_EQ(index.where, "a >= 6");
}

const std::string moment = "2026-01-02T03:04:05.000006Z";

struct Drifts : testing::TestWithParam<Engine> {
  void SetUp() override {
    if (auto missing = TestStores::missing(GetParam())) GTEST_SKIP() << *missing;
    set_version("0.2.0");
    stores.emplace(GetParam());
    store = stores->open();
  }
  void TearDown() override { set_version("0.0.0"); }

  void bring_to(std::size_t schema) {
    auto known = migrations::all_next();
    known.resize(schema);
    Context context{*store, known, stores->folder()};
    up(context);
  }
  void fill() {
    store->write([&](Connection& c) {
      auto person = c.insert("person", {{"email", "ada@example.com"}, {"entity_id", "p1"}, {"created_at", moment}, {"updated_at", moment}});
      c.insert("person", {{"email", "bob@example.com"}, {"entity_id", "p2"}, {"created_at", moment}, {"updated_at", moment}});
      auto database = c.insert("database", {{"name", "Shop"}, {"engine", "postgres"}, {"entity_id", "d1"}, {"created_at", moment}, {"updated_at", moment}});
      for (auto name : {"Orders", "People"})
        c.insert("card", {{"name", name}, {"database_id", database}, {"creator_id", person}, {"entity_id", name}, {"created_at", moment}, {"updated_at", moment}});
    });
  }
  std::vector<Drift> found() {
    return store->read([](Connection& c) { return drift(c, read_ledger(c)); });
  }
  static std::string told(const std::vector<Drift>& all) {
    std::string out;
    for (auto& one : all) out += json::write(one.to_json()) + "\n";
    return out;
  }
  static bool any_blocks(const std::vector<Drift>& all) {
    return std::any_of(all.begin(), all.end(), [](auto& one) { return one.blocks(); });
  }
  static const Drift* about(const std::vector<Drift>& all, const std::string& object) {
    for (auto& one : all) if (one.object == object) return &one;
    return nullptr;
  }
  // As a person with a shell would: a connection of its own.
  void by_hand(const std::string& sql) {
    if (GetParam() == Engine::Postgres) {
      store->connect()->execute_script(sql);
      return;
    }
    appdb::SqliteConnection c(stores->options().sqlite_path, {.foreign_keys = false});
    c.execute_script(sql);
  }
  // Other text in SQLite's own schema table: what a tool that rebuilt the table would leave.
  void rewrite_schema(const std::string& name, const std::string& from, const std::string& to) {
    appdb::SqliteConnection c(stores->options().sqlite_path, {.foreign_keys = false});
    c.execute_script("PRAGMA writable_schema=ON");
    auto before = c.query_one("SELECT sql FROM sqlite_master WHERE name = ?", {name})->text("sql");
    ASSERT_NE(before.find(from), std::string::npos) << before;
    c.execute("UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE name = ?", {from, to, name});
    auto version = c.count("PRAGMA schema_version");
    c.execute_script("PRAGMA schema_version=" + std::to_string(version + 1) + "; PRAGMA writable_schema=RESET");
  }
  void expect_found_and_repaired(const std::string& object, Drift::Kind kind) {
    auto all = found();
    auto* one = about(all, object);
    ASSERT_TRUE(one) << object << "\n" << told(all);
    EXPECT_EQ(one->kind, kind) << told(all);
    for (auto& sql : repairs(all)) {
      try {
        by_hand(sql);
      } catch (const Failure& failure) {
        FAIL() << failure.details() << "\n" << sql;
      }
    }
    auto after = found();
    EXPECT_FALSE(any_blocks(after)) << told(after);
  }

  std::optional<TestStores> stores;
  std::unique_ptr<appdb::Store> store;
};

TEST_P(Drifts, there_is_none_after_any_migration_in_either_direction) {
  auto last = migrations::all_next().size();
  for (std::size_t schema = 1; schema <= last; ++schema) {
    bring_to(schema);
    EXPECT_EQ(told(found()), "") << "up to " << schema;
    if (schema == 1) fill();
  }
  auto known = migrations::all_next();
  for (int schema = static_cast<int>(last) - 1; schema >= 1; --schema) {
    Context context{*store, known, stores->folder()};
    down(context, schema);
    EXPECT_EQ(told(found()), "") << "down to " << schema;
  }
}

TEST_P(Drifts, missing_things_are_found_and_their_repair_brings_them_back) {
  bring_to(2);
  fill();
  using Kind = Drift::Kind;
  bool sqlite = GetParam() == Engine::Sqlite;
  by_hand("DROP INDEX \"i_card_collection_id\"");
  expect_found_and_repaired("index card (collection_id)", Kind::Missing);
  by_hand("DROP INDEX \"u_snippet_name\"");
  expect_found_and_repaired("rule that name is unique in snippet", Kind::Missing);
  by_hand("DROP INDEX \"u_data_table_database_id_schema_name_name_n\"");
  expect_found_and_repaired("rule that database_id, schema_name, name together are unique in data_table", Kind::Missing);
  by_hand(sqlite ? "DROP TABLE bookmark" : "DROP TABLE bookmark CASCADE");
  expect_found_and_repaired("table bookmark", Kind::Missing);
  by_hand("ALTER TABLE card DROP COLUMN description");
  expect_found_and_repaired("column card.description", Kind::Missing);
  by_hand("ALTER TABLE card DROP COLUMN view_count");
  expect_found_and_repaired("column card.view_count", Kind::Missing);
  by_hand("ALTER TABLE card DROP COLUMN name");
  expect_found_and_repaired("column card.name", Kind::Missing);
  EXPECT_EQ(store->read([](Connection& c) { return c.count("SELECT count(*) FROM card"); }), 2);
  by_hand("DROP INDEX \"u_person_email\"; ALTER TABLE person DROP COLUMN email");
  expect_found_and_repaired("column person.email", Kind::Missing);
  if (sqlite) {
    rewrite_schema("card", R"("kind" TEXT NOT NULL DEFAULT 'question' CONSTRAINT)", R"("kind" TEXT CONSTRAINT)");
    by_hand("UPDATE card SET kind = NULL");
    expect_found_and_repaired("rule that card.kind has a value", Kind::Missing);
    rewrite_schema("card", R"( DEFAULT 'question')", "");
    expect_found_and_repaired("default of card.kind", Kind::Missing);
    rewrite_schema("card", R"( CONSTRAINT "c_card_kind" CHECK ("kind" IN ('question', 'model', 'metric')))", "");
    expect_found_and_repaired("rule on card.kind", Kind::Missing);
    rewrite_schema("card", R"( CONSTRAINT "f_card_collection_id" REFERENCES "collection" (id) ON DELETE CASCADE)", "");
    expect_found_and_repaired("reference card.collection_id → collection", Kind::Missing);
    rewrite_schema("snippet", " AUTOINCREMENT", "");
    expect_found_and_repaired("column snippet.id", Kind::Different);
  } else {
    by_hand("ALTER TABLE card ALTER COLUMN kind DROP NOT NULL; UPDATE card SET kind = NULL");
    expect_found_and_repaired("rule that card.kind has a value", Kind::Missing);
    by_hand("ALTER TABLE card ALTER COLUMN kind DROP DEFAULT");
    expect_found_and_repaired("default of card.kind", Kind::Missing);
    by_hand("ALTER TABLE card DROP CONSTRAINT c_card_kind");
    expect_found_and_repaired("rule on card.kind", Kind::Missing);
    by_hand("ALTER TABLE card DROP CONSTRAINT f_card_collection_id");
    expect_found_and_repaired("reference card.collection_id → collection", Kind::Missing);
    by_hand("ALTER TABLE snippet ALTER COLUMN id DROP IDENTITY");
    expect_found_and_repaired("column snippet.id", Kind::Different);
    by_hand("ALTER TABLE collection DROP CONSTRAINT collection_pkey CASCADE");
    expect_found_and_repaired("primary key of collection", Kind::Missing);
    by_hand("ALTER TABLE card DROP CONSTRAINT card_row_uid_key");
    expect_found_and_repaired("rule that row_uid is unique in card", Kind::Missing);
    by_hand("ALTER TABLE card DROP COLUMN row_uid");
    expect_found_and_repaired("column card.row_uid", Kind::Missing);
  }
  EXPECT_EQ(store->read([](Connection& c) { return c.count("SELECT count(DISTINCT row_uid) FROM card"); }), 2);
}

TEST_P(Drifts, different_things_are_found_and_their_repair_makes_them_right) {
  bring_to(2);
  fill();
  using Kind = Drift::Kind;
  by_hand("DROP INDEX \"i_card_collection_id\"; CREATE INDEX \"i_card_collection_id\" ON card (name)");
  expect_found_and_repaired("index card (collection_id)", Kind::Different);
  by_hand("DROP INDEX \"u_snippet_name\"; CREATE INDEX \"u_snippet_name\" ON snippet (name)");
  expect_found_and_repaired("rule that name is unique in snippet", Kind::Different);
  by_hand("DROP INDEX \"u_snippet_name\"; CREATE UNIQUE INDEX \"u_snippet_name\" ON snippet (name) WHERE NOT archived");
  expect_found_and_repaired("rule that name is unique in snippet", Kind::Different);
  if (GetParam() == Engine::Sqlite) {
    rewrite_schema("card", R"(CHECK (length("audience") <= 100))", R"(CHECK (length("audience") <= 50))");
    expect_found_and_repaired("rule on card.audience", Kind::Different);
    rewrite_schema("card", R"(DEFAULT 'question')", R"(DEFAULT 'model')");
    expect_found_and_repaired("default of card.kind", Kind::Different);
    rewrite_schema("card", R"("name" TEXT NOT NULL)", R"("name" BLOB NOT NULL)");
    expect_found_and_repaired("column card.name", Kind::Different);
    rewrite_schema("card", R"("archived" BOOLEAN)", R"("archived" INTEGER)");
    expect_found_and_repaired("column card.archived", Kind::Different);
    rewrite_schema("card", R"("description" TEXT,)", R"("description" TEXT NOT NULL DEFAULT '',)");
    expect_found_and_repaired("column card.description", Kind::Different);
    rewrite_schema("card", R"(REFERENCES "collection" (id) ON DELETE CASCADE)", R"(REFERENCES "collection" (id) ON DELETE SET NULL)");
    expect_found_and_repaired("reference card.collection_id → collection", Kind::Different);
    return;
  }
  by_hand("ALTER TABLE card DROP CONSTRAINT c_card_audience; ALTER TABLE card ADD CONSTRAINT short CHECK (char_length(audience) <= 50)");
  expect_found_and_repaired("rule on card.audience", Kind::Different);
  by_hand("ALTER TABLE card DROP CONSTRAINT c_card_kind; ALTER TABLE card ADD CONSTRAINT theirs CHECK (kind IN ('question', 'model', 'metric')) NOT VALID");
  expect_found_and_repaired("rule on card.kind", Kind::Different);
  by_hand("ALTER TABLE card ALTER COLUMN kind SET DEFAULT 'model'");
  expect_found_and_repaired("default of card.kind", Kind::Different);
  by_hand("ALTER TABLE card ALTER COLUMN name TYPE varchar(200)");
  expect_found_and_repaired("column card.name", Kind::Different);
  by_hand("ALTER TABLE card ALTER COLUMN created_at TYPE timestamp");
  expect_found_and_repaired("column card.created_at", Kind::Different);
  by_hand("ALTER TABLE card ALTER COLUMN view_count TYPE integer");
  expect_found_and_repaired("column card.view_count", Kind::Different);
  by_hand("ALTER TABLE card ALTER COLUMN visualization_settings DROP DEFAULT; ALTER TABLE card ALTER COLUMN visualization_settings TYPE jsonb USING visualization_settings::jsonb");
  expect_found_and_repaired("column card.visualization_settings", Kind::Different);
  by_hand("UPDATE card SET description = ''; ALTER TABLE card ALTER COLUMN description SET NOT NULL");
  expect_found_and_repaired("column card.description", Kind::Different);
  by_hand("ALTER TABLE card DROP CONSTRAINT f_card_collection_id; ALTER TABLE card ADD FOREIGN KEY (collection_id) REFERENCES collection (id) ON DELETE SET NULL");
  expect_found_and_repaired("reference card.collection_id → collection", Kind::Different);
  by_hand("ALTER TABLE card DROP CONSTRAINT f_card_collection_id; ALTER TABLE card ADD CONSTRAINT theirs_too FOREIGN KEY (collection_id) REFERENCES collection (id) ON DELETE CASCADE NOT VALID");
  expect_found_and_repaired("reference card.collection_id → collection", Kind::Different);
  by_hand("ALTER TABLE card DISABLE TRIGGER ALL");
  expect_found_and_repaired("table card", Kind::Different);
  by_hand("ALTER TABLE sign_in_failure SET UNLOGGED");
  expect_found_and_repaired("table sign_in_failure", Kind::Different);
  by_hand("ALTER TABLE bookmark DROP COLUMN model_id; ALTER TABLE bookmark ADD COLUMN model_id bigint GENERATED ALWAYS AS (position) STORED");
  expect_found_and_repaired("column bookmark.model_id", Kind::Different);
  // What an index that was built beside the work and cut off leaves behind.
  by_hand("UPDATE pg_index SET indisvalid = false WHERE indexrelid = '\"i_card_collection_id\"'::regclass");
  expect_found_and_repaired("index card (collection_id)", Kind::Different);
}

TEST_P(Drifts, what_a_change_has_not_finished_yet_stops_nothing) {
  if (GetParam() == Engine::Sqlite) GTEST_SKIP() << "SQLite leaves nothing for afterwards";
  bring_to(2);
  by_hand("ALTER TABLE card DROP CONSTRAINT c_card_kind; ALTER TABLE card ADD CONSTRAINT c_card_kind CHECK (kind IN ('question', 'model', 'metric')) NOT VALID");
  by_hand("ALTER TABLE card ALTER COLUMN name DROP NOT NULL; ALTER TABLE card ADD CONSTRAINT n_card_name CHECK (name IS NOT NULL) NOT VALID");
  by_hand("DROP INDEX i_card_collection_id; INSERT INTO upgrade_backfill (row_uid, migration, table_name, last_key) VALUES ('x', 2, 'i_card_collection_id', 'later')");
  auto all = found();
  EXPECT_FALSE(any_blocks(all)) << told(all);
  EXPECT_EQ(all.size(), 3u) << told(all);
  for (auto& one : all) EXPECT_EQ(one.kind, Drift::Kind::Unfinished) << told(all);
  // The next start goes on.
  auto known = migrations::all_next();
  known.resize(2);
  Context context{*store, known, stores->folder()};
  up(context);
  EXPECT_EQ(told(found()), "");
}

TEST_P(Drifts, other_names_and_spellings_are_no_difference) {
  bring_to(2);
  by_hand("DROP INDEX \"i_card_collection_id\"; CREATE INDEX mine ON card (collection_id)");
  by_hand("DROP INDEX \"u_snippet_name\"; CREATE UNIQUE INDEX ours ON snippet (name)");
  if (GetParam() == Engine::Sqlite) {
    rewrite_schema("card", R"(CHECK ("kind" IN ('question', 'model', 'metric')))", R"(CHECK (kind='metric' OR [kind]  IN ('model','question')))");
    rewrite_schema("card", R"("archived" BOOLEAN NOT NULL DEFAULT FALSE)", R"("archived" boolean not null default (0))");
    rewrite_schema("card", R"("name" TEXT)", R"("name" VARCHAR)");
  } else {
    by_hand("ALTER TABLE card DROP CONSTRAINT c_card_kind; ALTER TABLE card ADD CHECK (kind = 'metric' OR kind = 'model' OR kind = 'question')");
    by_hand("ALTER TABLE card ALTER COLUMN name TYPE varchar; ALTER TABLE card ALTER COLUMN view_count SET DEFAULT '0'::text::bigint");
    by_hand("ALTER TABLE card RENAME CONSTRAINT f_card_collection_id TO theirs");
  }
  EXPECT_EQ(told(found()), "");
}

TEST_P(Drifts, what_somebody_added_is_information_unless_it_stops_basalt) {
  bring_to(1);
  fill();
  by_hand("CREATE TABLE notes (x INTEGER); CREATE INDEX extra ON card (name, kind); CREATE VIEW people AS SELECT email FROM person; ALTER TABLE snippet ADD COLUMN remark TEXT; CREATE UNIQUE INDEX strict ON person (first_name, last_name)");
  by_hand(GetParam() == Engine::Sqlite ? "CREATE TRIGGER watch AFTER INSERT ON card BEGIN SELECT 1; END"
                                       : "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER watch AFTER INSERT ON card FOR EACH ROW EXECUTE FUNCTION nothing(); ALTER TABLE card ADD CONSTRAINT own CHECK (name <> 'forbidden')");
  auto all = found();
  EXPECT_FALSE(any_blocks(all)) << told(all);
  for (auto* object : {"table notes", "index extra", "view people", "column snippet.remark", "index strict", "trigger watch"}) {
    auto* one = about(all, object);
    ASSERT_TRUE(one) << object << "\n" << told(all);
    EXPECT_EQ(one->kind, Drift::Kind::Extra);
    EXPECT_EQ(one->repair, "");
  }
  EXPECT_EQ(all.size(), GetParam() == Engine::Sqlite ? 6u : 7u) << told(all);
  EXPECT_NO_THROW(require_no_missing(all));

  // A repair of the same table keeps them, and what is in them.
  by_hand("UPDATE card SET name = 'kept'; ALTER TABLE card ADD COLUMN theirs TEXT DEFAULT 'x'; ALTER TABLE card DROP COLUMN description");
  expect_found_and_repaired("column card.description", Drift::Kind::Missing);
  all = found();
  EXPECT_TRUE(about(all, "index extra")) << told(all);
  EXPECT_TRUE(about(all, "trigger watch")) << told(all);
  EXPECT_EQ(store->read([](Connection& c) { return c.count("SELECT count(*) FROM card WHERE name = 'kept' AND theirs = 'x'"); }), 2);

  by_hand(GetParam() == Engine::Sqlite ? "DELETE FROM bookmark; DROP TABLE bookmark; CREATE TABLE bookmark (id INTEGER PRIMARY KEY AUTOINCREMENT, must TEXT NOT NULL)" : "ALTER TABLE bookmark ADD COLUMN must text NOT NULL");
  expect_found_and_repaired("column bookmark.must", Drift::Kind::Different);
}

TEST_P(Drifts, what_only_a_backup_brings_back_has_no_repair) {
  bring_to(1);
  fill();
  by_hand(GetParam() == Engine::Sqlite ? "DROP INDEX i_card_creator_id; ALTER TABLE card RENAME COLUMN creator_id TO maker" : "ALTER TABLE card DROP COLUMN creator_id");
  auto all = found();
  auto* one = about(all, "column card.creator_id");
  ASSERT_TRUE(one) << told(all);
  EXPECT_EQ(one->repair, "") << "nobody can know who made these cards";
  EXPECT_NE(one->sentence.find("backup"), std::string::npos);
}

TEST_P(Drifts, preflight_says_in_one_sentence_what_is_missing) {
  bring_to(1);
  auto ask = [&] { store->read([](Connection& c) { require_no_missing(c, read_ledger(c)); }); };
  EXPECT_NO_THROW(ask());
  by_hand("DROP INDEX \"i_card_collection_id\"; DROP INDEX \"u_snippet_name\"");
  try {
    ask();
    FAIL() << "went on";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.kind(), FailureKind::Conflict);
    EXPECT_EQ(failure.error_type(), "drift");
    EXPECT_NE(failure.sentence().find("And 1 more."), std::string::npos) << failure.sentence();
  }
}

// Any one property of any table, changed by making the table anew; what refers to it comes along.
TEST_P(Drifts, any_change_of_any_table_is_found_and_repaired) {
  bring_to(2);
  std::mt19937 random(20261123);
  auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  auto structure = store->read([](Connection& c) { return read_ledger(c).structure; });
  std::vector<Table> candidates;
  for (auto& t : structure.tables) if (!t.name.starts_with("upgrade_") && !t.held) candidates.push_back(t);
  std::map<std::string, int> tried;
  for (int round = 0; round < 60; ++round) {
    Table changed = candidates[below(candidates.size())];
    auto& column = changed.columns[below(changed.columns.size())];
    std::string what;
    switch (below(9)) {
      case 0: what = "not null"; column.not_null = !column.not_null; break;
      case 1:
        what = "default";
        if (!column.preset) continue;
        column.preset.reset();
        break;
      case 2:
        what = "type";
        if (!column.target.empty() || !column.allowed.empty() || column.longest || column.preset) continue;
        column.type = column.type == migrations::Type::Real ? migrations::Type::Text : migrations::Type::Real;
        // An index on it may not take another type's stand-in for null.
        changed.uniques.clear();
        break;
      case 3:
        what = "check";
        if (column.allowed.empty()) continue;
        column.allowed.pop_back();
        break;
      case 4:
        what = "no check";
        if (migrations::check_sql(column).empty()) continue;
        column.allowed.clear();
        column.longest.reset();
        break;
      case 5:
        what = "reference";
        if (column.target.empty()) continue;
        column.on_delete = column.on_delete == migrations::OnDelete::Restrict ? migrations::OnDelete::Cascade : migrations::OnDelete::Restrict;
        break;
      case 6:
        what = "no reference";
        if (column.target.empty()) continue;
        column.target.clear();
        break;
      case 7:
        what = "unique";
        if (changed.uniques.empty()) continue;
        changed.uniques.pop_back();
        break;
      default:
        what = "index";
        if (changed.indexes.empty()) continue;
        changed.indexes.pop_back();
    }
    ++tried[what];
    std::string script = GetParam() == Engine::Sqlite ? "DROP TABLE \"" + changed.name + "\"" : "DROP TABLE \"" + changed.name + "\" CASCADE";
    script += ";" + migrations::create_table_sql(GetParam(), changed);
    for (auto& sql : migrations::index_sqls(changed)) script += ";" + sql;
    by_hand(script);
    auto all = found();
    bool seen = std::any_of(all.begin(), all.end(), [&](auto& one) { return one.blocks() && one.object.find(changed.name) != std::string::npos; });
    ASSERT_TRUE(seen) << what << " of " << changed.name << "." << column.name << "\n" << told(all);
    for (auto& sql : repairs(all)) by_hand(sql);
    ASSERT_EQ(told(found()), "") << what << " of " << changed.name << "." << column.name;
  }
  EXPECT_GE(tried.size(), 7u);
}

INSTANTIATE_TEST_SUITE_P(BothEngines, Drifts, testing::Values(Engine::Sqlite, Engine::Postgres), [](auto& info) { return std::string(info.param == Engine::Sqlite ? "Sqlite" : "Postgres"); });

}  // namespace
}  // namespace basalt::upgrade
