#include "base/time.h"

#include <gtest/gtest.h>

namespace basalt {
namespace {

TEST(Time, has_one_text_form) {
  auto at = parse_timestamp("2024-06-19T11:49:38.313316Z");
  ASSERT_TRUE(at);
  EXPECT_EQ(to_text(*at), "2024-06-19T11:49:38.313316Z");
}

TEST(Time, reads_what_engines_and_clients_send) {
  for (auto text : {"2024-06-19 13:49:38.313316+02", "2024-06-19T13:49:38.313316+02:00", "2024-06-19T09:19:38.313316-0230", "2024-06-19 11:49:38.313316"}) {
    auto at = parse_timestamp(text);
    ASSERT_TRUE(at) << text;
    EXPECT_EQ(to_text(*at), "2024-06-19T11:49:38.313316Z") << text;
  }
  EXPECT_EQ(to_text(*parse_timestamp("2024-02-29")), "2024-02-29T00:00:00.000000Z");
}

TEST(Time, refuses_what_is_no_instant) {
  for (auto text : {"", "2023-02-29", "2024-13-01", "2024-06-19X10:00", "2024-06-19T10", "2024-06-19T10:00:00+", "2024-06-19T10:00:00."}) EXPECT_FALSE(parse_timestamp(text)) << text;
}

}  // namespace
}  // namespace basalt
