#include "features/sample/sample_data.h"

#include <gtest/gtest.h>

#include "base/crypto.h"

namespace basalt::features {
namespace {

TEST(SampleData, is_the_same_every_time) {
  auto once = make_sample_data(), twice = make_sample_data();
  for (std::size_t i = 0; i < once.size(); ++i) EXPECT_EQ(sha256_hex(once[i].csv), sha256_hex(twice[i].csv)) << once[i].name;
}

TEST(SampleData, has_the_promised_size) {
  auto tables = make_sample_data();
  ASSERT_EQ(tables.size(), 4u);
  EXPECT_EQ(tables[0].rows, 200u);
  EXPECT_EQ(tables[1].rows, 2500u);
  EXPECT_NEAR(static_cast<double>(tables[2].rows), 19000, 1000);
  EXPECT_NEAR(static_cast<double>(tables[3].rows), 1100, 100);
}

}  // namespace
}  // namespace basalt::features
