#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/json.h"

namespace basalt::log {
namespace {

Format chosen_format = Format::Text;

spdlog::logger& logger() {
  static auto instance = [] {
    auto made = std::make_shared<spdlog::logger>("basalt", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    made->flush_on(spdlog::level::info);
    return made;
  }();
  return *instance;
}

void write(spdlog::level::level_enum level, std::string_view event, Values values) {
  if (!logger().should_log(level)) return;
  std::string line;
  if (chosen_format == Format::JsonLines) {
    json::write_string(line, event);
    for (auto& [name, value] : values) {
      line += ',';
      json::write_string(line, name);
      line += ':';
      json::write_string(line, value);
    }
  } else {
    line.assign(event);
    for (auto& [name, value] : values) {
      line += ' ';
      line.append(name);
      line += '=';
      if (value.find_first_of(" \"\n\t=") == std::string::npos && !value.empty()) line += value;
      else json::write_string(line, value);
    }
  }
  logger().log(level, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace

void set_up(Level lowest, Format format) {
  chosen_format = format;
  static constexpr spdlog::level::level_enum levels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err};
  logger().set_level(levels[static_cast<int>(lowest)]);
  if (format == Format::JsonLines) logger().set_pattern(R"({"at":"%Y-%m-%dT%H:%M:%S.%f%z","level":"%l","event":%v})");
}

void debug(std::string_view event, Values values) { write(spdlog::level::debug, event, values); }
void info(std::string_view event, Values values) { write(spdlog::level::info, event, values); }
void warning(std::string_view event, Values values) { write(spdlog::level::warn, event, values); }
void error(std::string_view event, Values values) { write(spdlog::level::err, event, values); }

}  // namespace basalt::log
