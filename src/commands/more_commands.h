// Groups of commands that know their own options. Each adds itself to the command line; the one that is chosen is put into `chosen`.
#pragma once
#include <functional>

namespace CLI {
class App;
}

namespace basalt::commands {

void add_release_commands(CLI::App& app, std::function<int()>& chosen);  // basalt release …: for the makers of releases
void add_fleet_commands(CLI::App& app, std::function<int()>& chosen);    // basalt fleet …: for operators of many installations

}  // namespace basalt::commands
