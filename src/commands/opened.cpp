#include "commands/opened.h"

#include <algorithm>
#include <condition_variable>
#include <iostream>
#include <mutex>

#include "appdb/looking_store.h"
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
  context.bake_time = std::chrono::minutes(std::clamp<std::int64_t>(config.integer("bake-time"), 0, 365 * 24 * 60));
  log::set_up(log::Level::Warning, log::Format::Text);
}

Looking::Looking(const Config& config, const Migrations& all) : store(appdb::open_to_look(config.store_options())), context{*store, all, config.data_directory(), nullptr, key_check_of(config), {}} {
  context.backup_passphrase = config.text("backup-passphrase");
  context.bake_time = std::chrono::minutes(std::clamp<std::int64_t>(config.integer("bake-time"), 0, 365 * 24 * 60));
  log::set_up(log::Level::Warning, log::Format::Text);
}

StepPrinter::StepPrinter(upgrade::Progress& progress, bool quiet) {
  if (quiet) return;
  thread_ = std::jthread([&progress](std::stop_token stop) {
    std::string last;
    std::mutex mutex;
    std::condition_variable_any woken;
    while (!stop.stop_requested()) {
      auto now = progress.now();
      if (!now.step_name.empty() && now.step_name != last) {
        last = now.step_name;
        std::cerr << "  " << (now.steps > 0 ? std::to_string(now.step) + " of " + std::to_string(now.steps) + "  " : std::string()) << now.step_name << "\n";
      }
      // Woken at the end: a command that has nothing to do takes no twentieth of a second for it.
      std::unique_lock lock(mutex);
      woken.wait_for(lock, stop, std::chrono::milliseconds(50), [] { return false; });
    }
  });
}

namespace {

// Characters, not bytes.
std::size_t length(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xC0) != 0x80; }));
}

// How many letters differ, a swap of neighbours counting once.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i)
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) { cost[i][j] = i + j; continue; }
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  return cost[a.size()][b.size()];
}

}  // namespace

std::string columns(const std::vector<std::vector<std::string>>& rows, const std::set<std::size_t>& right, std::size_t indent) {
  std::vector<std::size_t> widths;
  for (auto& row : rows) {
    if (widths.size() < row.size()) widths.resize(row.size());
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], length(row[i]));
  }
  std::string out;
  for (auto& row : rows) {
    std::string line(indent, ' ');
    for (std::size_t i = 0; i < row.size(); ++i) {
      std::string gap(widths[i] - length(row[i]), ' ');
      line += right.contains(i) ? gap + row[i] : row[i] + gap;
      line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string grouped(std::int64_t number) {
  auto digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3) digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

std::string moment(const std::string& time) { return time.size() < 16 ? time : time.substr(0, 10) + " " + time.substr(11, 5); }

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known) {
  std::optional<std::string> best;
  std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (auto& candidate : known) {
    bool begun = word.size() >= 2 && candidate.starts_with(word);
    auto d = begun ? 1 : distance(word, candidate);
    if (d < least) { least = d; best = candidate; }
  }
  return best;
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
