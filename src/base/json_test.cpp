#include "base/json.h"

#include <gtest/gtest.h>

#include "base/json_fields.h"

namespace basalt {
namespace {

TEST(Json, writes_what_reads_back_to_the_same) {
  for (std::string text : {R"({"a":[1,2.5,-0.1,1e+300,true,null,"x\n\"\\y"],"b":{}})", R"([9223372036854775807,-9223372036854775808])", "\"\\u0001\""})
    EXPECT_EQ(json::write(json::parse(text)), text);
  EXPECT_EQ(json::write(json::value(0.1)), "0.1");
  EXPECT_EQ(json::write(json::value(3.0)), "3.0");
}

TEST(Json, reads_numbers_to_the_last_digit) {
  for (std::string text : {"10111811111111.11811", "0.30000000000000004", "2.2250738585072014e-308", "1.7976931348623157e+308", "123456789012345680.0", "-0.0"}) {
    auto once = json::write(json::parse(text));
    EXPECT_EQ(json::parse(text).as_double(), std::stod(text)) << text;
    EXPECT_EQ(json::write(json::parse(once)), once) << text;
  }
  EXPECT_EQ(json::parse("18446744073709551615").as_uint64(), 18446744073709551615ull);
  EXPECT_FALSE(json::try_parse("[1,"));
  EXPECT_FALSE(json::try_parse("1 2"));
  EXPECT_FALSE(json::try_parse(""));
}

TEST(Json, replaces_invalid_utf8_instead_of_passing_it_on) {
  std::string out;
  json::write_string(out, "a\xff" "b\xc3\xa9\xed\xa0\x80");
  EXPECT_EQ(out, "\"a\xEF\xBF\xBD" "b\xc3\xa9\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(Json, looks_up_in_an_object_itself_and_not_in_a_copy) {
  const json::value body = json::parse(R"({"details":{"engine":"sqlite"},"list":[1,2]})");
  const json::object& object = body.as_object();
  EXPECT_EQ(json::sub_object(object, "details"), &object.at("details").as_object());
  EXPECT_EQ(json::sub_array(object, "list"), &object.at("list").as_array());
  EXPECT_EQ(json::sub_object(object, "list"), nullptr);
}

TEST(Json, says_where_it_is_wrong) {
  try {
    json::parse("{\n  \"a\": nope\n}");
    FAIL() << "accepted";
  } catch (const Failure& failure) {
    EXPECT_NE(failure.sentence().find("line 2"), std::string::npos) << failure.sentence();
  }
  EXPECT_THROW(json::parse("{} {}"), Failure);
  EXPECT_THROW(json::parse(""), Failure);
  EXPECT_THROW(json::parse(std::string(100'000, '[')), Failure);
}

struct Sample {
  std::string name;
  std::int64_t count = 0;
  std::optional<bool> flag;
  Patch<std::string> note;
  static constexpr auto fields() {
    return json_fields(field("name", &Sample::name, not_blank), field("count", &Sample::count, positive), field("flag", &Sample::flag), field("note", &Sample::note));
  }
};

TEST(JsonFields, reads_and_tells_absent_from_null) {
  auto sample = read_fields<Sample>(json::parse(R"({"name":"x","count":3.0,"note":null,"unknown":1})"));
  EXPECT_EQ(sample.name, "x");
  EXPECT_EQ(sample.count, 3);
  EXPECT_FALSE(sample.flag);
  EXPECT_TRUE(sample.note.present);
  EXPECT_FALSE(sample.note.value);
}

TEST(JsonFields, names_every_wrong_field_at_once) {
  try {
    read_fields<Sample>(json::parse(R"({"name":"  ","count":-1,"flag":"maybe"})"));
    FAIL() << "accepted";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.fields().size(), 3u);
    EXPECT_EQ(failure.fields().at("name"), "value must be a non-blank string.");
  }
}

}  // namespace
}  // namespace basalt
