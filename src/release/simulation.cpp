#include "release/simulation.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "release/decision.h"
#include "release/fleet.h"

namespace basalt::release {
namespace {

const Timestamp released = Timestamp{std::chrono::hours(24 * 20'000)};

// The same on every machine, unlike the distributions of the standard library.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : numbers_(seed) {}
  double part() { return static_cast<double>(numbers_() >> 11) * 0x1p-53; }
  bool happens(double share) { return part() < share; }
  double after(double mean) { return -mean * std::log(1 - part()); }

 private:
  std::mt19937_64 numbers_;
};

Timestamp hours_later(double hours) { return released + std::chrono::microseconds(static_cast<std::int64_t>(hours * 3.6e9)); }

Releases list_with(const Played& played, bool withdrawn) {
  Release release;
  release.version = "0.2.0";
  release.release_class = played.release_class;
  release.released_at = released;
  release.withdrawn = withdrawn;
  release.artefacts.push_back({"linux-x64", "f", "", 1});
  Releases out;
  out.releases.push_back(std::move(release));
  return out;
}

class PlayedCalls final : public Calls {
 public:
  PlayedCalls(const Fleet& fleet, const Played& played) {
    Chance chance(played.seed);
    for (auto& member : fleet.members) members_[member.name].fails = chance.happens(played.bad);
  }
  MemberState state(const Member& member) override {
    auto& one = members_.at(member.name);
    MemberState out;
    out.reached = true;
    out.current = one.upgraded ? "0.2.0" : "0.1.0";
    if (one.asked_at && now_ - *one.asked_at >= std::chrono::seconds(90)) {
      out.to = "0.2.0";
      out.phase = one.fails ? "rolled back" : "good";
      one.upgraded = !one.fails;
      out.current = one.upgraded ? "0.2.0" : "0.1.0";
      if (one.fails) out.denied["0.2.0"] = "It failed.";
    } else if (one.asked_at) {
      out.to = "0.2.0";
      out.phase = "observing";
    }
    return out;
  }
  std::optional<std::string> apply(const Member& member, const std::string&) override {
    members_.at(member.name).asked_at = now_;
    ++asked;
    return std::nullopt;
  }
  void pause() override { now_ += std::chrono::seconds(10); }
  std::chrono::seconds elapsed() override { return now_; }

  std::size_t asked = 0;

 private:
  struct One { bool fails = false, upgraded = false; std::optional<std::chrono::seconds> asked_at; };
  std::map<std::string, One> members_;
  std::chrono::seconds now_{0};
};

}  // namespace

Reached simulate_feed(const Played& played) {
  Chance chance(played.seed);
  auto open = list_with(played, false), withdrawn = list_with(played, true);
  struct Try { double hours; bool fails, tells; double told_after; };
  std::vector<Try> tries;
  Situation situation{.current = "0.1.0", .platform = "linux-x64", .instance = "", .now = {}, .policy = Policy::All, .window = {}, .hold = {}, .denied = {}};
  for (std::size_t i = 0; i < played.instances; ++i) {
    double minute = chance.part() * 6;  // hours after the release at which it first looks
    situation.instance = "instance " + std::to_string(i);
    auto due_hours = std::chrono::duration<double, std::ratio<3600>>(due_at(open.releases[0], place_in_wave(situation.instance, "0.2.0")) - released).count();
    double looks = std::max(minute, due_hours + 0.001);  // once it knows of it, it looks again when its turn comes
    situation.now = hours_later(looks);
    if (due(open, situation).kind != Decision::Kind::Install) continue;  // it never comes: that look is after its place
    tries.push_back({looks, chance.happens(played.bad), chance.happens(played.tells), chance.after(played.tells_after_hours)});
  }
  std::sort(tries.begin(), tries.end(), [](auto& a, auto& b) { return a.hours < b.hours; });
  Reached out;
  std::vector<double> reports;
  double withdrawn_at = INFINITY;
  for (auto& one : tries) {
    situation.now = hours_later(one.hours);
    if (one.hours >= withdrawn_at && due(withdrawn, situation).kind != Decision::Kind::Install) continue;
    ++out.reached;
    out.hours = one.hours;
    if (!one.fails) continue;
    ++out.rolled_back;
    if (!played.stops || !one.tells) continue;
    reports.push_back(one.hours + one.told_after);
    std::sort(reports.begin(), reports.end());
    if (reports.size() >= static_cast<std::size_t>(played.reports)) withdrawn_at = reports[static_cast<std::size_t>(played.reports) - 1] + played.withdrawn_after_hours;
  }
  return out;
}

Reached simulate_fleet(const Played& played) {
  Fleet fleet;
  for (std::size_t i = 0; i < played.instances; ++i) fleet.members.push_back({"instance " + std::to_string(i), "", "", {}});
  PlayedCalls calls(fleet, played);
  Rollout rollout;
  rollout.version = "0.2.0";
  rollout.last_wave = static_cast<int>(fleet.shares.size());
  rollout.stops = played.stops;
  auto result = roll_out(fleet, rollout, calls, [](const std::string&) {});
  return {calls.asked, result.rolled_back, std::chrono::duration<double, std::ratio<3600>>(calls.elapsed()).count()};
}

}  // namespace basalt::release
