#include "release/simulation.h"

#include <gtest/gtest.h>

namespace basalt::release {
namespace {

TEST(Simulation, a_bad_release_reaches_few_of_ten_thousand) {
  for (auto c : {Class::Security, Class::Minor, Class::Major}) {
    Played played;
    played.release_class = c;
    played.stops = false;
    auto unstopped = simulate_feed(played);
    EXPECT_EQ(unstopped.reached, 10'000u) << "the control: without a stop it reaches everybody";
    EXPECT_EQ(unstopped.rolled_back, 10'000u);
    EXPECT_LE(unstopped.hours, c == Class::Security ? 24.1 : c == Class::Minor ? 168.1 : 1008.1);
    EXPECT_GE(unstopped.hours, c == Class::Security ? 23.5 : c == Class::Minor ? 167 : 1000);
    auto fleet_unstopped = simulate_fleet(played);
    EXPECT_EQ(fleet_unstopped.reached, 10'000u);
    played.stops = true;
    auto feed = simulate_feed(played);
    auto fleet = simulate_fleet(played);
    std::cout << "  " << name_of(c) << ": withdrawn from the feed after " << feed.reached << ", stopped in a fleet after " << fleet.reached << " of 10000\n";
    EXPECT_LE(fleet.reached, 7u) << "four rolled back, three were at it beside them";
    EXPECT_LE(feed.reached, c == Class::Security ? 2500u : c == Class::Minor ? 600u : 300u);
  }
}

TEST(Simulation, what_fails_on_some_only_is_stopped_as_well) {
  Played played;
  played.bad = 0.05;
  auto fleet = simulate_fleet(played);
  EXPECT_LT(fleet.reached, 400u);
  EXPECT_GT(fleet.reached, fleet.rolled_back * 5);
  played.bad = 0.001;
  EXPECT_EQ(simulate_fleet(played).reached, 10'000u) << "one in a thousand is lived with";
}

TEST(Simulation, gives_the_same_numbers_for_the_same_seed) {
  Played played;
  played.instances = 1000;
  played.bad = 0.3;
  auto one = simulate_feed(played), two = simulate_feed(played);
  EXPECT_EQ(one.reached, two.reached);
  EXPECT_EQ(one.hours, two.hours);
  played.seed = 2;
  EXPECT_NE(simulate_feed(played).hours, one.hours);
}

}  // namespace
}  // namespace basalt::release
