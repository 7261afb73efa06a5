// A start: listen, then open and migrate the application database, then serve.
#pragma once
#include <vector>

#include "migrations/migration.h"
#include "startup/config.h"

namespace basalt::startup {

// Serves until SIGTERM or SIGINT; returns the exit code (0 stopped, 20 blocked and unchanged, 1 could not start). Prints one
// sentence to standard error when it cannot start.
int serve(const Config& config, const std::vector<migrations::Migration>& migrations);

}  // namespace basalt::startup
