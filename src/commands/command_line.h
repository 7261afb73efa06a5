// The `basalt` command: serve (default), migrate, backup, restore, reset-password, doctor, version, help.
#pragma once
#include <vector>

#include "migrations/migration.h"

namespace basalt::commands {

// Exit codes of everything that touches the application database.
enum ExitCode { done = 0, failed = 1, usage = 2, nothing_to_do = 10, blocked_unchanged = 20, rolled_back = 30, needs_a_person = 40 };

// Runs the command and returns the exit code. `migrations`: every one this binary knows, in order.
int run_command_line(int argc, char** argv, const std::vector<migrations::Migration>& migrations);

}  // namespace basalt::commands
