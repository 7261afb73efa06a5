#include "release/decision.h"

#include <gtest/gtest.h>

#include "release/test_feed.h"

namespace basalt::release {
namespace {

using namespace std::chrono_literals;

const Timestamp released = on("2026-11-20");

Release made(const std::string& version, Class c = Class::Minor) {
  Release out;
  out.version = version;
  out.release_class = c;
  out.released_at = released;
  out.artefacts.push_back({"linux-x64", "f", "s", 1});
  return out;
}

Releases list_of(std::vector<Release> releases) {
  Releases out;
  out.releases = std::move(releases);
  return out;
}

Situation here(const std::string& current = "0.1.0", Policy policy = Policy::All) {
  Situation out;
  out.current = current;
  out.platform = "linux-x64";
  out.instance = "instance";
  out.now = released + std::chrono::hours(24 * 365);
  out.policy = policy;
  return out;
}

std::string next(const Releases& list, const Situation& situation) {
  auto decision = due(list, situation);
  EXPECT_TRUE(decision.sentence.ends_with('.') || decision.sentence.find(": ") != std::string::npos) << decision.sentence;
  std::string kind = decision.kind == Decision::Kind::Install ? "install" : decision.kind == Decision::Kind::Wait ? "wait" : "no";
  return kind + (decision.release ? " " + decision.release->version : "");
}

TEST(Decision, takes_the_newest_that_may_be_taken) {
  auto list = list_of({made("0.2.0"), made("0.3.0"), made("1.0.0", Class::Major)});
  EXPECT_EQ(next(list, here()), "install 1.0.0");
  EXPECT_EQ(next(list, here("1.0.0")), "no");
  EXPECT_EQ(next(list, here("2.0.0")), "no");
  EXPECT_EQ(next(list, here("unknown")), "no");
  list.releases[2].withdrawn = true;
  EXPECT_EQ(next(list, here()), "install 0.3.0");
  list.releases[1].artefacts[0].platform = "linux-arm64";
  EXPECT_EQ(next(list, here()), "install 0.2.0");
  list.releases[0].compat_from = "0.1.5";
  EXPECT_EQ(next(list, here()), "no 1.0.0");
  EXPECT_EQ(next(list, here("0.1.5")), "install 0.2.0");
}

TEST(Decision, does_what_the_policy_says) {
  auto list = list_of({made("0.2.0", Class::Security)});
  EXPECT_EQ(next(list, here("0.1.0", Policy::Off)), "no");
  EXPECT_EQ(next(list, here("0.1.0", Policy::Notify)), "no 0.2.0");
  EXPECT_EQ(next(list, here("0.1.0", Policy::Minor)), "install 0.2.0");
  auto majors = list_of({made("1.0.0", Class::Major)});
  EXPECT_EQ(next(majors, here("0.1.0", Policy::Minor)), "no 1.0.0");
  EXPECT_TRUE(says(due(majors, here("0.1.0", Policy::Minor)).sentence, "is a major release, which does not install itself here"));
  EXPECT_EQ(next(majors, here("0.1.0", Policy::All)), "install 1.0.0");
  for (auto policy : {Policy::Off, Policy::Notify, Policy::Minor, Policy::All}) {
    EXPECT_EQ(policy_of(name_of(policy)), policy);
    auto asked = here("0.1.0", policy);
    asked.asked = true;
    EXPECT_EQ(next(majors, asked), "install 1.0.0") << "a person is above the policy";
  }
  EXPECT_FALSE(policy_of("sometimes"));
}

TEST(Decision, passes_barriers_one_by_one) {
  auto list = list_of({made("0.2.0"), made("0.3.0"), made("0.4.0"), made("0.5.0")});
  list.releases[1].barrier = true;
  EXPECT_EQ(next(list, here("0.1.0")), "install 0.3.0");
  EXPECT_EQ(next(list, here("0.3.0")), "install 0.5.0");
  auto asked = here("0.1.0");
  asked.asked = true;
  EXPECT_EQ(next(list, asked), "install 0.3.0");
  EXPECT_TRUE(says(refusal([&] { wanted(list, "0.5.0", asked); }), "comes after 0.3.0, which everybody has to pass through first"));
  EXPECT_EQ(wanted(list, "0.2.0", asked).version, "0.2.0");
  list.releases[1].withdrawn = true;
  EXPECT_EQ(next(list, here("0.1.0")), "install 0.5.0") << "nobody can pass through what was withdrawn";
}

TEST(Decision, says_why_a_version_that_a_person_names_is_not_taken) {
  auto list = list_of({made("0.1.0"), made("0.2.0"), made("0.3.0")});
  list.releases[1].withdrawn = true;
  list.releases[1].withdrawn_why = "It loses rows.";
  auto situation = here("0.1.5");
  EXPECT_EQ(refusal([&] { wanted(list, "0.2.0", situation); }), "Version 0.2.0 was withdrawn by its makers: It loses rows.");
  EXPECT_TRUE(says(refusal([&] { wanted(list, "0.1.0", situation); }), "is not newer than 0.1.5, which runs; `basalt upgrade rollback` goes back"));
  EXPECT_EQ(refusal([&] { wanted(list, "0.9.0", situation); }), "There is no version 0.9.0 in the list of releases; the newest is 0.3.0.");
  situation.platform = "linux-arm64";
  EXPECT_TRUE(says(refusal([&] { wanted(list, "0.3.0", situation); }), "is not made for linux-arm64"));
  EXPECT_EQ(withdrawn(list, "0.2.0"), "It loses rows.");
  EXPECT_FALSE(withdrawn(list, "0.3.0"));
  EXPECT_FALSE(withdrawn(list, "7.0.0"));
}

TEST(Decision, does_not_try_again_what_failed_here_unless_a_person_asks) {
  auto list = list_of({made("0.2.0"), made("0.3.0")});
  auto situation = here();
  situation.denied = {{"0.3.0", "A golden card changed."}};
  EXPECT_EQ(next(list, situation), "install 0.2.0");
  situation.denied.push_back({"0.2.0", "It did not start."});
  EXPECT_EQ(due(list, situation).sentence, "Version 0.3.0 failed here before: A golden card changed.");
  situation.asked = true;
  EXPECT_EQ(next(list, situation), "install 0.3.0");
}

TEST(Decision, waits_while_it_is_held) {
  auto list = list_of({made("0.2.0")});
  auto situation = here();
  situation.hold = Hold{situation.now + 1h, "Ann", "Quarter end."};
  auto decision = due(list, situation);
  EXPECT_EQ(decision.kind, Decision::Kind::Wait);
  EXPECT_EQ(decision.when, situation.now + 1h);
  EXPECT_EQ(decision.sentence, "Version 0.2.0 waits because upgrades are held until 2027-11-20 01:00 UTC by Ann: Quarter end.");
  situation.hold->until = situation.now - 1h;
  EXPECT_EQ(next(list, situation), "install 0.2.0");
  situation.hold->until.reset();
  EXPECT_EQ(next(list, situation), "wait 0.2.0");
  situation.asked = true;
  EXPECT_EQ(next(list, situation), "install 0.2.0");
}

TEST(Decision, waits_for_its_place_in_the_wave) {
  for (auto& [c, hours] : std::vector<std::pair<Class, int>>{{Class::Security, 24}, {Class::Minor, 168}, {Class::Major, 1008}}) {
    auto list = list_of({made("0.2.0", c)});
    EXPECT_EQ(wave_length(list.releases[0]), std::chrono::hours(hours));
    auto situation = here();
    auto place = place_in_wave("instance", "0.2.0");
    auto at = due_at(list.releases[0], place);
    situation.now = at - 1s;
    EXPECT_EQ(due(list, situation).when, at);
    EXPECT_EQ(next(list, situation), "wait 0.2.0");
    situation.now = at;
    EXPECT_EQ(next(list, situation), "install 0.2.0");
    EXPECT_EQ(due_at(list.releases[0], 1.0), released + std::chrono::hours(hours)) << "everybody by then";
    EXPECT_EQ(due_at(list.releases[0], 0.01), released + std::chrono::minutes(hours * 6)) << "one in a hundred in a tenth of the time";
  }
  auto special = made("0.2.0");
  special.over = std::chrono::hours(2);
  EXPECT_EQ(wave_length(special), 2h);
}

TEST(Decision, places_are_stable_even_and_other_for_each_version) {
  EXPECT_EQ(place_in_wave("instance", "0.2.0"), place_in_wave("instance", "0.2.0"));
  EXPECT_NE(place_in_wave("instance", "0.2.0"), place_in_wave("instance", "0.2.1"));
  // By hand: printf 'a\n1' | sha256sum begins with this.
  auto hash = sha256("a\n1");
  std::uint64_t first = 0;
  for (int i = 0; i < 8; ++i) first = first << 8 | static_cast<unsigned char>(hash[static_cast<std::size_t>(i)]);
  EXPECT_NEAR(place_in_wave("a", "1"), static_cast<double>(first) / 18446744073709551616.0, 1e-12);
  std::array<int, 10> tenths{};
  for (int i = 0; i < 10'000; ++i) {
    auto place = place_in_wave("instance " + std::to_string(i), "0.2.0");
    ASSERT_GE(place, 0.0);
    ASSERT_LT(place, 1.0);
    ++tenths[static_cast<std::size_t>(place * 10)];
  }
  for (int count : tenths) EXPECT_NEAR(count, 1000, 120);
}

TEST(Decision, keeps_to_the_window) {
  auto window = Window::parse("02:00-05:00");
  ASSERT_TRUE(window);
  EXPECT_TRUE(window->contains(on("2026-11-20T02:00:00Z")));
  EXPECT_FALSE(window->contains(on("2026-11-20T05:00:00Z")));
  EXPECT_EQ(window->next(on("2026-11-20T01:00:00Z")), on("2026-11-20T02:00:00Z"));
  EXPECT_EQ(window->next(on("2026-11-20T03:30:00Z")), on("2026-11-20T03:30:00Z"));
  EXPECT_EQ(window->next(on("2026-11-20T06:00:00Z")), on("2026-11-21T02:00:00Z"));
  auto night = Window::parse("22:00-04:00");
  EXPECT_TRUE(night->contains(on("2026-11-20T23:00:00Z")));
  EXPECT_TRUE(night->contains(on("2026-11-20T03:59:00Z")));
  EXPECT_FALSE(night->contains(on("2026-11-20T04:00:00Z")));
  EXPECT_EQ(night->next(on("2026-11-20T12:00:00Z")), on("2026-11-20T22:00:00Z"));
  EXPECT_TRUE(Window::parse("22:00-24:00"));
  auto sunday = Window::parse("Sun 02:00-05:00");
  EXPECT_EQ(sunday->next(on("2026-11-20T12:00:00Z")), on("2026-11-22T02:00:00Z"));
  EXPECT_EQ(sunday->next(on("2026-11-22T05:00:00Z")), on("2026-11-29T02:00:00Z"));
  auto nights = Window::parse("Fri-Sat 22:00-02:00 Europe/Berlin");
  EXPECT_TRUE(nights->contains(on("2026-11-21T00:30:00Z"))) << "half past one on Saturday: Friday's";
  EXPECT_FALSE(nights->contains(on("2026-11-20T00:30:00Z"))) << "half past one on Friday: Thursday's";
  EXPECT_TRUE(nights->contains(on("2026-11-20T21:00:00Z")));
  EXPECT_FALSE(nights->contains(on("2026-07-17T19:59:59Z")));
  EXPECT_EQ(nights->next(on("2026-07-17T12:00:00Z")), on("2026-07-17T20:00:00Z")) << "summer";
  EXPECT_EQ(nights->next(on("2026-11-22T12:00:00Z")), on("2026-11-27T21:00:00Z"));
  EXPECT_TRUE(Window::parse("Sat-Mon,Wed 02:00-05:00")->days[0]);
  EXPECT_FALSE(Window::parse("Sat-Mon,Wed 02:00-05:00")->days[2]);
  for (auto* text : {"Sun", "Funday 02:00-05:00", "Mon- 02:00-05:00", "Mon, 02:00-05:00", "02:00-05:00 Nowhere/Else", "Mon 02:00-05:00 UTC more"}) EXPECT_FALSE(Window::parse(text)) << text;
  for (auto* text : {"", "02:00", "2:00-5:00", "02:00-25:00", "02:60-03:00", "02:00-02:00", "24:00-05:00", "02:00 05:00", "ab:cd-ef:gh"}) EXPECT_FALSE(Window::parse(text)) << text;
  auto list = list_of({made("0.2.0")});
  auto situation = here();
  situation.now = on("2027-11-20T12:00:00Z");
  situation.window = window;
  EXPECT_EQ(due(list, situation).when, on("2027-11-21T02:00:00Z"));
  situation.asked = true;
  EXPECT_EQ(next(list, situation), "install 0.2.0");
}

TEST(Decision, is_told_as_json) {
  auto list = list_of({made("0.2.0", Class::Security)});
  auto out = due(list, here("0.1.0", Policy::Notify)).to_json();
  EXPECT_EQ(json::write(out), R"({"decision":"no","version":"0.2.0","class":"security","when":null,"sentence":"Version 0.2.0 is there and waits for somebody who installs it: `basalt upgrade apply`."})");
}

}  // namespace
}  // namespace basalt::release
