#include "release/fleet.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <thread>

#include "base/failure.h"
#include "client/client.h"
#include "release/decision.h"
#include "release/version.h"

namespace basalt::release {
namespace {

[[noreturn]] void refuse(const std::string& sentence) { throw Failure(FailureKind::BadRequest, sentence); }

std::string text_of(const YAML::Node& node, const char* key) {
  auto found = node[key];
  return found && found.IsScalar() ? found.Scalar() : std::string();
}

std::string beside(const std::string& file, const std::string& path) {
  std::filesystem::path out(path);
  return out.is_absolute() ? path : (std::filesystem::path(file).parent_path() / out).string();
}

void refuse_unknown(const YAML::Node& node, const std::set<std::string>& known, const std::string& what) {
  for (auto item : node)
    if (auto key = item.first.as<std::string>(); !known.contains(key)) refuse(what + " has \"" + key + "\", which means nothing; it may have " + [&] {
      std::string out;
      for (auto& one : known) out += (out.empty() ? "" : ", ") + one;
      return out;
    }() + ".");
}

std::string key_of(const YAML::Node& node, const std::string& file, const std::string& what, const std::function<std::optional<std::string>(const std::string&)>& variable) {
  auto from_file = text_of(node, "api_key_file"), from_variable = text_of(node, "api_key_env");
  if (from_file.empty() == from_variable.empty()) refuse(what + " needs api_key_file or api_key_env: where its API key is, not the key itself.");
  std::string out;
  if (!from_file.empty()) {
    auto text = client::fetch_text(beside(file, from_file), {.most_bytes = 4096});
    if (!text) refuse("The file " + beside(file, from_file) + " with the API key of " + what + " cannot be read.");
    out = *text;
  } else {
    auto found = variable(from_variable);
    if (!found) refuse("The variable " + from_variable + " with the API key of " + what + " is not set.");
    out = *found;
  }
  while (!out.empty() && std::isspace(static_cast<unsigned char>(out.back()))) out.pop_back();
  if (out.empty() || out.find_first_of("\r\n") != std::string::npos) refuse("The API key of " + what + " must be one line.");
  return out;
}

std::string refusal_in(const client::Answer& answer) {
  auto tree = json::try_parse(answer.body);
  auto sentence = tree ? json::text(*tree, "message") : std::nullopt;
  if (!sentence && tree && tree->is_string()) sentence = std::string(tree->get_string());
  if (answer.status == 401 || answer.status == 403) return "It does not take the API key; that must belong to a group of administrators.";
  if (answer.status == 404) return "It has no upgrades of this kind; it is older than 0.1 or no Basalt.";
  return sentence.value_or("It answered " + std::to_string(answer.status) + ".").substr(0, 500);
}

}  // namespace

Fleet read_fleet(const std::string& path, const std::function<std::optional<std::string>(const std::string&)>& variable) {
  YAML::Node root;
  try {
    root = YAML::LoadFile(path);
  } catch (const YAML::BadFile&) {
    refuse("The fleet file " + path + " cannot be read.");
  } catch (const YAML::Exception& e) {
    refuse("The fleet file " + path + " is not YAML: line " + std::to_string(e.mark.line + 1) + ".");
  }
  if (!root.IsMap() || !root["instances"] || !root["instances"].IsSequence() || root["instances"].size() == 0) refuse("The fleet file " + path + " must hold a list \"instances\" with one at least.");
  refuse_unknown(root, {"instances", "ca_file", "waves"}, "The fleet file");
  Fleet out;
  if (auto ca = text_of(root, "ca_file"); !ca.empty()) out.ca_file = beside(path, ca);
  if (auto waves = root["waves"]) {
    out.shares.clear();
    double before = 0;
    for (auto wave : waves) {
      double percent = 0;
      try {
        percent = wave.as<double>();
      } catch (const YAML::Exception&) {
      }
      if (percent <= before || percent > 100) refuse("The fleet file's \"waves\" must be percentages that ascend to 100, like [1, 10, 50, 100].");
      out.shares.push_back(percent / 100);
      before = percent;
    }
    if (before != 100) refuse("The fleet file's \"waves\" must be percentages that ascend to 100, like [1, 10, 50, 100].");
  }
  std::set<std::string> names;
  for (auto node : root["instances"]) {
    if (!node.IsMap()) refuse("Each of the fleet file's \"instances\" must have a name, an url and where its API key is.");
    Member member;
    member.name = text_of(node, "name");
    auto what = member.name.empty() ? std::string("An instance of the fleet file") : "The instance " + member.name;
    if (member.name.empty() || member.name.size() > 100) refuse(what + " needs a name.");
    if (!names.insert(member.name).second) refuse(what + " is in the fleet file twice.");
    refuse_unknown(node, {"name", "url", "api_key_file", "api_key_env", "wave"}, what);
    member.url = text_of(node, "url");
    if (!client::is_network(member.url)) refuse(what + " needs an url like https://bi.example.com.");
    while (member.url.ends_with('/')) member.url.pop_back();
    member.api_key = key_of(node, path, what, variable);
    if (node["wave"]) {
      int wave = 0;
      try {
        wave = node["wave"].as<int>();
      } catch (const YAML::Exception&) {
      }
      if (wave < 1 || wave > static_cast<int>(out.shares.size())) refuse(what + " needs a wave from 1 to " + std::to_string(out.shares.size()) + ", or none.");
      member.wave = wave;
    }
    out.members.push_back(std::move(member));
  }
  return out;
}

std::vector<int> waves_of(const Fleet& fleet, const std::string& version) {
  std::vector<int> out(fleet.members.size());
  std::vector<std::pair<double, std::size_t>> places;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (fleet.members[i].wave) out[i] = *fleet.members[i].wave;
    else places.emplace_back(place_in_wave(fleet.members[i].name, version), i);
  }
  std::sort(places.begin(), places.end());
  bool anybody_first = std::find(out.begin(), out.end(), 1) != out.end();
  for (std::size_t rank = 0; rank < places.size(); ++rank) {
    // By rank, not by place: in a small fleet, too, a wave has the size that it says.
    auto share = static_cast<double>(rank + 1) / static_cast<double>(places.size());
    std::size_t wave = 0;
    while (wave + 1 < fleet.shares.size() && share > fleet.shares[wave] + 1e-9) ++wave;
    out[places[rank].second] = static_cast<int>(wave) + 1;
  }
  if (!anybody_first && !places.empty()) out[places[0].second] = 1;
  return out;
}

MemberState MemberState::of(const json::value& answer) {
  MemberState out;
  out.reached = true;
  out.has_launcher = json::boolean(answer, "launcher").value_or(false);
  out.current = json::text(answer, "version").value_or(json::text(answer, "current").value_or(""));
  out.policy = json::text(answer, "policy").value_or("");
  if (auto* run = json::find(answer, "run")) {
    out.phase = json::text(*run, "phase").value_or("");
    out.to = json::text(*run, "to_version").value_or(json::text(*run, "to").value_or(""));
    out.run_error = json::text(*run, "error").value_or("");
  }
  if (auto* available = json::find(answer, "available")) out.available = available->is_string() ? std::string(available->get_string()) : json::text(*available, "version").value_or("");
  if (auto* denied = json::sub_array(answer, "denied"))
    for (auto& one : *denied) out.denied[json::text(one, "version").value_or("")] = json::text(one, "why").value_or("");
  if (auto* hold = json::find(answer, "hold"); hold && json::boolean(answer, "held").value_or(true)) out.held = json::text(*hold, "why").value_or("");
  if (auto* agent = json::find(answer, "agent")) {
    out.is_fetching = json::boolean(*agent, "asked").value_or(false) || json::text(*agent, "fetching");
    out.fetch_error = json::text(*agent, "error").value_or("");
  }
  return out;
}

MemberState HttpCalls::state(const Member& member) {
  MemberState out;
  try {
    auto answer = client::fetch({.url = member.url + "/api/updates/self", .headers = {{"X-Api-Key", member.api_key}}}, {.patience = patience_, .most_bytes = 4 << 20, .ca_file = ca_file_});
    if (answer.status != 200) {
      out.error = refusal_in(answer);
      return out;
    }
    auto tree = json::try_parse(answer.body);
    if (!tree || !tree->is_object()) out.error = "It answered something that is no JSON.";
    else out = MemberState::of(*tree);
  } catch (const Failure& failure) {
    out.error = failure.sentence();
  }
  return out;
}

std::optional<std::string> HttpCalls::apply(const Member& member, const std::string& version) {
  try {
    auto answer = client::post_json(member.url + "/api/updates/self/apply", json::write(json::object{{"version", version}, {"now", true}}), {{"X-Api-Key", member.api_key}}, {.patience = patience_, .ca_file = ca_file_});
    if (answer.is_good()) return std::nullopt;
    return refusal_in(answer);
  } catch (const Failure& failure) {
    return failure.sentence();
  }
}

void HttpCalls::pause() { std::this_thread::sleep_for(between_); }
std::chrono::seconds HttpCalls::elapsed() { return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - began_); }

std::size_t most_rolled_back(std::size_t tried) { return std::max<std::size_t>(3, tried / 50); }

namespace {

class Running {
 public:
  Running(const Fleet& fleet, const Rollout& rollout, Calls& calls, const std::function<void(const std::string&)>& told) : fleet_(fleet), rollout_(rollout), calls_(calls), told_(told), waves_(waves_of(fleet, rollout.version)) {}

  RolloutResult run() {
    look_at_all();
    for (int wave = rollout_.first_wave; wave <= rollout_.last_wave && !stopped(); ++wave) {
      std::vector<std::size_t> waiting;
      for (std::size_t i = 0; i < waves_.size(); ++i) if (waves_[i] == wave && open_[i]) waiting.push_back(i);
      if (waiting.empty()) continue;
      told_("Wave " + std::to_string(wave) + ": " + std::to_string(waiting.size()) + (waiting.size() == 1 ? " instance." : " instances."));
      go_through(waiting);
    }
    return finish();
  }

 private:
  struct AtIt { std::size_t member; std::chrono::seconds since; };

  bool stopped() const { return rollout_.stops && result_.rolled_back > most_rolled_back(tried_); }

  // Whoever has it already, and whoever had it and went back.
  void look_at_all() {
    open_.assign(fleet_.members.size(), false);
    for (std::size_t i = 0; i < fleet_.members.size(); ++i) {
      if (waves_[i] > rollout_.last_wave) {
        ++result_.untouched;
        continue;
      }
      auto state = calls_.state(fleet_.members[i]);
      auto& name = fleet_.members[i].name;
      if (!state.reached) {
        ++result_.lost;
        told_(name + " cannot be reached: " + state.error);
      } else if (compare_versions(state.current, rollout_.version).value_or(-1) >= 0) {
        ++result_.already;
        ++tried_;
      } else if (auto denied = state.denied.find(rollout_.version); denied != state.denied.end()) {
        ++result_.rolled_back;
        ++tried_;
        told_(name + " rolled " + rollout_.version + " back before: " + denied->second);
      } else if (waves_[i] < rollout_.first_wave) {
        ++result_.untouched;
      } else if (state.held) {
        ++result_.refused;
        told_(name + " is held" + (state.held->empty() ? "." : ": " + *state.held));
      } else {
        open_[i] = true;
      }
    }
  }

  void go_through(const std::vector<std::size_t>& waiting) {
    std::vector<AtIt> at_it;
    auto next = waiting.begin();
    while (next != waiting.end() || !at_it.empty()) {
      while (next != waiting.end() && at_it.size() < rollout_.at_once && !stopped()) begin(*next++, at_it);
      if (stopped()) next = waiting.end();
      if (at_it.empty()) continue;
      calls_.pause();
      std::erase_if(at_it, [&](const AtIt& one) { return has_ended(one); });
    }
  }

  void begin(std::size_t i, std::vector<AtIt>& at_it) {
    open_[i] = false;
    if (auto refused = calls_.apply(fleet_.members[i], rollout_.version)) {
      ++result_.refused;
      told_(fleet_.members[i].name + " does not take it: " + *refused);
      return;
    }
    at_it.push_back({i, calls_.elapsed()});
  }

  bool has_ended(const AtIt& one) {
    auto& name = fleet_.members[one.member].name;
    auto state = calls_.state(fleet_.members[one.member]);
    bool late = calls_.elapsed() - one.since > rollout_.patience;
    bool is_ours = state.reached && compare_versions(state.to, rollout_.version) == 0;
    if (state.reached && ((is_ours && state.phase == "good") || (compare_versions(state.current, rollout_.version) == 0 && (state.phase.empty() || !is_ours)))) {
      ++tried_;
      ++result_.upgraded;
      told_(name + " runs " + rollout_.version + ".");
      return true;
    }
    auto denied = state.denied.find(rollout_.version);
    if (state.reached && ((is_ours && state.phase == "rolled back") || denied != state.denied.end())) {
      ++tried_;
      ++result_.rolled_back;
      auto why = !state.run_error.empty() ? state.run_error : denied != state.denied.end() ? denied->second : std::string();
      told_(name + " rolled back" + (why.empty() ? "." : ": " + why));
      return true;
    }
    bool nothing_came = state.reached && !is_ours && !state.is_fetching && !state.fetch_error.empty();
    if ((is_ours && state.phase == "refused") || nothing_came) {
      ++result_.refused;
      told_(name + " does not take it: " + (nothing_came ? state.fetch_error : state.run_error));
      return true;
    }
    if (!late) return false;
    ++tried_;
    ++result_.rolled_back;  // at least not well: nobody else is sent there blindly
    told_(name + (state.reached ? " did not finish in time; it is " + (state.phase.empty() ? "idle" : state.phase) + "." : " cannot be reached any more: " + state.error));
    return true;
  }

  RolloutResult finish() {
    auto left = static_cast<std::size_t>(std::count(open_.begin(), open_.end(), true));
    result_.untouched += left;
    auto count = [](std::size_t n, const char* what) { return std::to_string(n) + " " + what; };
    auto numbers = count(result_.upgraded, "upgraded") + ", " + count(result_.already, "had it already") + ", " + count(result_.rolled_back, "rolled back") + ", " + count(result_.refused, "refused") + ", " +
                   count(result_.lost, "not reached") + ", " + count(result_.untouched, "untouched") + ".";
    if (stopped()) {
      result_.end = RolloutResult::End::Stopped;
      result_.sentence = "Stopped: " + std::to_string(result_.rolled_back) + " of " + std::to_string(tried_) + " rolled back, and more than " + std::to_string(most_rolled_back(tried_)) + " are too many. " + numbers;
    } else if (result_.rolled_back || result_.refused || result_.lost) {
      result_.end = RolloutResult::End::NeedsAPerson;
      result_.sentence = "Done, but somebody has to look: " + numbers;
    } else if (result_.upgraded == 0) {
      result_.end = RolloutResult::End::Nothing;
      result_.sentence = "There was nothing to do: " + numbers;
    } else {
      result_.sentence = "Done: " + numbers;
    }
    return result_;
  }

  const Fleet& fleet_;
  const Rollout& rollout_;
  Calls& calls_;
  const std::function<void(const std::string&)>& told_;
  std::vector<int> waves_;
  std::vector<bool> open_;
  std::size_t tried_ = 0;
  RolloutResult result_;
};

}  // namespace

RolloutResult roll_out(const Fleet& fleet, const Rollout& rollout, Calls& calls, const std::function<void(const std::string&)>& told) { return Running(fleet, rollout, calls, told).run(); }

}  // namespace basalt::release
