#include "commands/opened.h"

#include <iostream>

#include "startup/open_store.h"

namespace basalt::commands {
namespace {

std::string key_check_of(const Config& config) {
  auto& secret = config.text("encryption-secret-key");
  return secret.empty() ? "" : Sealer(secret).check_value();
}

}  // namespace

Opened::Opened(const Config& config, const Migrations& all)
    : store(startup::open_store(config)), key_check(key_check_of(config)), context{*store, all, config.data_directory(), &progress, key_check, {}} {
  context.backup_passphrase = config.text("backup-passphrase");
  context.backup_keep = static_cast<std::size_t>(std::clamp<std::int64_t>(config.integer("backup-keep"), 1, 1000));
  log::set_up(log::Level::Warning, log::Format::Text);
}

StepPrinter::StepPrinter(upgrade::Progress& progress, bool quiet) {
  if (quiet) return;
  thread_ = std::jthread([&progress](std::stop_token stop) {
    std::string last;
    while (!stop.stop_requested()) {
      auto now = progress.now();
      if (!now.step_name.empty() && now.step_name != last) {
        last = now.step_name;
        std::cerr << "  " << now.step << " of " << now.steps << "  " << now.step_name << "\n";
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  });
}

int print(const upgrade::Outcome& outcome, bool json) {
  if (json) print(json::value(outcome.to_json()));
  else std::cout << outcome.sentence << "\n";
  return outcome.code;
}

void print(const json::value& value) { std::cout << json::write_pretty(value) << "\n"; }

int changing(const std::function<int()>& work) {
  try {
    return work();
  } catch (const Failure& failure) {
    std::cerr << "basalt: " << failure.sentence() << "\n";
    if (failure.error_type() == "needs-a-person") return needs_a_person;
    // Refused before anything was touched, unless the work had begun; a Bug shows only when a change is verified.
    return failure.error_type() == "rolled-back" || failure.kind() == FailureKind::Bug ? rolled_back : blocked_unchanged;
  }
}

}  // namespace basalt::commands
