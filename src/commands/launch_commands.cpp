// launch, launch status, launch swap.
#include <unistd.h>

#include <iostream>

#include "commands/commands.h"
#include "commands/upgrades.h"
#include "launch/control.h"
#include "launch/launcher.h"
#include "startup/config.h"

namespace basalt::commands {
namespace {

std::filesystem::path control_path(const Config& config) { return std::filesystem::path(config.versions_directory()) / "launcher.sock"; }

}  // namespace

int launch_server(const Config& config) {
  startup::set_up_log(config);
  launch::LauncherOptions options;
  auto server = config.server_options();
  options.address = server.address;
  options.port = server.port;
  options.drain_time = server.drain_time;
  options.drain_notice = server.drain_notice;
  options.versions_folder = config.versions_directory();
  options.program = own_program();
  options.start_patience = std::chrono::seconds(std::clamp<std::int64_t>(config.integer("start-patience"), 1, 24 * 3600));
  // By the environment rather than the command line: an older version ignores there what it does not know. Empty means there
  // that nothing was said.
  for (auto& [name, value] : config.flags) {
    if (value.empty()) options.words.push_back("--" + name + "=");
    else options.environment[startup::variable_of(name)] = value;
  }
  auto upgrades = upgrade_options(config);  // a mistake in them is told before anything starts
  auto inherited = launch::Inherited::take();
  launch::Launcher launcher(std::move(options), inherited, [upgrades](launch::Children& children) { return std::make_unique<launch::Upgrades>(children, upgrades); });
  return launcher.run();
}

int launcher_status(const Config& config, const Options& options) {
  auto answer = launch::ask_launcher(control_path(config), {{"do", "status"}}, {}, std::chrono::seconds(10));
  if (options.json) {
    std::cout << json::write_pretty(answer) << "\n";
    return done;
  }
  auto& launcher = answer.at("launcher").as_object();
  std::cout << "The launcher is process " << launcher.at("process").as_int64() << ", version " << json::text(launcher, "version").value_or("?") << ", port " << launcher.at("port").as_int64() << ".\n";
  for (auto& one : answer.at("children").as_array()) {
    auto& child = one.as_object();
    bool serves = child.at("serves").as_bool(), leaving = child.at("leaving").as_bool();
    std::cout << "  process " << child.at("process").as_int64() << "  " << json::text(child, "slot").value_or("?") << "  "
              << (leaving ? "is leaving" : serves ? child.at("ready").as_bool() ? "serves" : "starts" : "waits beside") << "  " << (child.at("memory_bytes").as_int64() >> 20) << " MB  "
              << json::text(child, "status").value_or("") << "\n";
  }
  if (auto last = json::text(answer, "last_end")) std::cout << "The last server that ended unasked " << *last << ".\n";
  if (auto* swap = json::sub_object(answer, "last_swap")) std::cout << json::text(*swap, "message").value_or("") << "\n";
  return done;
}

int launcher_swap(const Config& config, const Options& options) {
  auto answer = launch::ask_launcher(control_path(config), {{"do", "swap"}}, {}, std::chrono::hours(24));
  std::cout << (options.json ? json::write_pretty(answer) : json::text(answer, "message").value_or("Done.")) << "\n";
  return done;
}

}  // namespace basalt::commands
