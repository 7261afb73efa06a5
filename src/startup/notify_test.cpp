#include "startup/notify.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <filesystem>

#include "base/random.h"

namespace basalt::startup {
namespace {

// What systemd would be: a datagram socket with a name.
class Listener {
 public:
  explicit Listener(std::string name) : name_(std::move(name)) {
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM, 0);
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, name_.data(), name_.size());
    if (name_[0] == '@') at.sun_path[0] = '\0';
    auto size = offsetof(sockaddr_un, sun_path) + name_.size() + (name_[0] == '/' ? 1 : 0);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&at), static_cast<socklen_t>(size)), 0);
  }
  ~Listener() {
    ::close(socket_);
    if (name_[0] == '/') std::filesystem::remove(name_);
  }
  // The next message; empty when none comes within the time.
  std::string next(int milliseconds = 5000) {
    pollfd wait{socket_, POLLIN, 0};
    if (::poll(&wait, 1, milliseconds) != 1) return "";
    char buffer[2048];
    auto size = ::recv(socket_, buffer, sizeof buffer, 0);
    return size > 0 ? std::string(buffer, static_cast<std::size_t>(size)) : "";
  }
  std::string until(const std::string& part) {
    for (int i = 0; i < 100; ++i)
      if (auto text = next(); text.empty() || text.find(part) != std::string::npos) return text;
    return "";
  }

 private:
  std::string name_;
  int socket_ = -1;
};

TEST(Notify, reaches_a_socket_at_a_path_and_one_in_the_abstract_name_space) {
  for (auto& name : {testing::TempDir() + "basalt-notify-" + random_hex(6), "@basalt-notify-" + random_hex(6)}) {
    Listener systemd(name);
    NotifySocket socket(name);
    socket.send("READY=1\n");
    EXPECT_EQ(systemd.next(), "READY=1\n") << name;
  }
}

TEST(Notify, does_nothing_where_nobody_listens) {
  for (auto& name : {std::string(), std::string("relative"), "/nowhere/" + std::string(200, 'x'), std::string("/nowhere/at/all")}) {
    NotifySocket socket(name);
    EXPECT_NO_THROW(socket.send("READY=1\n"));
  }
}

TEST(Notify, asks_for_more_time_only_while_something_moves) {
  ProgressNotes notes;
  upgrade::ProgressNow now;
  now.state = "expanding";
  now.step = 1;
  now.steps = 3;
  now.step_name = "add column\naudience";
  now.fraction = 0.5;
  auto first = notes.look(now);
  EXPECT_NE(first.find("STATUS=expanding, step 1 of 3: add column audience (50 %)\n"), std::string::npos) << first;
  EXPECT_NE(first.find("EXTEND_TIMEOUT_USEC=300000000\n"), std::string::npos);
  EXPECT_EQ(notes.look(now), "") << "it stands still";
  now.fraction = 0.501;
  EXPECT_EQ(notes.look(now), "EXTEND_TIMEOUT_USEC=300000000\n") << "it moves, though nobody can see it in the text";
  now.state = "failed";
  now.error = "no room";
  EXPECT_EQ(notes.look(now), "STATUS=failed: no room\n");
}

TEST(Notify, tells_the_progress_then_that_it_is_ready_then_that_it_lives_then_that_it_stops) {
  auto name = "@basalt-notify-" + random_hex(6);
  Listener systemd(name);
  upgrade::Progress progress;
  progress.set([](upgrade::ProgressNow& now) { now.state = "backing-up"; });
  ServiceNotifier notifier(progress, name, std::chrono::milliseconds(20), std::chrono::milliseconds(2));
  EXPECT_NE(systemd.until("EXTEND_TIMEOUT_USEC").find("STATUS=backing-up"), std::string::npos);
  notifier.ready();
  EXPECT_NE(systemd.until("READY=1").find("READY=1"), std::string::npos);
  EXPECT_EQ(systemd.until("WATCHDOG"), "WATCHDOG=1\n");
  notifier.stopping();
  EXPECT_NE(systemd.until("STOPPING=1").find("STOPPING=1"), std::string::npos);
}

}  // namespace
}  // namespace basalt::startup
