#include "http/latencies.h"

#include <gtest/gtest.h>

namespace basalt::http {
namespace {

using namespace std::chrono_literals;

TEST(Latencies, tell_what_nineteen_in_twenty_stay_under) {
  Latencies all;
  EXPECT_EQ(all.p95_ms(), 0);
  all.add(3ms);
  EXPECT_EQ(all.p95_ms(), 3);
  for (int i = 0; i < 94; ++i) all.add(2ms);
  for (int i = 0; i < 5; ++i) all.add(900ms);
  EXPECT_EQ(all.p95_ms(), 900);
}

TEST(Latencies, forget_what_is_long_past) {
  Latencies all;
  for (std::size_t i = 0; i < Latencies::kept; ++i) all.add(5s);
  EXPECT_EQ(all.p95_ms(), 5000);
  for (std::size_t i = 0; i < Latencies::kept; ++i) all.add(1ms);
  EXPECT_EQ(all.p95_ms(), 1);
  all.add(0ms);  // quicker than can be measured is a request too
  EXPECT_GT(all.p95_ms(), 0);
}

}  // namespace
}  // namespace basalt::http
