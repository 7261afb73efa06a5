// The server's door to the launcher above it: versions on this host, putting one on trial, going back, holding.
#pragma once
#include <filesystem>

#include "features/services.h"

namespace basalt::features {

struct SelfUpgradeOptions {
  std::filesystem::path launcher_socket;  // empty: no launcher started this server
  std::string otherwise;                  // then: the sentence on how this installation is upgraded
};

// GET /api/updates/self → {launcher, version, policy, available, due, current, current_version, previous, previous_version, slots, run, denied, hold, held, newest_seen,
// agent, how}; POST /api/updates/self/apply {version?, now?}, /rollback, /hold {until?, why?}, /unhold, /look. Administrators only.
// Without a launcher GET says launcher: false and `how`, the rest is 409 with that sentence.
void add_self_upgrade_routes(http::Routes& routes, Services& services, SelfUpgradeOptions options);

}  // namespace basalt::features
