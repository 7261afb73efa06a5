#include "release/fleet.h"

#include <gtest/gtest.h>

#include <set>

#include "base/failure.h"
#include "client/test_server.h"

namespace basalt::release {
namespace {

std::string refusal(const std::function<void()>& work) {
  try {
    work();
    return "";
  } catch (const Failure& failure) {
    return failure.sentence();
  }
}
bool says(const std::string& sentence, std::string_view part) { return sentence.find(part) != std::string::npos; }

// Members that answer at once, and what each does with the new version.
class Played final : public Calls {
 public:
  enum class Does { Well, RollsBack, Refuses, Vanishes, Hangs, IsGone, IsHeld, CannotFetch };
  std::map<std::string, Does> does;
  std::map<std::string, MemberState> states;
  std::vector<std::string> asked;
  std::size_t at_it = 0, most_at_it = 0;

  MemberState state(const Member& member) override {
    if (does[member.name] == Does::IsGone) return {.error = "Nobody answers."};
    auto& state = states[member.name];
    if (state.current.empty()) state.current = "0.1.0";
    state.reached = true;
    if (does[member.name] == Does::IsHeld) state.held = "Quarter end.";
    if (state.phase != "observing") return state;
    if (does[member.name] == Does::Hangs) return state;
    if (does[member.name] == Does::Vanishes) return {.error = "Nobody answers."};
    --at_it;
    if (does[member.name] == Does::RollsBack) {
      state.phase = "rolled back";
      state.run_error = "A golden card changed.";
      state.denied[state.to] = state.run_error;
    } else {
      state.phase = "good";
      state.current = state.to;
    }
    return state;
  }
  std::optional<std::string> apply(const Member& member, const std::string& version) override {
    asked.push_back(member.name);
    if (does[member.name] == Does::Refuses) return "Upgrades are held.";
    if (does[member.name] == Does::CannotFetch) {
      states[member.name].fetch_error = "The list of releases has expired.";
      return std::nullopt;
    }
    states[member.name].phase = "observing";
    states[member.name].to = version;
    most_at_it = std::max(most_at_it, ++at_it);
    return std::nullopt;
  }
  void pause() override { now_ += std::chrono::seconds(2); }
  std::chrono::seconds elapsed() override { return now_; }

 private:
  std::chrono::seconds now_{0};
};

Fleet fleet_of(int count) {
  Fleet out;
  for (int i = 0; i < count; ++i) out.members.push_back({"m" + std::to_string(i), "https://m", "key", {}});
  return out;
}

Rollout everywhere(const Fleet& fleet) { return {.version = "0.2.0", .last_wave = static_cast<int>(fleet.shares.size())}; }

RolloutResult run(const Fleet& fleet, const Rollout& rollout, Played& played, std::vector<std::string>* said = nullptr) {
  return roll_out(fleet, rollout, played, [&](const std::string& sentence) { if (said) said->push_back(sentence); });
}

TEST(Fleet, reads_its_file_and_takes_keys_from_where_they_are) {
  client::TestFolder folder;
  folder.write("berlin.key", "key of berlin\n");
  auto path = folder.write("fleet.yaml", "ca_file: ca.pem\nwaves: [5, 50, 100]\ninstances:\n  - {name: berlin, url: 'https://berlin.example/', api_key_file: berlin.key, wave: 1}\n  - {name: rome, url: 'http://rome.example', api_key_env: ROME_KEY}\n");
  auto fleet = read_fleet(path, [](const std::string& name) -> std::optional<std::string> { return name == "ROME_KEY" ? std::optional<std::string>("key of rome") : std::nullopt; });
  ASSERT_EQ(fleet.members.size(), 2u);
  EXPECT_EQ(fleet.members[0].url, "https://berlin.example");
  EXPECT_EQ(fleet.members[0].api_key, "key of berlin");
  EXPECT_EQ(fleet.members[0].wave, 1);
  EXPECT_EQ(fleet.members[1].api_key, "key of rome");
  EXPECT_EQ(fleet.ca_file, (folder.path / "ca.pem").string());
  EXPECT_EQ(fleet.shares, (std::vector<double>{0.05, 0.5, 1.0}));
}

TEST(Fleet, says_what_is_wrong_with_its_file) {
  client::TestFolder folder;
  auto with = [&](const std::string& text) { return refusal([&] { read_fleet(folder.write("fleet.yaml", text), [](const std::string&) { return std::optional<std::string>(); }); }); };
  EXPECT_TRUE(says(with("instances: []"), "must hold a list \"instances\""));
  EXPECT_TRUE(says(with("a: [b"), "is not YAML"));
  EXPECT_TRUE(says(with("instances:\n- {url: 'https://x', api_key_env: K}"), "needs a name"));
  EXPECT_TRUE(says(with("instances:\n- {name: a, url: x, api_key_env: K}"), "The instance a needs an url"));
  EXPECT_TRUE(says(with("instances:\n- {name: a, url: 'https://x'}"), "needs api_key_file or api_key_env"));
  EXPECT_TRUE(says(with("instances:\n- {name: a, url: 'https://x', api_key: secret}"), "has \"api_key\", which means nothing"));
  EXPECT_FALSE(says(with("instances:\n- {name: a, url: 'https://x', api_key: hush}"), "hush"));
  EXPECT_TRUE(says(with("instances:\n- {name: a, url: 'https://x', api_key_env: K}"), "The variable K"));
  EXPECT_TRUE(says(with("instances:\n- {name: a, url: 'https://x', api_key_file: none}"), "cannot be read"));
  EXPECT_TRUE(says(with("waves: [10, 5]\ninstances:\n- {name: a}"), "ascend to 100"));
  EXPECT_TRUE(says(with("waves: [10, 50]\ninstances:\n- {name: a}"), "ascend to 100"));
  folder.write("k", "key");
  EXPECT_TRUE(says(with("instances:\n- {name: a, url: 'https://x', api_key_file: k, wave: 9}"), "needs a wave from 1 to 4"));
  EXPECT_TRUE(says(with("instances:\n- {name: a, url: 'https://x', api_key_file: k}\n- {name: a, url: 'https://y', api_key_file: k}"), "twice"));
  EXPECT_TRUE(says(refusal([] { read_fleet("/nowhere/fleet.yaml", [](const std::string&) { return std::optional<std::string>(); }); }), "cannot be read"));
}

TEST(Fleet, has_waves_of_the_size_that_they_say) {
  auto fleet = fleet_of(1000);
  auto waves = waves_of(fleet, "0.2.0");
  std::map<int, int> sizes;
  for (int wave : waves) ++sizes[wave];
  EXPECT_EQ(sizes, (std::map<int, int>{{1, 10}, {2, 90}, {3, 400}, {4, 500}}));
  EXPECT_EQ(waves_of(fleet, "0.2.0"), waves);
  EXPECT_NE(waves_of(fleet, "0.3.0"), waves) << "not always the same ones first";
  auto small = waves_of(fleet_of(3), "0.2.0");
  EXPECT_EQ(std::count(small.begin(), small.end(), 1), 1) << "somebody goes first";
  auto chosen = fleet_of(3);
  chosen.members[1].wave = 1;
  auto with_choice = waves_of(chosen, "0.2.0");
  EXPECT_EQ(std::count(with_choice.begin(), with_choice.end(), 1), 1);
  EXPECT_EQ(with_choice[1], 1);
}

TEST(Rollout, goes_through_all_waves_in_order_and_a_few_at_a_time) {
  auto fleet = fleet_of(200);
  Played played;
  std::vector<std::string> said;
  auto result = run(fleet, everywhere(fleet), played, &said);
  EXPECT_EQ(result.end, RolloutResult::End::Done);
  EXPECT_EQ(result.upgraded, 200u);
  EXPECT_EQ(played.most_at_it, 4u);
  auto waves = waves_of(fleet, "0.2.0");
  int before = 0;
  for (auto& name : played.asked) {
    auto wave = waves[std::stoul(name.substr(1))];
    EXPECT_GE(wave, before);
    before = wave;
  }
  EXPECT_EQ(said[0], "Wave 1: 2 instances.");
  played.asked.clear();
  EXPECT_EQ(run(fleet, everywhere(fleet), played).end, RolloutResult::End::Nothing) << "a second time";
  EXPECT_TRUE(played.asked.empty());
}

TEST(Rollout, does_one_wave_when_asked_for_one) {
  auto fleet = fleet_of(200);
  Played played;
  Rollout second{.version = "0.2.0", .first_wave = 2, .last_wave = 2};
  auto result = run(fleet, second, played);
  EXPECT_EQ(result.upgraded, 18u);
  EXPECT_EQ(result.untouched, 182u);
}

TEST(Rollout, stops_at_the_fourth_that_rolls_back) {
  auto fleet = fleet_of(1000);
  Played played;
  for (auto& member : fleet.members) played.does[member.name] = Played::Does::RollsBack;
  std::vector<std::string> said;
  auto result = run(fleet, everywhere(fleet), played, &said);
  EXPECT_EQ(result.end, RolloutResult::End::Stopped);
  EXPECT_LE(played.asked.size(), 7u) << "the fourth, and at most three that were at it beside it";
  EXPECT_EQ(result.rolled_back, played.asked.size());
  EXPECT_EQ(result.untouched, 1000 - played.asked.size());
  EXPECT_TRUE(result.sentence.starts_with("Stopped: 4 of 4 rolled back, and more than 3 are too many.")) << result.sentence;
  EXPECT_TRUE(says(said[1], " rolled back: A golden card changed."));
  auto so_far = played.asked.size();
  EXPECT_EQ(run(fleet, everywhere(fleet), played).end, RolloutResult::End::Stopped) << "and does not begin again by itself";
  EXPECT_EQ(played.asked.size(), so_far);
}

TEST(Rollout, lives_with_two_in_a_hundred) {
  EXPECT_EQ(most_rolled_back(0), 3u);
  EXPECT_EQ(most_rolled_back(199), 3u);
  EXPECT_EQ(most_rolled_back(200), 4u);
  EXPECT_EQ(most_rolled_back(10'000), 200u);
  auto fleet = fleet_of(1000);
  Played played;
  for (int i = 0; i < 1000; i += 100) played.does["m" + std::to_string(i)] = Played::Does::RollsBack;
  auto result = run(fleet, everywhere(fleet), played);
  EXPECT_EQ(result.end, RolloutResult::End::NeedsAPerson);
  EXPECT_EQ(result.upgraded, 990u);
  EXPECT_EQ(result.rolled_back, 10u);
}

TEST(Rollout, counts_whoever_hangs_or_vanishes_as_rolled_back) {
  auto fleet = fleet_of(20);
  Played played;
  for (auto& member : fleet.members) played.does[member.name] = Played::Does::Vanishes;
  auto rollout = everywhere(fleet);
  rollout.patience = std::chrono::seconds(60);
  std::vector<std::string> said;
  auto result = run(fleet, rollout, played, &said);
  EXPECT_EQ(result.end, RolloutResult::End::Stopped);
  EXPECT_TRUE(says(said[1], "cannot be reached any more: Nobody answers."));
  Played hanging;
  for (auto& member : fleet.members) hanging.does[member.name] = Played::Does::Hangs;
  EXPECT_EQ(run(fleet, rollout, hanging, &said).end, RolloutResult::End::Stopped);
  EXPECT_TRUE(says(said.back(), "did not finish in time; it is observing."));
}

TEST(Rollout, tells_of_those_that_are_away_or_refuse_and_goes_on) {
  auto fleet = fleet_of(10);
  Played played;
  for (int i = 0; i < 5; ++i) played.does["m" + std::to_string(i)] = Played::Does::Refuses;
  played.does["m5"] = Played::Does::IsGone;
  played.does["m6"] = Played::Does::IsHeld;
  played.does["m7"] = Played::Does::CannotFetch;
  std::vector<std::string> said;
  auto result = run(fleet, everywhere(fleet), played, &said);
  EXPECT_EQ(result.end, RolloutResult::End::NeedsAPerson);
  EXPECT_EQ(result.refused, 7u);
  EXPECT_EQ(result.lost, 1u);
  EXPECT_EQ(result.upgraded, 2u);
  EXPECT_EQ(std::count(played.asked.begin(), played.asked.end(), "m6"), 0) << "whoever is held is not even asked";
  EXPECT_EQ(std::count(said.begin(), said.end(), "m6 is held: Quarter end."), 1);
  EXPECT_EQ(std::count(said.begin(), said.end(), "m7 does not take it: The list of releases has expired."), 1);
}

TEST(HttpCalls, ask_with_the_key_and_read_what_is_answered) {
  client::TestServer server([](const std::string& request) {
    if (request.starts_with("POST")) return std::string("HTTP/1.1 409 Conflict\r\nContent-Length: 35\r\n\r\n{\"message\":\"Upgrades are on hold.\"}");
    return client::TestServer::ok(R"({"version":"0.1.0","current":"installed","launcher":true,"policy":"minor","run":{"phase":"good","to":"0.1.0","error":null},"denied":[{"version":"0.2.0","why":"It hung."}],"hold":{"until":null,"by":"Ann","why":"Quarter end."},"available":{"version":"0.3.0"}})");
  });
  HttpCalls calls("", std::chrono::seconds(5), std::chrono::milliseconds(1));
  Member member{"m", server.address(""), "the key", {}};
  auto state = calls.state(member);
  EXPECT_TRUE(state.reached) << state.error;
  EXPECT_EQ(state.current, "0.1.0");
  EXPECT_EQ(state.denied.at("0.2.0"), "It hung.");
  EXPECT_EQ(state.held, "Quarter end.");
  EXPECT_EQ(state.available, "0.3.0");
  EXPECT_EQ(calls.apply(member, "0.3.0"), "Upgrades are on hold.");
  auto asked = server.asked();
  EXPECT_TRUE(says(asked[0], "GET /api/updates/self HTTP/1.1"));
  EXPECT_TRUE(says(asked[0], "X-Api-Key: the key\r\n"));
  EXPECT_TRUE(asked[1].ends_with(R"({"version":"0.3.0","now":true})"));
  client::TestServer closed([](const std::string&) { return client::TestServer::status(401); });
  EXPECT_TRUE(says(calls.state({"m", closed.address(""), "k", {}}).error, "does not take the API key"));
  client::TestServer odd([](const std::string&) { return client::TestServer::ok("<html>"); });
  EXPECT_TRUE(says(calls.state({"m", odd.address(""), "k", {}}).error, "no JSON"));
  EXPECT_TRUE(says(calls.state({"m", "http://127.0.0.1:1", "k", {}}).error, "cannot be reached"));
}

}  // namespace
}  // namespace basalt::release
