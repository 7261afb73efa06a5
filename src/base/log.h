// Log lines: one event each, with named values. Never a secret, never a person's data.
#pragma once
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace basalt::log {

enum class Level { Debug, Info, Warning, Error };
enum class Format { Text, JsonLines };

// Called once at start, before any thread logs. Goes to standard error.
void set_up(Level lowest, Format format);

using Values = std::initializer_list<std::pair<std::string_view, std::string>>;
void debug(std::string_view event, Values values = {});
void info(std::string_view event, Values values = {});
void warning(std::string_view event, Values values = {});
void error(std::string_view event, Values values = {});

}  // namespace basalt::log
