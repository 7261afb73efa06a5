// What the configuration says about signed releases.
#pragma once
#include "release/trust.h"
#include "startup/config.h"

namespace basalt::startup {

// The text of the first root that is trusted: the file of option release-root, else the one that this program was built with; empty
// when there is neither. Failure BadRequest when the file cannot be read or is no root.
std::string release_root(const Config& config);
// Throws Failure BadRequest with what to set when there is none.
std::string needed_release_root(const Config& config);
// Where what was seen of releases is kept.
std::filesystem::path release_trust(const Config& config);
// The release feed as installations read it. Failure BadRequest when none is set, or it is over the network and air-gapped is on.
std::unique_ptr<release::Repository> release_source(const Config& config, std::stop_token stop = {});

}  // namespace basalt::startup
