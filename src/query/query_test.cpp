#include <gtest/gtest.h>

#include "base/failure.h"
#include "query/moments.h"
#include "query/parse.h"
#include "query/passes/passes.h"
#include "query/template.h"
#include "query/testing.h"
#include "query/uses.h"
#include "query/write.h"

namespace basalt::query {
namespace {

const json::value schema = json::parse(R"({"database": {"id": 1, "name": "d", "engine": "postgres"}, "tables": [
  {"id": 1, "name": "a", "fields": [{"id": 1, "name": "id", "base_type": "type/Integer", "semantic_type": "type/PK"},
    {"id": 2, "name": "b_id", "base_type": "type/Integer", "semantic_type": "type/FK", "fk_target": 4}]},
  {"id": 2, "name": "b", "fields": [{"id": 4, "name": "id", "base_type": "type/Integer", "semantic_type": "type/PK"},
    {"id": 5, "name": "title", "base_type": "type/Text"}]}],
  "cards": [{"id": 1, "name": "c", "dataset_query": {"database": 1, "type": "query", "query": {"source-table": 2}}}]})");

Failure refused(const std::string& text) {
  try {
    parse_query(json::parse(text));
  } catch (const Failure& failure) {
    return failure;
  }
  ADD_FAILURE() << "accepted: " << text;
  return Failure(FailureKind::Bug, "");
}

TEST(Parse, names_the_place_of_what_is_wrong) {
  struct { const char* query; const char* place; } cases[] = {
      {R"({"database": 1, "type": "query", "query": {"source-table": 1, "filter": ["and", ["=", ["field", 1, null], 1], ["huh", 1]]}})", "query.filter[2]"},
      {R"({"database": 1, "type": "query", "query": {"source-table": 1, "limit": -1}})", "query.limit"},
      {R"({"database": 1, "type": "query", "query": {"source-table": 1, "joins": [{"source-table": 2}]}})", "query.joins[0]"},
      {R"({"lib/type": "mbql/query", "database": 1, "stages": [{"lib/type": "mbql.stage/mbql"}]})", "stages[0]"},
  };
  for (auto& c : cases) {
    auto failure = refused(c.query);
    EXPECT_EQ(failure.place(), c.place) << failure.sentence();
    EXPECT_EQ(failure.error_type(), "invalid-query");
  }
}

TEST(Parse, refuses_what_is_no_query) {
  for (auto* text : {"[]", "1", "{}", R"({"database": "x"})", R"({"database": 1, "type": "query"})", R"({"database": 1, "type": "soup", "query": {}})",
                     R"({"database": 1, "native": {"query": 7}})", R"({"database": 1, "query": {"source-table": "card__x"}})"})
    EXPECT_EQ(refused(text).kind(), FailureKind::BadRequest);
}

TEST(Parse, refuses_nesting_without_end) {
  std::string filter = R"(["field", 1, null])";
  for (int i = 0; i < 90; ++i) filter = R"(["-", )" + filter + ", 1]";
  std::string deep = R"({"database": 1, "query": {"source-table": 1, "filter": [">", )" + filter + ", 1]}}";
  EXPECT_NO_THROW(parse_query(json::parse(deep)));
  for (int i = 0; i < 60; ++i) filter = R"(["-", )" + filter + ", 1]";
  deep = R"({"database": 1, "query": {"source-table": 1, "filter": [">", )" + filter + ", 1]}}";
  EXPECT_EQ(refused(deep).sentence(), "The query is nested too deeply.");
}

TEST(Resolve, refuses_expressions_that_multiply) {
  json::object expressions{{"e0", json::array{"+", json::array{"field", 1, nullptr}, 1}}};
  for (int i = 1; i < 30; ++i) {
    json::array before{"expression", "e" + std::to_string(i - 1)};
    expressions["e" + std::to_string(i)] = json::array{"+", before, before};
  }
  json::object query{{"database", 1}, {"query", json::object{{"source-table", 1}, {"expressions", expressions}}}};
  JsonCatalog catalog(schema);
  EXPECT_THROW(resolve(parse_query(query), catalog, {}), Failure);
}

TEST(Resolve, refuses_comparisons_that_double_without_end) {
  json::object inner{{"source-table", 1}};
  for (int i = 0; i < 12; ++i) {
    auto date = json::array{"field", 3, nullptr};
    auto by = json::array{"field", 3, json::object{{"temporal-unit", "month"}}};
    json::object next{{"aggregation", json::array{json::array{"count"}}}, {"breakout", json::array{by}}, {"compare", json::object{{"field", date}, {"unit", "month"}}}};
    if (i == 0) next["source-table"] = 1;
    else next["source-query"] = inner;
    inner = next;
  }
  JsonCatalog catalog(schema);
  try {
    resolve(parse_query(json::object{{"database", 1}, {"query", inner}}), catalog, {});
    ADD_FAILURE() << "accepted";
  } catch (const Failure& failure) {
    EXPECT_NE(failure.sentence().find("at most 4 times"), std::string::npos) << failure.sentence();
  }
}

std::string sentence_of(const json::value& inner, const json::value& document = schema) {
  JsonCatalog catalog(document);
  try {
    auto query = parse_query(json::object{{"database", 1}, {"query", inner}});
    uses(query, catalog);
    resolve(query, catalog, {});
  } catch (const Failure& failure) {
    return failure.sentence();
  }
  return "";
}

TEST(Resolve, refuses_clauses_that_double_what_they_are_about) {
  struct { const char* before; const char* after; } ways[] = {
      {R"(["not", ["between", )", ", 1, 2]]"},
      {R"(["not", ["starts-with", )", R"(, "a"]])"},
      {R"(["not", ["ends-with", )", R"(, "a"]])"},
      {R"(["is-empty", ["case", [[)", R"(, "a"]]]])"},
  };
  for (auto& way : ways) {
    std::string clause = R"(["=", ["field", 5, null], "x"])";
    for (int i = 0; i < 30; ++i) clause = way.before + clause + way.after;
    auto sentence = sentence_of(json::parse(R"({"source-table": 2, "filter": )" + clause + "}"));
    EXPECT_NE(sentence.find("too large"), std::string::npos) << way.before << ": " << sentence;
  }
  EXPECT_EQ(sentence_of(json::parse(R"({"source-table": 2, "filter": ["not", ["starts-with", ["lower", ["field", 5, null]], "a"]]})")), "");
}

TEST(Uses, refuse_segments_and_measures_that_multiply) {
  auto document = schema.as_object();
  json::object segments;
  for (int i = 1; i <= 9; ++i) {
    json::array next{"segment", i + 1};
    json::value filter = i == 9 ? json::parse(R"(["=", ["field", 4, null], 1])") : json::value(json::array{"and", next, next, next});
    segments[std::to_string(i)] = json::object{{"source-table", 2}, {"filter", filter}};
  }
  document["segments"] = segments;
  EXPECT_EQ(sentence_of(json::parse(R"({"source-table": 2, "filter": ["segment", 1]})"), document), "The query uses too many segments and measures.");
  EXPECT_EQ(sentence_of(json::parse(R"({"source-table": 2, "filter": ["segment", 7]})"), document), "");
}

TEST(Metrics, a_filter_goes_into_the_aggregation_of_a_period) {
  Expression count{Call{Function::Count}, {}}, filter{Call{Function::NotNull}, {Expression{Literal{1}}}};
  Expression period{Call{Function::InPeriod}, {count, Expression{Literal{1}}, Expression{Literal{0}}}};
  restrict_aggregation(period, filter);
  ASSERT_TRUE(period.is(Function::InPeriod));
  EXPECT_TRUE(period.arguments[0].is(Function::Count));
  ASSERT_EQ(period.arguments[0].arguments.size(), 1u);
  EXPECT_TRUE(period.arguments[0].arguments[0].is(Function::Case));
}

TEST(Convert, keeps_what_stands_beside_the_query_and_the_tags_of_sql) {
  auto given = json::parse(R"({"database": 1, "type": "native", "native": {"query": "select {{x}}", "template-tags": {"x": {"name": "x", "id": "1", "type": "text", "own": [1]}}, "collection": "c"}, "parameters": [{"id": "p"}], "info": {"a": 1}})");
  auto five = convert_query(given, Form::Mbql5);
  EXPECT_EQ(json::write(five.at("stages").at(0).at("template-tags")), json::write(given.at("native").at("template-tags")));
  EXPECT_EQ(json::write(five.at("parameters")), R"([{"id":"p"}])");
  EXPECT_EQ(json::write(convert_query(five, Form::Mbql4).at("native")), json::write(given.at("native")));
  EXPECT_FALSE(five.contains("type"));
}

TEST(Convert, names_aggregations_by_position_and_by_uuid) {
  auto five = convert_query(json::parse(R"({"database": 1, "query": {"source-table": 1, "aggregation": [["count"], ["sum", ["field", 1, null]]], "breakout": [2], "order-by": [["desc", ["aggregation", 1]]]}})"), Form::Mbql5);
  auto& stage = five.at("stages").at(0);
  EXPECT_EQ(stage.at("order-by").at(0).at(2).at(2), stage.at("aggregation").at(1).at(1).at("lib/uuid"));
  EXPECT_EQ(json::write(convert_query(five, Form::Mbql4).at("query").at("order-by")), R"([["desc",["aggregation",1]]])");
}

TEST(Uses, tell_tables_behind_keys_parameters_and_cards) {
  JsonCatalog catalog(schema);
  auto plain = uses(parse_query(json::parse(R"({"database": 1, "query": {"source-table": 1}})")), catalog);
  EXPECT_EQ(plain.tables, (std::vector<TableId>{TableId(1)}));
  EXPECT_FALSE(plain.native);
  auto through = uses(parse_query(json::parse(R"({"database": 1, "query": {"source-table": 1, "breakout": [["field", 5, {"source-field": 2}]]}})")), catalog);
  EXPECT_EQ(through.tables, (std::vector<TableId>{TableId(1), TableId(2)}));
  auto parameters = json::parse(R"([{"type": "id", "value": 1, "target": ["dimension", ["field", 5, {"source-field": 2}]]}])").get_array();
  auto filtered = uses(parse_query(json::parse(R"({"database": 1, "query": {"source-table": 1}})")), catalog, parameters);
  EXPECT_EQ(filtered.tables, (std::vector<TableId>{TableId(1), TableId(2)}));
  auto card = uses(parse_query(json::parse(R"({"database": -1337, "query": {"source-table": "card__1"}})")), catalog);
  EXPECT_EQ(card.database, DatabaseId(1));
  EXPECT_TRUE(card.tables.empty());
  ASSERT_EQ(card.cards.size(), 1u);
  EXPECT_EQ(card.tables_in_cards, (std::vector<TableId>{TableId(2)}));
  auto sql = uses(parse_query(json::parse(R"({"database": 1, "native": {"query": "select * from {{#1}}"}})")), catalog);
  EXPECT_TRUE(sql.native);
  EXPECT_EQ(sql.cards.size(), 1u);
}

TEST(Template, finds_variables_but_not_in_comments) {
  auto pieces = parse_template("a {{ x }} -- {{y}}\n/* {{z}} */ [[ b {{w}} --]] {{{v}}");
  ASSERT_EQ(pieces.size(), 6u);
  EXPECT_EQ(pieces[1].text, "x");
  EXPECT_EQ(pieces[2].text, " -- {{y}}\n/* {{z}} */ ");
  EXPECT_EQ(pieces[3].kind, TemplatePiece::Kind::Optional);
  EXPECT_EQ(pieces[3].inside.back().text, " --");
  EXPECT_EQ(pieces[4].text, " {");
  EXPECT_EQ(pieces[5].text, "v");
}

TEST(Template, refuses_brackets_that_do_not_match) {
  for (auto* sql : {"{{x", "[[ {{x}}", "{{}}", "{{ }}", "[[ x ]]", "{{a {{b}} }}"}) EXPECT_THROW(parse_template(sql), Failure) << sql;
}

TEST(Moments, read_and_truncate) {
  auto at = parse_moment("2024-05-17T08:30:15.250+02:00");
  ASSERT_TRUE(at);
  EXPECT_EQ(date_time_text(at->wall), "2024-05-17 08:30:15.250");
  EXPECT_EQ(*at->offset, std::chrono::hours(2));
  EXPECT_EQ(date_text(truncate(at->wall, TemporalUnit::Week, 6)), "2024-05-12");
  EXPECT_EQ(date_text(truncate(at->wall, TemporalUnit::Week, 0)), "2024-05-13");
  EXPECT_EQ(date_text(truncate(at->wall, TemporalUnit::Quarter, 0)), "2024-04-01");
  EXPECT_EQ(date_text(add(parse_moment("2024-01-31")->wall, 1, TemporalUnit::Month)), "2024-02-29");
  EXPECT_EQ(extract(parse_moment("2024-12-30")->wall, TemporalUnit::WeekOfYearIso, 6), 1);
  for (auto* text : {"", "2024-13-01", "2024-02-30", "24-1-1", "2024-05-17T25:00", "2024-05-17 08:30x", "08:61", "2024-05-17T08:30[Nowhere/Land]"}) EXPECT_FALSE(parse_moment(text)) << text;
}

TEST(Zones, know_their_offsets) {
  auto* berlin = Zone::find("Europe/Berlin");
  ASSERT_TRUE(berlin);
  EXPECT_EQ(berlin->offset_at(*parse_timestamp("2024-03-31T00:59:59Z")), std::chrono::hours(1));
  EXPECT_EQ(berlin->offset_at(*parse_timestamp("2024-03-31T01:00:00Z")), std::chrono::hours(2));
  EXPECT_EQ(berlin->offset_at(*parse_timestamp("2051-07-01T00:00:00Z")), std::chrono::hours(2));
  EXPECT_EQ(to_text(berlin->instant(parse_moment("2024-07-01 00:00:00")->wall)), "2024-06-30T22:00:00.000000Z");
  EXPECT_FALSE(Zone::find("../../etc/passwd"));
  EXPECT_FALSE(Zone::find("Mars/Olympus"));
}

}  // namespace
}  // namespace basalt::query
