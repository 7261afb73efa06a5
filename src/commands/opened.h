// The application database as one command works on it.
#pragma once
#include <set>
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

// The same only to look: nothing is made, and not a byte changes, not even where a crash left something to tidy up.
struct Looking {
  Looking(const Config& config, const Migrations& all);
  std::unique_ptr<appdb::Store> store;
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
// Lines of columns, each as wide as its widest text; columns in `right` stand at their right edge.
std::string columns(const std::vector<std::vector<std::string>>& rows, const std::set<std::size_t>& right = {}, std::size_t indent = 2);
std::string grouped(std::int64_t number);      // 1,214
std::string moment(const std::string& time);   // "2026-11-23 05:10", in UTC
// "a" and the word of `known` nearest to it, when one is near: for "did you mean".
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

int print(const upgrade::Outcome& outcome, bool json);
void print(const json::value& value);  // pretty, to standard output

// `work` changes the application database. A failure that left everything as it was ends with the code that says so.
int changing(const std::function<int()>& work);

}  // namespace basalt::commands
