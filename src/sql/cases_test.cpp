// Golden cases: query in, columns and SQL of every dialect out.
#include <gtest/gtest.h>

#include "../../tests/runner/cases.h"

namespace basalt::sql {
namespace {

std::string describe(const std::vector<query::ResultColumn>& columns) {
  std::string text;
  for (auto& c : columns) {
    if (!text.empty()) text += '\n';
    text += c.name + " | " + c.display_name + " | " + c.effective_type + " | " + c.semantic_type.value_or("-") + " | " + c.source;
  }
  return text;
}

class QueryCase : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(QueryCase, compiles_to_the_text_of_each_dialect) {
  auto c = cases::Case::read(GetParam());
  std::map<std::string, std::string> texts;
  std::string columns, error;
  for (auto& engine : cases::engines()) {
    auto catalog = cases::catalog(engine);
    try {
      auto ready = cases::prepare(c, catalog);
      columns = describe(ready.resolved.columns);
      texts[engine] = show(compile(ready.resolved, *find_dialect(engine), {CompileOptions::Layout::Lines}).statement, *find_dialect(engine));
    } catch (const Failure& failure) {
      if (failure.kind() == FailureKind::Unsupported && failure.place().empty()) texts[engine] = "-- refused: " + failure.sentence();
      else error = failure.sentence() + (failure.place().empty() ? "" : "\nat " + failure.place());
    }
  }
  if (cases::rewriting()) {
    c.blocks.erase("error");
    c.blocks.erase("columns");
    if (!error.empty()) c.blocks["error"] = error;
    else {
      if (!columns.empty()) c.blocks["columns"] = columns;
      c.set("sql", texts);
    }
    c.write();
    return;
  }
  if (auto refused = c.blocks.find("error"); refused != c.blocks.end()) {
    EXPECT_EQ(error, refused->second);
    return;
  }
  ASSERT_EQ(error, "");
  auto shown = c.blocks.find("columns");
  EXPECT_EQ(columns, shown == c.blocks.end() ? "" : shown->second);
  for (auto& engine : cases::engines()) {
    auto* wanted = c.block("sql", engine);
    ASSERT_TRUE(wanted) << "the case has neither `sql` nor `error`";
    EXPECT_EQ(texts[engine], *wanted) << engine;
  }
}

// Each form of the query language says the same, also when it has come from the other one.
TEST_P(QueryCase, means_the_same_in_both_forms) {
  auto c = cases::Case::read(GetParam());
  if (c.blocks.contains("error")) return;
  auto text = [&](std::optional<query::Form> form) {
    auto catalog = cases::catalog("postgres");
    auto ready = cases::prepare(c, catalog, form);
    return show(compile(ready.resolved, postgres()).statement, postgres()) + "\n" + describe(ready.resolved.columns);
  };
  auto wanted = text({});
  EXPECT_EQ(text(query::Form::Mbql5), wanted);
  EXPECT_EQ(text(query::Form::Mbql4), wanted);
  // There and back again is the same text.
  json::object whole = cases::whole_query(c);
  auto five = query::convert_query(whole, query::Form::Mbql5), four = query::convert_query(whole, query::Form::Mbql4);
  EXPECT_EQ(json::write(query::convert_query(query::convert_query(five, query::Form::Mbql4), query::Form::Mbql5)), json::write(five));
  EXPECT_EQ(json::write(query::convert_query(query::convert_query(four, query::Form::Mbql5), query::Form::Mbql4)), json::write(four));
}

INSTANTIATE_TEST_SUITE_P(Golden, QueryCase, ::testing::ValuesIn(cases::all_cases()), [](const auto& info) { return info.param.stem().string(); });

}  // namespace
}  // namespace basalt::sql
