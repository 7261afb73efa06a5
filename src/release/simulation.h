// What a bad release would do: how many installations it reaches before it is stopped. The decisions are the real ones (decision.h,
// fleet.h); only the installations and the time are played. The same numbers for the same seed.
#pragma once
#include <cstdint>

#include "release/metadata.h"

namespace basalt::release {

struct Played {
  std::size_t instances = 10'000;
  double bad = 1.0;                    // the share of installations on which it fails, and rolls back by itself
  Class release_class = Class::Minor;
  std::uint64_t seed = 1;
  bool stops = true;                   // false: nobody does anything about it
  // Installations on their own: each hears of it at its own minute of six hours, and looks again when its turn comes.
  double tells = 0.02;                 // the share of people whose installation went back that write to the makers…
  double tells_after_hours = 4;        // …after so long on average
  int reports = 3;                     // after so many the makers look…
  double withdrawn_after_hours = 2;    // …and withdraw it after so long
};

struct Reached {
  std::size_t reached = 0;             // tried it
  std::size_t rolled_back = 0;
  double hours = 0;                    // from its release to the last that tried it
};

// Installations that upgrade by themselves, each when its place in the wave comes, from a feed in which the makers withdraw it.
Reached simulate_feed(const Played& played);
// A fleet of one operator, `basalt fleet apply --all`.
Reached simulate_fleet(const Played& played);

}  // namespace basalt::release
