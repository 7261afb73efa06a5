// basalt fleet …: many installations under one operator (docs/fleet.md). Nothing of this host's own installation is touched.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdlib>
#include <future>
#include <iostream>
#include <thread>

#include "base/failure.h"
#include "commands/command_line.h"
#include "commands/more_commands.h"
#include "commands/opened.h"
#include "release/fleet.h"
#include "release/version.h"

namespace basalt::commands {
namespace {

using release::Fleet;
using release::MemberState;

struct Asked {
  std::string file = "fleet.yaml", version;
  bool json = false, all = false;
  int wave = 0;
  std::size_t at_once = 4;
  std::int64_t patience = 10, minutes = 30, every = 2000;
};

Fleet read(const Asked& asked) {
  return release::read_fleet(asked.file, [](const std::string& name) -> std::optional<std::string> {
    auto* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  });
}

release::HttpCalls calls_of(const Asked& asked, const Fleet& fleet) { return {fleet.ca_file, std::chrono::seconds(asked.patience), std::chrono::milliseconds(asked.every)}; }

// All at once, sixteen at a time: one that is silent does not hold the others up.
std::vector<MemberState> states(const Fleet& fleet, release::Calls& calls) {
  std::vector<MemberState> out(fleet.members.size());
  std::atomic<std::size_t> next{0};
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < std::min<std::size_t>(16, out.size()); ++i)
    threads.emplace_back([&] {
      for (auto at = next++; at < out.size(); at = next++) out[at] = calls.state(fleet.members[at]);
    });
  threads.clear();
  return out;
}

std::string what_it_does(const MemberState& state, const std::string& version) {
  if (!state.reached) return state.error;
  if (!state.phase.empty() && state.phase != "good" && state.phase != "rolled back" && state.phase != "refused") return "upgrading to " + state.to + ": " + state.phase;
  if (auto denied = state.denied.find(version); !version.empty() && denied != state.denied.end()) return "rolled " + version + " back: " + denied->second;
  if (state.held) return "held" + (state.held->empty() ? "" : ": " + *state.held);
  if (!state.has_launcher) return "upgraded by its package or image, not by itself";
  if (!state.available.empty() && release::is_newer(state.available, state.current)) return state.available + " is there";
  return "";
}

// The newest version that any member knows of.
std::string newest(const std::vector<MemberState>& all) {
  std::string out;
  for (auto& state : all)
    if (release::is_version(state.available) && (out.empty() || release::is_newer(state.available, out))) out = state.available;
  return out;
}

std::string wanted_version(const Asked& asked, const std::vector<MemberState>& all) {
  if (!asked.version.empty()) {
    if (!release::is_version(asked.version)) throw Failure(FailureKind::BadRequest, "\"" + asked.version + "\" is no version; one is like 1.2.3.");
    return asked.version;
  }
  auto version = newest(all);
  if (version.empty()) throw Failure(FailureKind::BadRequest, "No instance of the fleet knows of a newer version; name one with --version.");
  return version;
}

json::object state_json(const release::Member& member, const MemberState& state) {
  auto or_null = [](const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); };
  json::object denied;
  for (auto& [version, why] : state.denied) denied[version] = why;
  return {{"name", member.name}, {"url", member.url}, {"reached", state.reached}, {"error", or_null(state.error)}, {"version", or_null(state.current)}, {"launcher", state.has_launcher}, {"policy", or_null(state.policy)},
          {"phase", or_null(state.phase)}, {"to", or_null(state.to)}, {"available", or_null(state.available)}, {"held", state.held.has_value()}, {"denied", std::move(denied)}};
}

int status(const Asked& asked) {
  auto fleet = read(asked);
  auto calls = calls_of(asked, fleet);
  auto all = states(fleet, calls);
  bool good = std::all_of(all.begin(), all.end(), [](auto& state) { return state.reached; });
  if (asked.json) {
    json::array out;
    for (std::size_t i = 0; i < all.size(); ++i) out.push_back(state_json(fleet.members[i], all[i]));
    std::cout << json::write_pretty(out) << "\n";
  } else {
    std::vector<std::vector<std::string>> rows{{"instance", "version", "policy", ""}};
    for (std::size_t i = 0; i < all.size(); ++i) rows.push_back({fleet.members[i].name, all[i].reached ? all[i].current : "?", all[i].policy, what_it_does(all[i], "")});
    std::cout << columns(rows);
    std::map<std::string, int> versions;
    for (auto& state : all) ++versions[state.reached ? state.current : "not reached"];
    std::string sum;
    for (auto& [version, count] : versions) sum += (sum.empty() ? "" : ", ") + std::to_string(count) + " " + version;
    std::cout << sum << "\n";
  }
  return good ? done : needs_a_person;
}

int plan(const Asked& asked) {
  auto fleet = read(asked);
  auto calls = calls_of(asked, fleet);
  auto all = states(fleet, calls);
  auto version = wanted_version(asked, all);
  auto waves = release::waves_of(fleet, version);
  json::array out;
  bool anything = false;
  std::vector<std::vector<std::string>> rows{{"wave", "instance", "from", "to", ""}};
  for (int wave = 1; wave <= static_cast<int>(fleet.shares.size()); ++wave) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (waves[i] != wave) continue;
      auto& state = all[i];
      bool has_it = state.reached && !release::is_newer(version, state.current);
      anything = anything || !has_it;
      auto note = has_it ? std::string("has it") : what_it_does(state, version);
      rows.push_back({std::to_string(wave), fleet.members[i].name, state.reached ? state.current : "?", version, note});
      auto one = state_json(fleet.members[i], state);
      one["wave"] = wave;
      one["to"] = version;
      one["has_it"] = has_it;
      out.push_back(std::move(one));
    }
  }
  if (asked.json) std::cout << json::write_pretty(json::object{{"version", version}, {"instances", std::move(out)}}) << "\n";
  else std::cout << columns(rows) << "To do it: basalt fleet apply --all --version " << version << (asked.file == "fleet.yaml" ? "" : " --file " + asked.file) << "\n";
  return anything ? done : nothing_to_do;
}

int apply(const Asked& asked) {
  auto fleet = read(asked);
  if (asked.all == (asked.wave > 0)) throw Failure(FailureKind::BadRequest, "Say which: --wave N for one wave, or --all for one after the other.");
  if (asked.wave > static_cast<int>(fleet.shares.size())) throw Failure(FailureKind::BadRequest, "There are " + std::to_string(fleet.shares.size()) + " waves.");
  auto calls = calls_of(asked, fleet);
  auto version = asked.version;
  if (version.empty() || !release::is_version(version)) version = wanted_version(asked, states(fleet, calls));
  release::Rollout rollout;
  rollout.version = version;
  rollout.first_wave = asked.all ? 1 : asked.wave;
  rollout.last_wave = asked.all ? static_cast<int>(fleet.shares.size()) : asked.wave;
  rollout.at_once = std::max<std::size_t>(1, asked.at_once);
  rollout.patience = std::chrono::minutes(asked.minutes);
  std::cerr << "To " << version << ", " << rollout.at_once << " at a time.\n";
  auto result = release::roll_out(fleet, rollout, calls, [](const std::string& sentence) { std::cerr << sentence << "\n"; });
  if (asked.json)
    std::cout << json::write_pretty(json::object{{"version", version}, {"upgraded", result.upgraded}, {"already", result.already}, {"rolled_back", result.rolled_back}, {"refused", result.refused},
                                                 {"not_reached", result.lost}, {"untouched", result.untouched}, {"stopped", result.end == release::RolloutResult::End::Stopped}, {"sentence", result.sentence}})
              << "\n";
  else std::cout << result.sentence << "\n";
  switch (result.end) {
    case release::RolloutResult::End::Done: return done;
    case release::RolloutResult::End::Nothing: return nothing_to_do;
    case release::RolloutResult::End::Stopped: return rolled_back;
    case release::RolloutResult::End::NeedsAPerson: return needs_a_person;
  }
  return failed;
}

}  // namespace

void add_fleet_commands(CLI::App& app, std::function<int()>& chosen) {
  auto asked = std::make_shared<Asked>();
  auto* group = app.add_subcommand("fleet", "Many installations at once: how they are, and upgrades in waves that stop by themselves.");
  group->require_subcommand(1);
  group->footer("Exit codes: 0 done, 10 nothing to do, 30 stopped because too many rolled back, 40 needs a person (not reached, refused, or some rolled back).");
  auto command = [&](const char* name, const char* description, int (*action)(const Asked&)) {
    auto* sub = group->add_subcommand(name, description);
    sub->callback([&chosen, asked, action] { chosen = [asked, action] { return action(*asked); }; });
    sub->add_option("--file", asked->file, "The fleet file; fleet.yaml when not given.")->type_name("FILE");
    sub->add_option("--timeout", asked->patience, "Seconds for one answer; 10 when not given.")->type_name("SECONDS")->check(CLI::Range(1, 600));
    sub->add_flag("--json", asked->json, "Print JSON.");
    return sub;
  };
  command("status", "Version, policy and state of each instance.", status);
  auto* planned = command("plan", "Who would get a version in which wave; changes nothing.", plan);
  auto* applied = command("apply", "Upgrade wave by wave; stops by itself when more than max(3, 2 %) of those that tried rolled back.", apply);
  for (auto* sub : {planned, applied}) sub->add_option("--version", asked->version, "The version; the newest that an instance knows of when not given.")->type_name("V");
  auto* wave = applied->add_option("--wave", asked->wave, "Only this wave.")->type_name("N")->check(CLI::Range(1, 100));
  applied->add_flag("--all", asked->all, "All waves, one after the other.")->excludes(wave);
  applied->add_option("--at-once", asked->at_once, "How many at a time; 4 when not given.")->type_name("N")->check(CLI::Range(1, 100));
  applied->add_option("--minutes", asked->minutes, "How long one instance may take; 30 when not given.")->type_name("N")->check(CLI::Range(1, 1440));
  applied->add_option("--every", asked->every, "Milliseconds between two looks; 2000 when not given.")->type_name("N")->check(CLI::Range(10, 600000))->group("");
}

}  // namespace basalt::commands
