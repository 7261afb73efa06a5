// A Metabase in the place that the configuration names, for whoever tells of it before anything is made.
#pragma once
#include "startup/config.h"
#include "takeover/look.h"

namespace basalt::startup {

// Looks where the configuration points to: the PostgreSQL that is named, a MySQL or H2 that Basalt could not live in, the H2 file
// that `db-file` means to a Metabase, and metabase.db here and in the data directory. Changes nothing. Never throws: a database that
// does not answer is another finding's business.
std::optional<takeover::Found> found_metabase(const Config& config);

}  // namespace basalt::startup
