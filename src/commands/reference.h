// The reference pages of the documentation and their short forms on the terminal, out of the definitions that the program runs by.
#pragma once
#include <string>

#include "base/json.h"

namespace CLI { class App; }

namespace basalt::commands {

// Every option: flag, environment names, default, meaning; and, but for the terminal, every setting that can be fixed from outside.
std::string configuration_text();
std::string configuration_markdown();
json::value configuration_json();

// Every command that help shows, with its own options. `app` has them all.
std::string commands_text(const CLI::App& app);
std::string commands_markdown(const CLI::App& app);

// The group of options of a command that are the configuration; its name begins so.
constexpr const char* configuration_group = "Configuration";

}  // namespace basalt::commands
