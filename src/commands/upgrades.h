// What the configuration says about versions, for the launcher and for `basalt upgrade`.
#pragma once
#include "launch/upgrades.h"
#include "startup/config.h"

namespace basalt::commands {

std::filesystem::path own_program();
launch::Slots slots_of(const startup::Config& config);
// Failure BadRequest when upgrade-policy or upgrade-window is none.
launch::Policy upgrade_policy(const startup::Config& config);
launch::Origin release_origin(const startup::Config& config);
launch::UpgradeOptions upgrade_options(const startup::Config& config);

}  // namespace basalt::commands
