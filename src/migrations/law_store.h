// A store with two odd tables full of odd rows, on which the tests of this folder run operations. Header only.
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "appdb/sqlite_connection.h"
#include "appdb/test_stores.h"
#include "migrations/all.h"
#include "migrations/execute.h"

namespace basalt::migrations {

using Random = std::mt19937;

inline int below(Random& random, int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); }

// The seed of a run: printed with every failure, given again with BASALT_LAW_SEED.
inline unsigned law_seed() {
  static const unsigned seed = [] {
    auto* given = std::getenv("BASALT_LAW_SEED");
    return given ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : std::random_device{}() % 1000000;
  }();
  return seed;
}

inline std::string any_text(Random& random) {
  static const std::vector<std::string> texts{"", "a", "Größe 😀", "it's \"quoted\" ?", "name (2)", "12", "-7", "0012", "1e5", std::string(60, 'x'), "tab\there", "99999999999999999999", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 🏳️‍🌈", "9223372036854775807", "back\\slash {\"a\":1}", "-0.0", "\\x41", "NULL"};
  return texts[static_cast<std::size_t>(below(random, static_cast<int>(texts.size())))];
}

inline std::string any_document(Random& random) {
  static const std::vector<std::string> documents{
      "{}", "[]", "null", "not json", "5", R"({"title":"a b","size":3})", R"({"head":{"title":"both"},"title":"there"})", R"({"head":{"title":"only new"}})", R"({"head":{}})", R"({"name":"Ada Lovelace","title":null})",
      R"({"head":7,"title":"x"})", R"({"first":"Ada","last":"L","name":"Bob B"})", R"({"title":{"deep":[1,{"x":null}]}})", R"({ "title" : "blanks" , "n": 1.50 })", R"({"a":1,"a":2,"title":"double key"})",
      R"({"extra":{"k":1},"head":{"title":"t","mode":"plain"}})", R"({"head":{"mode":"fancy"},"big":123456789012345678901234567890})", R"({"first":"x y","last":"z"})", R"({"name":"none"})", R"({"name":" "})", R"({"title":"\\u0000 and \\ud83d\\ude00","n":-0.0})",
      R"({"title":9223372036854775807,"extra":-9223372036854775808,"small":1e-320})", R"({"\\u0074itle":"a key in disguise"})"};
  return documents[static_cast<std::size_t>(below(random, static_cast<int>(documents.size())))];
}

class LawStore {
 public:
  static constexpr const char* now = "2026-01-02T03:04:05.000006Z";

  // Schema 1, and as "migration 2" the tables thing and leaf with 40 rows each.
  void open(appdb::Engine engine, unsigned seed) {
    open_empty(engine);
    fill(seed);
  }

  void open_empty(appdb::Engine engine) {
    stores.emplace(engine);
    store = stores->open();
    if (engine == appdb::Engine::Sqlite) connection = std::make_unique<appdb::SqliteConnection>(stores->options().sqlite_path, appdb::SqliteOpening{.foreign_keys = false});
    else connection = store->connect();
    run(m0001_first_schema().operations, 1, Direction::Up);
    first = structure;
  }

  // Back to schema 1, for the next law on the same store.
  void empty() {
    allow_orphans = false;
    connection->execute_script("BEGIN");
    std::vector<std::string> gone;
    auto sql = connection->engine() == appdb::Engine::Sqlite ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'" : "SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()";
    connection->each(sql, {}, [&](const appdb::Row& row) { if (!first.table(row.text("name"))) gone.push_back(row.text("name")); });
    for (auto& name : gone) connection->execute_script("DROP TABLE " + appdb::quoted(name) + (connection->engine() == appdb::Engine::Sqlite ? "" : " CASCADE"));
    for (auto& name : {"upgrade_park", "upgrade_hold", "upgrade_backfill"}) connection->execute_script("DELETE FROM " + std::string(name));
    connection->execute_script("COMMIT");
    structure = first;
  }

  void fill(unsigned seed) {
    random.seed(seed);
    Schema base;
    base.create_table(table("thing", {text("name").required().unique(), integer("n"), text("label").at_most(60), integer("small").between(0, 9), text("kind").required().by_default("a").one_of({"a", "b"}), json_document("document"),
                                      reference("parent_id", "thing").set_null(), real("mass"), time("seen_at")}));
    base.create_table(table("leaf", {reference("thing").cascade(), text("value").required(), text("level").required().by_default("no")}).unique({"thing_id", "value"}));
    run(std::move(base).operations(), 2, Direction::Up);
    for (int i = 1; i <= 40; ++i) {
      connection->insert("thing", {{"name", "thing " + std::to_string(i)}, {"n", i % 5 == 0 ? appdb::Parameter(nullptr) : appdb::Parameter(std::int64_t{i} * (i % 7 == 0 ? 900719925474099 : 1) * (i % 2 ? 1 : -1))},
                                   {"label", i % 4 == 0 ? appdb::Parameter(nullptr) : appdb::Parameter(first_of(any_text(random), 40))}, {"small", i % 10}, {"kind", i % 2 ? "a" : "b"}, {"document", any_document(random)},
                                   {"parent_id", i > 3 ? appdb::Parameter(i - 3) : appdb::Parameter(nullptr)}, {"mass", i * 0.1}, {"seen_at", i % 3 ? appdb::Parameter(now) : appdb::Parameter(nullptr)}});
      connection->insert("leaf", {{"thing_id", i % 3 ? appdb::Parameter(i) : appdb::Parameter(nullptr)}, {"value", "v" + std::to_string(i)}, {"level", i % 2 ? "no" : "all"}});
    }
    connection->execute("DELETE FROM thing WHERE id = 40");
    connection->execute("UPDATE leaf SET thing_id = NULL WHERE thing_id = 40");
  }

  // What nobody should find in a database and everybody does.
  void soil() {
    bool sqlite = connection->engine() == appdb::Engine::Sqlite;
    auto any = [&] { return 1 + below(random, 39); };
    auto set = [&](const std::string& column, const appdb::Parameter& value) { connection->execute("UPDATE thing SET " + column + " = ? WHERE id = ?", {value, any()}); };
    for (auto n : {INT64_MAX, INT64_MIN, std::int64_t{9007199254740993}}) set("n", n);
    for (auto d : {-0.0, 5e-324, 1.7976931348623157e308, HUGE_VAL, -HUGE_VAL, 0.1 + 0.2}) set("mass", d);
    for (auto at : {"9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00.000001Z", "2026-02-28T23:59:59.000001Z"}) set("seen_at", at);
    set("label", "same");
    set("label", "same");
    set("label", "same (2)");
    connection->execute("UPDATE thing SET document = ? WHERE id = ?", {R"({"title":")" + std::string(300, 'y') + R"("})", any()});
    if (sqlite) {
      // PostgreSQL has no NUL in a text, and no text that is not UTF-8.
      set("label", std::string("nul\0inside", 10));
      set("document", std::string("{\"title\":\"a\0b\"}", 15));
      set("label", "\xff\xfe broken");
    }
    // Somebody's own column and index, and references to what is not there.
    connection->execute_script("ALTER TABLE thing ADD COLUMN \"Their own\" varchar(20); CREATE INDEX their_index ON thing (n); CREATE INDEX their_other ON leaf (level)");
    connection->execute("UPDATE thing SET \"Their own\" = 'theirs ' || id");
    // PostgreSQL never lets go of its references.
    if (sqlite) {
      connection->execute("UPDATE thing SET parent_id = 4711 WHERE id = ?", {any()});
      connection->execute("UPDATE leaf SET thing_id = 4712 WHERE id = ?", {any()});
      allow_orphans = true;
    }
  }

  // 2 MB, and as deep as it may be.
  void soil_with_huge_documents() {
    json::array items;
    for (int i = 0; i < 40000; ++i) items.emplace_back(json::object{{"title", "item " + std::to_string(i)}, {"value", i * 0.5}});
    connection->execute("UPDATE thing SET document = ? WHERE id = 2", {json::write(json::object{{"title", "huge"}, {"items", std::move(items)}})});
    std::string deep;
    for (int i = 0; i < 200; ++i) deep += R"({"head":)";
    deep += "1" + std::string(200, '}');
    connection->execute("UPDATE thing SET document = ? WHERE id = 4", {deep});
  }

  static std::string first_of(const std::string& text, std::size_t bytes) {
    auto end = std::min(bytes, text.size());
    while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return text.substr(0, end);
  }

  // One operation inside an open transaction; down through its JSON form, which is what the stored way back does.
  Counters run_one(const Operation& raw, int migration, int number, Direction direction) {
    Executor executor(*connection, structure, migration, 0, now);
    auto operation = direction == Direction::Up ? prepare(raw, structure) : operation_from_json(json::parse(json::write(to_json(raw))));
    executor.run(operation, number, direction);
    auto there = probe(*connection, operation, migration, number);
    EXPECT_EQ(there.value_or(direction == Direction::Up), direction == Direction::Up) << describe(operation);
    return executor.counters();
  }

  // All of them in a transaction of their own.
  Counters run(const std::vector<Operation>& operations, int migration, Direction direction) {
    Counters sum;
    connection->execute_script("BEGIN");
    for (std::size_t i = 0; i < operations.size(); ++i) {
      auto at = direction == Direction::Up ? i : operations.size() - 1 - i;
      auto one = run_one(operations[at], migration, static_cast<int>(at), direction);
      sum.parked += one.parked;
      sum.returned += one.returned;
      sum.superseded += one.superseded;
      sum.orphaned += one.orphaned;
    }
    EXPECT_FALSE(connection->engine() == appdb::Engine::Sqlite && !allow_orphans && connection->query_one("PRAGMA foreign_key_check"));
    connection->execute_script("COMMIT");
    return sum;
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
      for (auto& n : names) columns += (columns.empty() ? "" : ", ") + appdb::quoted(n);
      connection->each("SELECT " + columns + " FROM " + appdb::quoted(t.name), {}, [&](const appdb::Row& row) {
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

  // What the tables are, whatever their order and that of their rules and indexes; holds only with `holds`.
  static std::map<std::string, std::string> shape(Structure s, bool holds = false) {
    std::map<std::string, std::string> out;
    auto by_columns = [](auto& a, auto& b) { return a.columns < b.columns; };
    for (auto& t : s.tables) {
      if (t.held && !holds) continue;
      std::sort(t.uniques.begin(), t.uniques.end(), by_columns);
      std::sort(t.indexes.begin(), t.indexes.end(), by_columns);
      out[t.name] = json::write(to_json(t));
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

  std::optional<appdb::TestStores> stores;
  std::unique_ptr<appdb::Store> store;
  std::unique_ptr<appdb::Connection> connection;
  Structure structure, first;
  Random random;
  bool allow_orphans = false;  // the rows were dirty to begin with
};

}  // namespace basalt::migrations
