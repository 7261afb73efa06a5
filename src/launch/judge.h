// Is the new version as good as the one before it? Pure functions on what the two answered the probe (features/updates/probe_api.h).
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"

namespace basalt::launch {

struct Rules {
  std::int64_t memory_factor = 3, memory_more = std::int64_t{256} << 20;  // bytes: it may hold so many times as much, and so much more
  double failures_more = 0.05;         // of all requests
  std::int64_t least_requests = 30;    // fewer say nothing
  double slower_factor = 3, slower_more_ms = 1000;
};

enum class Rows { MustBeEqual, MayDiffer };  // MayDiffer: time has passed since, and data that people query changes

// All three: absent when nothing speaks against the new version, else why, in one sentence. `before` null: nothing served before,
// so the new one is only held to its own word.
// What must work as before: sign-in, dashboards, cards (the same rows), data sources; and no change of the data without
// a verified backup, made after the moment `before` has as "since" when it has one.
std::optional<std::string> worse(const json::value& before, const json::value& after, const std::string& version, Rows rows);
// How people fare: "requests" of both.
std::optional<std::string> worse_traffic(const json::value& before, const json::value& after, const Rules& rules);
// What it holds in memory: bytes, 0 where that is not known.
std::optional<std::string> too_large(std::int64_t before, std::int64_t now, const Rules& rules);

// ---- what is compared (measure.cpp)

// What two looks at the same version have in common: cards that answered differently are left out, and what failed in one of them.
json::value steady_part(const json::value& first, const json::value& second);
// What to ask the new version for: exactly what `before` has. Null: whatever it chooses.
json::object question(const json::value& before);

}  // namespace basalt::launch
