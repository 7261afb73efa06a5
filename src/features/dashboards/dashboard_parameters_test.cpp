#include "features/dashboards/dashboard_parameters.h"

#include <gtest/gtest.h>

#include "base/failure.h"
#include "features/cards/card_queries.h"

namespace basalt::features {
namespace {

const json::array declared = json::parse(R"([
  {"id":"d","name":"Date","slug":"date","type":"date/all-options","default":"past12months"},
  {"id":"c","name":"Category","slug":"category","type":"string/="},
  {"id":"r","name":"Region","slug":"region","type":"string/=","required":true,"default":["EU"]}])").as_array();
const json::array mappings = json::parse(R"([
  {"parameter_id":"d","card_id":5,"target":["dimension",["field",1,null]]},
  {"parameter_id":"c","card_id":5,"target":["dimension",["field",2,null]]},
  {"parameter_id":"c","card_id":6,"target":["dimension",["field",3,null]]}])").as_array();

json::array merged(const char* given, CardId card = CardId(5), const json::array& wired = mappings) {
  return dashcard_parameters(declared, wired, card, json::parse(given).as_array());
}
json::value value_of(const json::array& parameters, std::string_view id) {
  for (auto& parameter : parameters) {
    if (json::text(parameter, "id") == id) return parameter.as_object().at("value");
  }
  return "not there";
}

TEST(DashboardParameters, TakeTheDefaultWhenNotMentioned) {
  auto out = merged("[]");
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(value_of(out, "d"), json::value("past12months"));
  EXPECT_EQ(value_of(out, "c"), json::value(nullptr));
}

TEST(DashboardParameters, NullMeansNoFilter) { EXPECT_EQ(value_of(merged(R"([{"id":"d","value":null}])"), "d"), json::value(nullptr)); }

TEST(DashboardParameters, AimAtTheMappingOfTheCardAndNotAtWhatTheClientSays) {
  auto out = merged(R"([{"id":"c","value":["Garden"],"type":"string/=","target":["dimension",["field",99,null]]}])", CardId(6));
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(json::write(out[0].as_object().at("target")), R"(["dimension",["field",3,null]])");
  EXPECT_EQ(json::write(value_of(out, "c")), R"(["Garden"])");
}

TEST(DashboardParameters, ALaterCardOfASeriesIsUntouchedByMappingsOfTheFirst) { EXPECT_TRUE(merged(R"([{"id":"d","value":"2024-01"}])", CardId(7)).empty()); }

TEST(DashboardParameters, RequiredOnesFallBackOnTheirDefault) {
  auto wired = json::parse(R"([{"parameter_id":"r","card_id":5,"target":["variable",["template-tag","region"]]}])").as_array();
  EXPECT_EQ(json::write(value_of(merged(R"([{"id":"r","value":null}])", CardId(5), wired), "r")), R"(["EU"])");
}

TEST(DashboardParameters, TextTagsAreNoFilters) {
  auto wired = json::parse(R"([{"parameter_id":"c","card_id":null,"target":["text-tag","x"]}])").as_array();
  EXPECT_TRUE(merged(R"([{"id":"c","value":["a"]}])", CardId(5), wired).empty());
}

TEST(DashboardParameters, UnknownOnesAndWrongTypesAreRefused) {
  EXPECT_THROW(merged(R"([{"id":"zzz","value":1}])"), Failure);
  EXPECT_THROW(merged(R"([{"id":"d","value":1,"type":"number/="}])"), Failure);
  EXPECT_THROW(merged(R"([5])"), Failure);
  EXPECT_NO_THROW(merged(R"([{"id":"d","value":"2024-01","type":"date/month-year"}])"));
}

TEST(CardParameters, ComeFromTemplateTagsWhereNoneAreStored) {
  auto query = json::parse(R"({"native":{"template-tags":{"state":{"id":"t1","type":"text","display-name":"State","default":"CA"},"when":{"id":"t2","type":"dimension","widget-type":"date/range"},"s":{"id":"t3","type":"snippet"}}}})");
  auto out = card_parameters({}, query);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(json::write(out[0].as_object().at("target")), R"(["variable",["template-tag","state"]])");
  EXPECT_EQ(json::text(out[1], "type"), "date/range");
  EXPECT_EQ(card_parameters(out, query).size(), 2u);
}

TEST(CardParameters, GivenByIdTakeTypeAndTargetFromTheStoredOne) {
  auto stored = json::parse(R"([{"id":"p","slug":"state","type":"string/=","target":["variable",["template-tag","state"]]}])").as_array();
  auto out = merged_card_parameters(stored, json::parse(R"([{"id":"p","value":"TX"},{"slug":"state","value":"NY"},{"id":"gone","value":1}])").as_array());
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(json::text(out[0], "type"), "string/=");
  EXPECT_EQ(json::write(out[1].as_object().at("target")), R"(["variable",["template-tag","state"]])");
}

}  // namespace
}  // namespace basalt::features
