// The application database from one engine or place to another.
#pragma once
#include "upgrade/upgrade.h"

namespace basalt::upgrade {

// Copies everything that a backup holds from the context's store into an empty one, brought to this binary's schema there, and
// compared row for row; all or nothing. The source stays as it is, and nobody may serve on it meanwhile. `data_dir`: where the
// target's uploaded files and backups live; the source's own for a target without a folder of its own. Failure Conflict when
// the target holds data, Unavailable when the source is in use, BadRequest when the encryption key is not the data's.
Outcome move(Context& source, const appdb::StoreOptions& target, const std::filesystem::path& data_dir);

}  // namespace basalt::upgrade
