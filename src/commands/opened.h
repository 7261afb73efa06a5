// The application database as one command works on it.
#pragma once
#include <thread>

#include "commands/commands.h"
#include "upgrade/upgrade.h"

namespace basalt::commands {

// The store and what upgrade/ needs of it, for one command. Logs warnings only, so that the output is the command's own.
struct Opened {
  Opened(const Config& config, const Migrations& all);
  std::unique_ptr<appdb::Store> store;
  upgrade::Progress progress;
  std::string key_check;
  upgrade::Context context;
};

// Prints a step to standard error whenever it changes, on a terminal or not: slow is not dead.
class StepPrinter {
 public:
  StepPrinter(upgrade::Progress& progress, bool quiet);

 private:
  std::jthread thread_;
};

// The outcome as a sentence or as JSON; returns its exit code.
int print(const upgrade::Outcome& outcome, bool json);
void print(const json::value& value);  // pretty, to standard output

// `work` changes the application database. A failure that left everything as it was ends with the code that says so.
int changing(const std::function<int()>& work);

}  // namespace basalt::commands
