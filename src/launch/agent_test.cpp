#include "launch/agent.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "base/log.h"
#include "release/test_feed.h"
#include "release/version.h"

namespace basalt::launch {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct AgentTest : testing::Test {
  release::TestFeed feed;
  fs::path folder = feed.base / "versions";
  Slots slots{folder, "/usr/bin/basalt", "0.1.0"};
  FixedClock clock{feed.now};
  State state;

  AgentTest() {
    log::set_up(log::Level::Error, log::Format::Text);
    fs::create_directories(folder);
    state.instance = "an instance";
  }

  void publish(const std::string& version, json::object more = {}) {
    auto top = feed.base / ("basalt-" + version);
    fs::create_directories(top);
    std::ofstream(top / "basalt") << "program " << version;
    fs::permissions(top / "basalt", fs::perms::owner_all);
    auto file = feed.base / "packed.tar";
    ASSERT_EQ(std::system(("tar -C " + feed.base.string() + " -cf " + file.string() + " basalt-" + version).c_str()), 0);
    std::ifstream in(file, std::ios::binary);
    feed.publish(version, {std::istreambuf_iterator<char>(in), {}}, std::move(more));
  }
  std::unique_ptr<Agent> agent(release::Policy policy, std::chrono::seconds first = 0s) {
    AgentOptions options;
    options.policy.policy = policy;
    options.origin = {[this](std::stop_token) { return release::open_source(feed.folder.string()); }, [this] { return feed.anchor(); }, feed.trust};
    options.first = first;
    auto out = std::make_unique<Agent>(options, slots, clock);
    out->ready(state);
    return out;
  }
  // Waits for the thread, not for a time.
  template <class Look>
  auto awaited(Look&& look) -> decltype(look()) {
    for (int i = 0; i < 2000; ++i) {
      if (auto got = look()) return got;
      std::this_thread::sleep_for(5ms);
    }
    return {};
  }
};

TEST_F(AgentTest, what_is_due_is_fetched_checked_and_handed_over) {
  publish("0.2.0");
  clock.advance(std::chrono::hours(24 * 8));
  auto one = agent(release::Policy::Minor);
  auto ready = awaited([&] { return one->ready(state); });
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->version, "0.2.0");
  EXPECT_EQ(ready->by, "the policy minor");
  EXPECT_FALSE(ready->anyway);
  EXPECT_TRUE(slots.find("0.2.0"));
  auto seen = one->seen();
  ASSERT_TRUE(seen);
  EXPECT_EQ(json::text(*seen, "feed"), "ok");
  EXPECT_EQ(json::text(*json::find(*seen, "newest"), "version"), "0.2.0");
}

TEST_F(AgentTest, it_only_tells_where_it_may_not_install) {
  publish("0.2.0");
  for (int kind = 0; kind < 4; ++kind) {
    if (kind > 0) clock.advance(std::chrono::hours(24 * 8));  // at first its turn has not come
    state.hold.reset();
    state.denied.clear();
    if (kind == 2) state.hold = Held{{}, "Ada", "", clock.now()};
    if (kind == 3) state.denied = {{"0.2.0", "It hangs.", clock.now()}};
    auto one = agent(kind == 1 ? release::Policy::Notify : release::Policy::Minor, 3600s);
    one->look();
    auto seen = awaited([&] { return one->seen(); });
    ASSERT_TRUE(seen);
    EXPECT_EQ(json::text(*json::find(*seen, "newest"), "version"), "0.2.0");
    EXPECT_NE(json::text(*json::find(*seen, "due"), "decision"), "install") << kind;
    EXPECT_FALSE(one->ready(state));
    EXPECT_FALSE(slots.find("0.2.0"));
  }
}

TEST_F(AgentTest, a_person_gets_it_at_once) {
  publish("0.2.0");
  auto one = agent(release::Policy::Off);
  one->fetch("0.2.0", "Ada", true);
  auto ready = awaited([&] { return one->ready(state); });
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->by, "Ada");
  EXPECT_TRUE(ready->anyway);
}

TEST_F(AgentTest, a_person_who_does_not_insist_minds_holds_and_failures) {
  publish("0.2.0");
  for (bool on_hold : {true, false}) {
    state.hold.reset();
    state.denied.clear();
    if (on_hold) state.hold = Held{{}, "Ada", "the fair", clock.now()};
    else state.denied = {{"0.2.0", "It hangs.", clock.now()}};
    auto one = agent(release::Policy::Off);
    one->fetch("0.2.0", "Bob", false);
    auto error = awaited([&]() -> std::optional<std::string> { return json::text(json::value(one->to_json()), "error"); });
    ASSERT_TRUE(error);
    EXPECT_NE(error->find(on_hold ? "Upgrades are on hold (the fair)" : "failed here before (It hangs)"), std::string::npos) << *error;
    EXPECT_FALSE(slots.find("0.2.0"));
    EXPECT_FALSE(one->ready(state));
  }
  state.denied.clear();
  auto one = agent(release::Policy::Off);
  one->fetch("0.2.0", "Bob", false);
  auto ready = awaited([&] { return one->ready(state); });
  ASSERT_TRUE(ready);
  EXPECT_FALSE(ready->anyway) << "the trial looks once more";
}

TEST_F(AgentTest, old_downloads_go) {
  publish("0.2.0");
  fs::create_directories(folder / "downloads");
  for (auto* name : {"old", "new"}) std::ofstream(folder / "downloads" / name) << "a part";
  fs::last_write_time(folder / "downloads/old", fs::file_time_type::clock::now() - std::chrono::hours(25));
  auto one = agent(release::Policy::Off);
  one->fetch("0.2.0", "Ada", true);
  ASSERT_TRUE(awaited([&] { return one->ready(state); }));
  EXPECT_FALSE(fs::exists(folder / "downloads/old"));
  EXPECT_TRUE(fs::exists(folder / "downloads/new"));
}

TEST_F(AgentTest, what_is_not_as_it_was_signed_is_not_fetched) {
  publish("0.2.0");
  auto file = std::string("basalt-0.2.0-linux-x64.tar.gz");
  auto bytes = feed.read(file);
  bytes[bytes.size() / 2] ^= 1;
  feed.write(file, bytes);
  auto one = agent(release::Policy::Off);
  one->fetch("", "Ada", true);
  auto error = awaited([&]() -> std::optional<std::string> { return json::text(json::value(one->to_json()), "error"); });
  ASSERT_TRUE(error);
  EXPECT_NE(*error, "");
  EXPECT_FALSE(slots.find("0.2.0"));
  EXPECT_FALSE(one->ready(state));
  // A swapped list is refused as well, and said to administrators.
  auto list = feed.read("releases.json");
  auto at = list.find("0.2.0");
  list[at] = '1';
  feed.write("releases.json", list);
  one->look();
  auto failed = awaited([&]() -> std::optional<bool> {
    auto seen = one->seen();
    return seen && json::text(*seen, "feed").value_or("").starts_with("failed: ") ? std::optional(true) : std::nullopt;
  });
  EXPECT_TRUE(failed);
}

}  // namespace
}  // namespace basalt::launch
