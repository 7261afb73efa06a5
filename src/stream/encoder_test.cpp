#include "stream/encoder.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "stream/text.h"

namespace basalt::stream {
namespace {

using rows::Kind;

struct Made {
  std::vector<rows::Column> columns;
  rows::Batch batch;
  std::vector<OutputColumn> outputs;
};

// One row with one column of each given kind and value.
Made row_of(std::vector<std::pair<Kind, std::string>> values) {
  Made made;
  for (auto& [kind, value] : values) {
    made.columns.push_back({"c", kind, "", ""});
    auto& column = made.batch.columns.emplace_back(kind);
    if (kind == Kind::Integer || kind == Kind::Boolean) column.append_integer(std::stoll(value));
    else if (kind == Kind::Real) column.append_real(std::stod(value));
    else column.append_text(value);
    made.outputs.push_back({.title = "Title " + std::to_string(made.outputs.size()), .source = made.outputs.size()});
  }
  return made;
}

std::string encoded(std::unique_ptr<Encoder> encoder, const Made& made) {
  std::string out;
  encoder->begin(out);
  encoder->append(out, made.batch, made.batch.rows());
  encoder->end(out);
  return out;
}

TEST(ApiRows, WritesEveryKind) {
  auto made = row_of({{Kind::Integer, "-7"}, {Kind::Real, "0.1"}, {Kind::Decimal, "12.50"}, {Kind::Boolean, "1"}, {Kind::Text, "a\"b"},
                      {Kind::Date, "2024-05-17"}, {Kind::Time, "08:30:00"}, {Kind::Timestamp, "2024-05-17T08:30:00.389"},
                      {Kind::TimestampTz, "2024-05-17T08:30:00+02:00"}, {Kind::Bytes, "00ff"}, {Kind::Json, "{\"a\":1}"}});
  EXPECT_EQ(encoded(api_rows(made.outputs, {}), made),
            R"([-7,0.1,12.50,true,"a\"b","2024-05-17T00:00:00Z","08:30:00Z","2024-05-17T08:30:00.389Z","2024-05-17T08:30:00+02:00","00ff","{\"a\":1}"])");
}

TEST(ApiRows, FollowTheZoneOfTheResults) {
  auto made = row_of({{Kind::Date, "2024-01-17"}, {Kind::Timestamp, "2024-07-17T08:30:00"}, {Kind::Date, "infinity"}, {Kind::Date, "0044-03-15 BC"}});
  EXPECT_EQ(encoded(api_rows(made.outputs, {.zone = TimeZone::find("America/Los_Angeles")}), made),
            R"(["2024-01-17T00:00:00-08:00","2024-07-17T08:30:00-07:00","infinity","0044-03-15 BC"])");
}

TEST(ApiRows, WriteIntegersThatBrowsersCannotHoldAsTexts) {
  auto made = row_of({{Kind::Integer, "9007199254740991"}, {Kind::Integer, "9007199254740992"}, {Kind::Integer, "-9007199254740992"},
                      {Kind::Decimal, "9007199254740993"}, {Kind::Decimal, "170141183460469231731687303715884105727"}, {Kind::Decimal, "9007199254740993.5"}});
  EXPECT_EQ(encoded(api_rows(made.outputs, {.integers_as_text = true}), made),
            R"([9007199254740991,"9007199254740992","-9007199254740992","9007199254740993","170141183460469231731687303715884105727",9007199254740993.5])");
  EXPECT_EQ(encoded(api_rows(made.outputs, {}), made).find('"'), std::string::npos);
}

TEST(ApiRows, WriteWhatIsNoNumberAsNull) {
  auto made = row_of({{Kind::Decimal, "NaN"}, {Kind::Decimal, "-Infinity"}, {Kind::Real, "nan"}, {Kind::Real, "inf"}, {Kind::Decimal, ""}, {Kind::Decimal, "1e400"}});
  EXPECT_EQ(encoded(api_rows(made.outputs, {}), made), "[null,null,null,null,null,1e400]");
}

TEST(ApiRows, ShowLabelsInPlaceOfValues) {
  auto made = row_of({{Kind::Integer, "2"}, {Kind::Text, "x"}});
  auto labels = std::make_shared<Labels>(Labels{{"2", "two"}});
  made.outputs.push_back({.title = "Label", .source = 0, .labels = labels});
  made.outputs.push_back({.title = "None", .source = 1, .labels = labels});
  EXPECT_EQ(encoded(api_rows(made.outputs, {}), made), R"([2,"x","two",null])");
}

TEST(ApiRows, FollowVectorsWhoseKindChanges) {
  std::string out;
  auto first = row_of({{Kind::Integer, "1"}}), second = row_of({{Kind::Text, "two"}});
  auto encoder = api_rows(first.outputs, {});
  encoder->append(out, first.batch, 1);
  encoder->append(out, second.batch, 1);
  EXPECT_EQ(out, R"([1],["two"])");
}

TEST(Csv, QuotesWhatHasToBe) {
  auto made = row_of({{Kind::Text, "plain"}, {Kind::Text, "a,b"}, {Kind::Text, "say \"hi\""}, {Kind::Text, "two\nlines"}, {Kind::Integer, "7"}, {Kind::Real, "2"},
                      {Kind::Date, "2024-05-17"}, {Kind::Text, "\xff grün"}});
  made.outputs[1].title = "A, B";
  EXPECT_EQ(encoded(csv(made.outputs, {.byte_order_mark = true}), made),
            "\xEF\xBB\xBFTitle 0,\"A, B\",Title 2,Title 3,Title 4,Title 5,Title 6,Title 7\n"
            "plain,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",7,2,2024-05-17,\xEF\xBF\xBD grün\n");
}

TEST(Csv, WritesNullAsNothing) {
  rows::Batch batch;
  for (auto kind : {Kind::Integer, Kind::Text}) batch.columns.emplace_back(kind).append_null();
  std::string out;
  csv({{.title = "a", .source = 0}, {.title = "b", .source = 1}}, {})->append(out, batch, 1);
  EXPECT_EQ(out, ",\n");
}

TEST(JsonObjects, AreValidJsonWithAndWithoutRows) {
  auto made = row_of({{Kind::Integer, "1"}, {Kind::Timestamp, "2024-05-17T08:30:00"}});
  EXPECT_EQ(json::write(json::parse(encoded(json_objects(made.outputs, {}), made))), R"([{"Title 0":1,"Title 1":"2024-05-17T08:30:00"}])");
  made.batch.columns.clear();
  EXPECT_EQ(json::write(json::parse(encoded(json_objects(made.outputs, {}), made))), "[]");
}

// Texts of every length and byte at every place: the fast path must see what the slow one sees.
TEST(Text, FastPathsMissNothing) {
  for (std::size_t length = 0; length < 40; ++length) {
    for (std::size_t place = 0; place < length; ++place) {
      for (int byte : {0x00, 0x1f, int{'"'}, int{'\\'}, 0x7f, 0x80, 0xc3, 0xff, int{','}, int{'\n'}, int{'\r'}, int{'x'}}) {
        std::string text(length, 'a');
        text[place] = static_cast<char>(byte);
        std::string fast, slow;
        append_json_text(fast, text);
        json::write_string(slow, text);
        ASSERT_EQ(fast, slow) << length << " " << place << " " << byte;
        std::string field;
        append_csv_text(field, text);
        bool quoted = byte == '"' || byte == ',' || byte == '\n' || byte == '\r';
        ASSERT_EQ(field.front() == '"' && field.size() > length, quoted) << length << " " << place << " " << byte;
        ASSERT_EQ(field.find("\xEF\xBF\xBD") != std::string::npos, byte >= 0x80);
      }
    }
  }
}

}  // namespace
}  // namespace basalt::stream
