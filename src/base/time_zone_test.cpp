#include "base/time_zone.h"

#include <gtest/gtest.h>

namespace basalt {
namespace {

constexpr std::int64_t winter_2024 = 1705320000, summer_2024 = 1721044800;  // 2024-01-15T12:00Z, 2024-07-15T12:00Z
constexpr std::int64_t summer_2050 = 2541499200;                             // 2050-07-15T12:00Z

TEST(TimeZone, KnowsSummerAndWinter) {
  auto* berlin = TimeZone::find("Europe/Berlin");
  ASSERT_NE(berlin, nullptr);
  EXPECT_EQ(berlin->offset_at(winter_2024), 3600);
  EXPECT_EQ(berlin->offset_at(summer_2024), 7200);
  EXPECT_EQ(berlin->offset_at(summer_2050), 7200);
  EXPECT_EQ(TimeZone::find("Asia/Kolkata")->offset_at(summer_2050), 19800);
  EXPECT_EQ(TimeZone::find("America/Los_Angeles")->offset_at(winter_2024), -8 * 3600);
  EXPECT_TRUE(TimeZone::find("UTC")->is_utc());
}

TEST(TimeZone, PlacesWallClockTimesAroundTheChangeOfClocks) {
  auto* berlin = TimeZone::find("Europe/Berlin");
  EXPECT_EQ(berlin->offset_of_local(1711846740), 3600);   // 2024-03-31 00:59
  EXPECT_EQ(berlin->offset_of_local(1711854000), 7200);   // 03:00, right after the jump
  EXPECT_EQ(berlin->offset_of_local(1711852200), 3600);   // 02:30 never happened
  EXPECT_EQ(berlin->offset_of_local(1729996200), 7200);   // 2024-10-27 02:30, the first of two
  EXPECT_EQ(berlin->offset_of_local(1729998000), 3600);   // 03:00
}

TEST(TimeZone, RefusesWhatIsNoZoneAndNoOtherFile) {
  for (auto name : {"", "Europe/Atlantis", "../../etc/passwd", "/etc/passwd", "tzdata.zi"}) EXPECT_EQ(TimeZone::find(name), nullptr) << name;
}

}  // namespace
}  // namespace basalt
