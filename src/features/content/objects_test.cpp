#include "features/content/objects.h"

#include <gtest/gtest.h>

#include "features/content/query_facts.h"

namespace basalt::features {
namespace {

TEST(Slug, LowersLettersAndPercentEncodesTheRest) {
  EXPECT_EQ(slug_of("Sales"), "sales");
  EXPECT_EQ(slug_of("x's Personal Collection"), "x_s_personal_collection");
  EXPECT_EQ(slug_of("Ко"), "%D0%BA%D0%BE");
  EXPECT_EQ(slug_of("Ärzte & Co"), "%C3%A4rzte___co");
}

TEST(Lower, KnowsLatinGreekAndCyrillicAndLeavesBrokenBytesAlone) {
  EXPECT_EQ(lower_utf8("ÀÉÖ ΑΩ ПЯЁ ŁŽ"), "àéö αω пяё łž");
  EXPECT_EQ(lower_utf8("\xC3"), "\xC3");
  EXPECT_EQ(lower_utf8("×"), "×");
}

TEST(LikePattern, EscapesItsOwnSigns) { EXPECT_EQ(contains_pattern("50%_\\"), "%50\\%\\_\\\\%"); }

TEST(EntityId, IsTwentyOneCharacters) {
  EXPECT_TRUE(is_entity_id("iCEt78jHFFT1fqTa28FO_"));
  EXPECT_FALSE(is_entity_id("iCEt78jHFFT1fqTa28FO"));
  EXPECT_FALSE(is_entity_id("iCEt78jHFFT1fqTa28F ;"));
}

TEST(QueryFacts, ReadBothForms) {
  auto legacy = query_facts(json::parse(R"({"database":2,"type":"query","query":{"source-query":{"source-table":7}}})"));
  EXPECT_FALSE(legacy.native);
  EXPECT_EQ(legacy.database, DatabaseId(2));
  EXPECT_EQ(legacy.table, TableId(7));
  auto card = query_facts(json::parse(R"({"database":-1337,"type":"query","query":{"source-table":"card__12"}})"));
  EXPECT_EQ(card.source_card, CardId(12));
  EXPECT_FALSE(card.database);
  auto native = query_facts(json::parse(R"({"lib/type":"mbql/query","database":1,"stages":[{"lib/type":"mbql.stage/native","native":"SELECT 1"}]})"));
  EXPECT_TRUE(native.native);
  auto staged = query_facts(json::parse(R"({"lib/type":"mbql/query","database":1,"stages":[{"lib/type":"mbql.stage/mbql","source-card":5}]})"));
  EXPECT_EQ(staged.source_card, CardId(5));
}

TEST(QueryFacts, RefuseWhatIsNoQuery) {
  for (auto text : {"{}", "[]", "null", R"({"database":1})", R"({"type":"query","query":{}})", R"({"database":1,"type":"native"})", R"({"database":1,"stages":[]})", R"({"database":1,"type":"query","query":5})"})
    EXPECT_THROW(query_facts(json::parse(text)), Failure) << text;
}

TEST(TargetField, FollowsTagsAndNames) {
  auto query = json::parse(R"({"native":{"template-tags":{"when":{"type":"dimension","dimension":["field",9,null]}}}})");
  auto metadata = json::parse(R"([{"name":"CATEGORY","id":4},{"name":"sum"}])");
  EXPECT_EQ(target_field(json::parse(R"(["dimension",["field",7,null]])"), query, metadata), FieldId(7));
  EXPECT_EQ(target_field(json::parse(R"(["dimension",["field",{"base-type":"type/Text"},8]])"), query, metadata), FieldId(8));
  EXPECT_EQ(target_field(json::parse(R"(["dimension",["template-tag","when"]])"), query, metadata), FieldId(9));
  EXPECT_EQ(target_field(json::parse(R"(["dimension",["field","CATEGORY",{"base-type":"type/Text"}]])"), query, metadata), FieldId(4));
  EXPECT_FALSE(target_field(json::parse(R"(["dimension",["field","sum",null]])"), query, metadata));
  EXPECT_FALSE(target_field(json::parse(R"(["variable",["template-tag","x"]])"), query, metadata));
  EXPECT_FALSE(target_field(json::parse("[]"), query, metadata));
}

}  // namespace
}  // namespace basalt::features
