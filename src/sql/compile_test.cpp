#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "base/failure.h"
#include "../../tests/runner/cases.h"

namespace basalt::sql {
namespace {

Compiled compiled(const std::string& query, const Dialect& dialect) {
  auto catalog = cases::catalog(dialect.name);
  json::object whole{{"database", 1}, {"query", cases::with_ids(json::parse(query))}};
  return compile(query::resolve(query::parse_query(whole), catalog, {}), dialect);
}

TEST(Compile, binds_what_people_typed) {
  auto evil = R"({"source-table": "@orders", "aggregation": [["count"]], "filter": ["or", ["=", ["field", "@orders.status", null], "'; drop table orders --"],
                  ["contains", ["field", "@orders.status", null], "\\' or 1=1"], [">", ["field", "@orders.total", null], 41.5]]})";
  for (auto* dialect : dialects()) {
    auto statement = compiled(evil, *dialect).statement;
    EXPECT_EQ(statement.text.find("drop"), std::string::npos);
    EXPECT_EQ(statement.text.find("or 1=1"), std::string::npos);
    EXPECT_EQ(statement.text.find("41.5"), std::string::npos);
    EXPECT_EQ(statement.values.size(), 3u);
  }
}

TEST(Compile, refuses_texts_that_double_at_each_level) {
  std::string inner = R"(["field", "@orders.status", null])";
  for (int i = 0; i < 60; ++i) inner = R"(["subdomain", )" + inner + "]";
  for (auto* dialect : dialects()) {
    try {
      compiled(R"({"source-table": "@orders", "expressions": {"x": )" + inner + "}}", *dialect);
    } catch (const Failure& failure) {
      EXPECT_NE(failure.kind(), FailureKind::Bug);
      if (dialect->name == "postgres") { EXPECT_NE(failure.sentence().find("grows too large"), std::string::npos) << failure.sentence(); }
      continue;
    }
    EXPECT_NE(dialect->name, "postgres") << "accepted";
  }
}

TEST(Compile, gives_one_value_one_number) {
  auto text = R"({"source-table": "@orders", "expressions": {"x": ["+", ["field", "@orders.total", null], 7]}, "breakout": [["expression", "x"]],
                  "aggregation": [["cum-count"]], "filter": [">", ["expression", "x"], 7]})";
  EXPECT_EQ(compiled(text, postgres()).statement.values.size(), 1u);
}

// The promise is 100 µs for a usual query and 1 ms for one of 20 stages in a release build; BASALT_BENCH=1 prints the figures.
// Here only what is out of all proportion fails: builds for tests are slow, and so are busy machines.
TEST(Compile, takes_little_time) {
  auto measure = [](const json::object& whole) {
    auto catalog = cases::catalog("postgres");
    double best = 1e9;
    for (int round = 0; round < 200; ++round) {
      auto began = std::chrono::steady_clock::now();
      auto compiled = compile(query::resolve(query::parse_query(whole), catalog, {}), postgres());
      best = std::min(best, std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - began).count());
      EXPECT_FALSE(compiled.statement.text.empty());
    }
    return best;
  };
  auto usual = cases::with_ids(json::parse(R"({"source-table": "@orders", "joins": [{"source-table": "@products", "alias": "P", "condition": ["=", ["field", "@orders.product_id", null], ["field", "@products.id", {"join-alias": "P"}]]}],
    "filter": ["and", [">", ["field", "@orders.total", null], 10], ["=", ["field", "@orders.status", null], "paid", "shipped"]],
    "breakout": [["field", "@orders.created_at", {"temporal-unit": "month"}], ["field", "@products.category", {"join-alias": "P"}]], "aggregation": [["count"], ["sum", ["field", "@orders.total", null]]]})"));
  json::value stages = cases::with_ids(json::parse(R"({"source-table": "@orders"})"));
  for (int i = 1; i < 20; ++i)
    stages = cases::with_ids(json::object{{"source-query", stages}, {"filter", json::parse(R"([">", ["field", "@orders.total", null], )" + std::to_string(i) + "]")},
                                          {"expressions", json::object{{"e" + std::to_string(i), json::parse(R"(["+", ["field", "@orders.total", null], 1])")}}}});
  auto one = measure({{"database", 1}, {"query", usual}}), twenty = measure({{"database", 1}, {"query", stages}});
  if (std::getenv("BASALT_BENCH")) std::printf("compile: usual query %.1f us, 20 stages %.1f us\n", one, twenty);
  EXPECT_LT(one, 20'000);
  EXPECT_LT(twenty, 200'000);
}

TEST(Show, writes_texts_as_the_engine_reads_them) {
  std::string evil = "\\' OR 1=1 -- ";
  EXPECT_EQ(show({"SELECT ?, ?", {evil, std::string("C:\\new")}}, mysql()), R"(SELECT '\\'' OR 1=1 -- ', 'C:\\new')");
  EXPECT_EQ(show({"SELECT $1, $2", {evil, std::string("C:\\new")}}, postgres()), R"(SELECT '\'' OR 1=1 -- ', 'C:\new')");
}

TEST(Show, finds_placeholders_behind_texts_only) {
  EXPECT_EQ(show({R"(SELECT 'it\'s ?', "a\"?", `?\`, ?)", {std::int64_t(7)}}, mysql()), R"(SELECT 'it\'s ?', "a\"?", `?\`, 7)");
  EXPECT_EQ(show({R"(SELECT '$1\', $1)", {std::int64_t(7)}}, postgres()), R"(SELECT '$1\', 7)");
}

TEST(Dialects, double_quotes_inside_names) {
  std::string out;
  postgres().quote(out, "a\"b; --");
  EXPECT_EQ(out, "\"a\"\"b; --\"");
}

TEST(Dialects, are_all_in_the_list) {
  std::size_t files = 0;
  for (auto& entry : std::filesystem::directory_iterator(std::filesystem::path(BASALT_SOURCE_DIR) / "src/sql/dialects")) {
    auto name = entry.path().stem().string();
    if (entry.path().extension() != ".cpp" || name == "all" || name == "ansi") continue;
    ++files;
    EXPECT_TRUE(find_dialect(name)) << name << " is not in dialects/all.cpp";
  }
  EXPECT_EQ(files, dialects().size());
  EXPECT_FALSE(find_dialect("oracle"));
}

}  // namespace
}  // namespace basalt::sql
