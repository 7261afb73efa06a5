// Routes of the Updates page: versions, the plan, nodes, runs, backups, parked values, and what is done with them.
#pragma once
#include "features/services.h"
#include "features/updates/probe_api.h"
#include "features/updates/self_upgrade_api.h"
#include "upgrade/upgrade.h"

namespace basalt::features {

// What the outside says about upgrades, filled in where the server starts.
struct UpdateOptions {
  std::string backup_schedule;            // as configured: "02:30", "6h", "off"
  std::int64_t backup_keep = 5;
  bool backups_encrypted = false;
  std::int64_t bake_minutes = 0;
  std::vector<std::string> warnings;      // sentences for administrators: no volume, a pooler in front, …
  std::function<json::value(bool now)> release;  // what the release feed knows; `now`: ask it again first. Absent: no feed.
  std::function<void()> restart;          // starts the process anew, soon; returns at once
  std::function<void(upgrade::Context&)> complete;  // puts what only the start knows (passphrase, node) into a context
  ProbeOptions probe;
  SelfUpgradeOptions self;
};

void add_update_routes(http::Routes& routes, Services& services, UpdateOptions options = {});

}  // namespace basalt::features
