#include <gtest/gtest.h>

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

TEST(Compile, gives_one_value_one_number) {
  auto text = R"({"source-table": "@orders", "expressions": {"x": ["+", ["field", "@orders.total", null], 7]}, "breakout": [["expression", "x"]],
                  "aggregation": [["cum-count"]], "filter": [">", ["expression", "x"], 7]})";
  EXPECT_EQ(compiled(text, postgres()).statement.values.size(), 1u);
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
