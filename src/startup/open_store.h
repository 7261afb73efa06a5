// Opening the application database as a command or the server needs it.
#pragma once
#include <memory>

#include "appdb/store.h"
#include "base/crypto.h"
#include "startup/config.h"
#include "startup/container.h"
#include "upgrade/upgrade.h"

namespace basalt::startup {

// Makes the data directory when missing (0700) and opens the store. Throws Failure in one sentence: a directory that cannot be
// made or written, a store that is not ours, or new data inside a container's own layer without the option `ephemeral`.
std::unique_ptr<appdb::Store> open_store(const Config& config, const ContainerMarks& marks = {});

// Notes the key's check value at the first start, and compares it afterwards: Failure BadRequest "The encryption key is not the
// one …" when it differs or is missing. For a store that has its schema.
void check_encryption_key(appdb::Store& store, const Sealer& sealer);

}  // namespace basalt::startup
