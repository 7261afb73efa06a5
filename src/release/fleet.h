// Many installations under one operator: their file, which of them go first, and upgrades that stop by themselves.
#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace basalt::release {

struct Member {
  std::string name, url, api_key;
  std::optional<int> wave;            // as the file says; absent: by its place
};

struct Fleet {
  std::vector<Member> members;
  std::string ca_file;                // for https, besides the system's certificates
  std::vector<double> shares{0.01, 0.10, 0.50, 1.0};  // of all, that are reached after each wave; ascending, the last is 1
};

// Reads the YAML file (docs/fleet.md). Keys come from files or variables, never from the file itself; `variable` looks one up. Relative
// paths are beside the file. Failure BadRequest in one sentence that names the member.
Fleet read_fleet(const std::string& path, const std::function<std::optional<std::string>(const std::string&)>& variable);

// 1…: the wave in which each member gets `version`, in the order of fleet.members. The first wave has one at least.
std::vector<int> waves_of(const Fleet& fleet, const std::string& version);

// What a member says of itself (GET /api/updates/self).
struct MemberState {
  bool reached = false;
  std::string error;                  // a sentence, when not reached
  bool has_launcher = false;
  std::string current, policy, phase, to, run_error, available;
  std::map<std::string, std::string> denied;  // version to why
  std::optional<std::string> held;    // why
  bool is_fetching = false;           // looks for a version or fetches one
  std::string fetch_error;            // why that came to nothing
  static MemberState of(const json::value& answer);
};

// How members are asked; in tests and simulations, nobody is.
class Calls {
 public:
  virtual ~Calls() = default;
  virtual MemberState state(const Member& member) = 0;
  // Asks for the upgrade; a sentence when it was refused.
  virtual std::optional<std::string> apply(const Member& member, const std::string& version) = 0;
  virtual void pause() = 0;           // between two looks at those that are at it
  virtual std::chrono::seconds elapsed() = 0;  // since the beginning
};
// Over HTTP.
class HttpCalls final : public Calls {
 public:
  HttpCalls(std::string ca_file, std::chrono::milliseconds patience, std::chrono::milliseconds between) : ca_file_(std::move(ca_file)), patience_(patience), between_(between) {}
  MemberState state(const Member& member) override;
  std::optional<std::string> apply(const Member& member, const std::string& version) override;
  void pause() override;
  std::chrono::seconds elapsed() override;

 private:
  std::string ca_file_;
  std::chrono::milliseconds patience_, between_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

struct Rollout {
  std::string version;
  int first_wave = 1, last_wave = 1;  // those that are gone through
  std::size_t at_once = 4;
  std::chrono::seconds patience{30 * 60};  // for one member, from asking to the end
  bool stops = true;                  // false only in simulations
};

// The most that may have rolled back of `tried`: max(3, 2 %). One more stops the roll-out.
std::size_t most_rolled_back(std::size_t tried);

struct RolloutResult {
  enum class End { Done, Nothing, Stopped, NeedsAPerson };
  End end = End::Done;
  std::size_t upgraded = 0, already = 0, rolled_back = 0, refused = 0, lost = 0, untouched = 0;
  std::string sentence;
};

// Goes through the waves, one after the other, `at_once` members at a time, and stops when too many have rolled back: nobody else is
// asked then, and those who are at it are waited for. Members that rolled this version back earlier count from the beginning; a
// member that somebody holds is left alone.
// Somebody who cannot be reached any more counts as rolled back. `told`: a sentence for each thing that happens.
RolloutResult roll_out(const Fleet& fleet, const Rollout& rollout, Calls& calls, const std::function<void(const std::string&)>& told);

}  // namespace basalt::release
