// The launcher with servers that are this test program itself, and behave as a file says when they start.
#include "launch/launcher.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "base/failure.h"
#include "base/random.h"

namespace basalt::launch {
namespace {

using namespace std::chrono_literals;

TEST(Fake, DISABLED_server) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  auto* notify = std::getenv("NOTIFY_SOCKET");
  ASSERT_NE(notify, nullptr);
  NotifySocket launcher(notify);
  auto inherited = Inherited::take();
  std::string how;
  std::ifstream(std::getenv("BEHAVIOUR")) >> how;
  if (how == "refuses") {
    std::fprintf(stderr, "basalt: not today.\n");
    ::_exit(20);
  }
  launcher.send("STATUS=" + how + "\n");
  if (how != "silent") launcher.send("READY=1\n");
  for (int received = 0;;) {
    sigwait(&set, &received);
    if (how != "deaf") ::_exit(inherited.line.last() == Line::Word::Leave ? 3 : 0);
  }
}

class Fixed final : public Versions {
 public:
  std::string slot_to_start() override { return installed_slot; }
  std::filesystem::path program(const std::string& slot) override { throw Failure(FailureKind::NotFound, "There is no version \"" + slot + "\" here."); }
  void tick() override {
    if (on_tick) on_tick();
  }
  std::string busy() override { return busy_with; }
  json::object to_json() override { return {{"current", "installed"}}; }
  void command(const json::object& request, std::shared_ptr<Reply> reply) override {
    if (on_command) return on_command(std::move(reply));
    throw Failure(FailureKind::BadRequest, "No such command: " + json::text(request, "do").value_or(""));
  }
  std::function<void()> on_tick;
  std::function<void(std::shared_ptr<Reply>)> on_command;
  std::string busy_with;
};

class LauncherTest : public ::testing::Test {
 protected:
  LauncherTest() : folder_(std::filesystem::temp_directory_path() / ("basalt-launcher-" + random_hex(6))) {
    std::filesystem::create_directories(folder_);
    pthread_sigmask(SIG_SETMASK, nullptr, &before_);
    behave("good");
    options.port = 0;
    options.versions_folder = folder_ / "versions";
    options.program = std::filesystem::read_symlink("/proc/self/exe");
    options.words = {"--gtest_also_run_disabled_tests", "--gtest_filter=Fake.DISABLED_server", "--gtest_brief=1"};
    options.environment = {{"BEHAVIOUR", (folder_ / "behaviour").string()}};
    options.shortest_pause = 10ms;
    options.longest_pause = 40ms;
  }
  ~LauncherTest() override {
    // What was sent to a launcher that had ended already is not meant for the tests.
    sigset_t meant_for_it;
    sigemptyset(&meant_for_it);
    for (int one : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&meant_for_it, one);
    timespec at_once{};
    while (sigtimedwait(&meant_for_it, nullptr, &at_once) > 0) {}
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    std::filesystem::remove_all(folder_);
  }
  void behave(const std::string& how) { std::ofstream(folder_ / "behaviour") << how; }

  // Runs the launcher, and `story` beside it; then the launcher is told to end.
  int run(const std::function<void()>& story) {
    Launcher launcher(options, {}, [&](Children& children) {
      auto made = std::make_unique<Fixed>();
      versions = made.get();
      if (prepare) prepare(children);
      return made;
    });
    std::jthread teller([&] {
      story();
      ::kill(getpid(), SIGTERM);
    });
    return launcher.run();
  }
  json::object status() { return ask_launcher(options.versions_folder / "launcher.sock", {{"do", "status"}}, {}, 5s); }
  json::object until(const std::function<bool(const json::object&)>& good) {
    auto limit = std::chrono::steady_clock::now() + 20s;
    for (;;) {
      auto now = status();
      if (good(now)) return now;
      if (std::chrono::steady_clock::now() > limit) {
        ADD_FAILURE() << "waited in vain: " << json::write(now);
        return now;
      }
      std::this_thread::yield();
    }
  }
  static json::object serving(const json::object& status) {
    for (auto& child : status.at("children").as_array())
      if (child.as_object().at("id") == status.at("serving")) return child.as_object();
    return {{"id", 0}, {"process", 0}, {"ready", false}, {"memory_bytes", 0}};
  }
  static bool settled(const json::object& status) {
    return serving(status).at("ready").as_bool();
  }
  json::object swap() { return ask_launcher(options.versions_folder / "launcher.sock", {{"do", "swap"}}, {}, 20s); }
  std::string refusal(const std::function<void()>& work) {
    try {
      work();
    } catch (const Failure& failure) {
      return failure.sentence();
    }
    return "";
  }

  LauncherOptions options;
  Fixed* versions = nullptr;
  std::function<void(Children&)> prepare;

 private:
  std::filesystem::path folder_;
  sigset_t before_;
};

TEST_F(LauncherTest, starts_a_server_and_ends_with_it) {
  std::int64_t process = 0;
  EXPECT_EQ(run([&] {
    auto now = until(settled);
    EXPECT_EQ(now.at("launcher").as_object().at("process").as_int64(), getpid());
    EXPECT_EQ(json::text(now, "current"), "installed");
    process = serving(now).at("process").as_int64();
    EXPECT_GT(serving(now).at("memory_bytes").as_int64(), 0);
  }), 0);
  EXPECT_EQ(process_start(static_cast<pid_t>(process)), 0u);
  EXPECT_FALSE(std::filesystem::exists(options.versions_folder / "launcher.sock"));
}

TEST_F(LauncherTest, starts_one_that_died_again_and_gives_up_never) {
  run([&] {
    auto first = serving(until(settled)).at("process").as_int64();
    behave("refuses");
    ::kill(static_cast<pid_t>(first), SIGKILL);
    until([](auto& now) { return json::text(now, "last_end") == "ended with code 20: basalt: not today."; });
    behave("good");
    EXPECT_NE(serving(until(settled)).at("process").as_int64(), first);
  });
}

TEST_F(LauncherTest, lets_another_take_over_only_when_it_is_ready) {
  options.start_patience = 5s;
  run([&] {
    auto first = serving(until(settled)).at("process").as_int64();
    EXPECT_NE(json::text(swap(), "message").value_or("").find("A new server process took over"), std::string::npos);
    auto second = serving(until(settled)).at("process").as_int64();
    EXPECT_NE(first, second);
    until([](auto& now) { return now.at("children").as_array().size() == 1; });
    for (auto& [how, why] : std::vector<std::pair<std::string, std::string>>{{"refuses", "The new server process ended with code 20: basalt: not today."},
                                                                             {"silent", "The new server process did not become ready: nothing moved for 5 seconds; it last said: silent"}}) {
      behave(how);
      EXPECT_EQ(refusal([&] { swap(); }), why);
      auto now = status();
      EXPECT_EQ(serving(now).at("process").as_int64(), second) << how;
      EXPECT_EQ(json::text(now.at("last_swap").as_object(), "message"), why);
    }
    behave("good");
    versions->busy_with = "A version is on trial.";
    EXPECT_EQ(refusal([&] { swap(); }), "A version is on trial.");
  });
}

TEST_F(LauncherTest, two_signals_in_a_row_are_two_swaps) {
  run([&] {
    auto first = serving(until(settled)).at("id").as_int64();
    ::kill(getpid(), SIGHUP);
    until([](auto& now) { return !now.at("swap").is_null() || serving(now).at("id").as_int64() > 1; });
    ::kill(getpid(), SIGHUP);
    until([&](auto& now) { return settled(now) && serving(now).at("id").as_int64() >= first + 2; });
  });
}

TEST_F(LauncherTest, kills_what_does_not_end) {
  options.drain_time = 0s;
  behave("deaf");
  std::chrono::steady_clock::time_point began;
  // Told to stop a second time from a terminal, it does not wait for its servers.
  run([&] {
    until(settled);
    began = std::chrono::steady_clock::now();
    ::kill(getpid(), SIGINT);
    until([](auto& now) { return now.at("launcher").as_object().at("stopping").as_bool(); });
    ::kill(getpid(), SIGINT);
  });
  EXPECT_LT(std::chrono::steady_clock::now() - began, 14s);
}

TEST_F(LauncherTest, a_ready_server_that_is_silent_for_long_is_killed_and_started_again) {
  options.watchdog = 1s;  // the fake never says that it lives
  run([&] {
    auto first = serving(until(settled)).at("process").as_int64();
    until([&](auto& now) { return settled(now) && serving(now).at("process").as_int64() != first && json::text(now, "last_end") == "was ended by signal 9 (Killed)"; });
  });
}

// What a trial does, by hand: the interface that it is written against.
TEST_F(LauncherTest, hands_its_processes_to_a_trial) {
  Children* children = nullptr;
  std::optional<ChildId> candidate, unknown;
  std::optional<TicketId> command, question;
  std::vector<std::string> seen;
  prepare = [&](Children& given) {
    children = &given;
    versions->on_tick = [&] {
      auto before = children->serving();
      if (!candidate) {
        if (!before || !children->look(*before).ready) return;
        candidate = children->start({installed_slot, true, {{"MORE", "1"}}});
        unknown = children->start({"9.9.9", true, {}});
        command = children->run(installed_slot, {"--gtest_list_tests", "--gtest_filter=Fake.*"}, 20s);
        return;
      }
      auto now = children->look(*candidate);
      if (now.ready && seen.empty()) {
        EXPECT_FALSE(now.serves);
        EXPECT_EQ(now.slot, installed_slot);
        EXPECT_EQ(now.status, "good");
        EXPECT_GE(now.moved, 2u);
        EXPECT_GT(now.memory_bytes, 0);
        EXPECT_EQ(children->look(*unknown).ended, "could not be started: There is no version \"9.9.9\" here.");
        question = children->ask(*candidate, "GET", "/api/health", "", 1s);
        children->go(*candidate);
        EXPECT_EQ(children->serving(), candidate);
        EXPECT_TRUE(children->look(*candidate).serves);
        seen.push_back(before == candidate ? "itself" : "another");
      } else if (seen.size() == 1 && !children->look(ChildId(1)).alive) {
        seen.push_back(children->look(ChildId(1)).ended);
      } else if (seen.size() == 2) {
        if (auto ended = children->ended(*command)) seen.push_back(std::to_string(ended->code) + " " + ended->out.substr(ended->out.rfind("Fake.")));
      } else if (seen.size() == 3) {
        if (auto answer = children->answer(*question)) seen.push_back(answer->error);
      } else if (seen.size() == 4) {
        children->stop(*candidate);
        seen.push_back("stopped");
      }
    };
  };
  run([&] {
    // The serving one was stopped by the trial, and nobody else took over: a server is started again.
    until([](auto& now) { return settled(now) && serving(now).at("id").as_int64() > 3; });
    versions->on_command = [](std::shared_ptr<Reply> reply) { reply->end({{"ok", true}, {"done", "that"}}); };
    EXPECT_EQ(json::text(ask_launcher(options.versions_folder / "launcher.sock", {{"do", "that"}}, {}, 5s), "done"), "that");
  });
  EXPECT_EQ(seen, (std::vector<std::string>{"another", "ended with code 3", "0 Fake.\n  DISABLED_server\n", "It does not answer in time.", "stopped"}));
}

TEST_F(LauncherTest, a_port_in_use_is_one_sentence) {
  int fd = listen_on("127.0.0.1", 0);
  sockaddr_in at{};
  socklen_t size = sizeof at;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
  options.port = ntohs(at.sin_port);
  EXPECT_EQ(refusal([&] { run([] {}); }), "Port " + std::to_string(options.port) + " on 127.0.0.1 is in use by another program. Stop that one, or choose another port.");
  ::close(fd);
}

}  // namespace
}  // namespace basalt::launch
