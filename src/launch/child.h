// One server beneath the launcher: its process, its line, its log, and what it said of itself.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "launch/children.h"
#include "launch/process.h"

namespace basalt::launch {

// What a server writes to its standard error: passed on to the launcher's, the last line kept.
class LogPipe {
 public:
  LogPipe();
  ~LogPipe();
  LogPipe(const LogPipe&) = delete;
  int fd() const { return reading_; }
  int writing_end() const { return writing_; }
  void close_writing_end();
  // Passes on what is there; nothing while the launcher's own standard error takes nothing.
  void pass_on();
  // The last line that was not empty, at most 500 bytes.
  const std::string& last_line() const { return last_; }

 private:
  int reading_ = -1, writing_ = -1;
  std::string line_, last_;
};

class Child {
 public:
  using Clock = std::chrono::steady_clock;

  struct Setup {
    Children::Start start;
    Execution program;           // path or program, words and environment; the rest is added here
    int number = 1;              // of those that live at the same time
    int listening_socket = -1;
    std::string notify_address, launcher_socket;
    std::chrono::seconds watchdog{0};
  };
  explicit Child(ChildId id, const Setup&);  // starts it
  ~Child();
  Child(const Child&) = delete;

  void go();     // takes connections from now on
  void leave();  // a successor takes them: drain, and end
  void stop();   // SIGTERM
  void kill();
  void hear(const std::string& key, const std::string& value);  // a line of sd_notify
  void ended(int wait_status);                                  // it was waited for

  Children::Seen seen() const;

  const ChildId id;
  const std::string slot;
  const int number;
  const bool held_back;
  pid_t pid = 0;
  bool alive = true, ready = false, went = false, leaving = false;
  std::string status, ended_words;
  std::uint64_t moved = 0;
  std::uint16_t probe_port = 0;
  std::string probe_token;
  LogPipe log;
  const Clock::time_point started = Clock::now();
  Clock::time_point moved_at = started, heard_alive_at = started;
  std::optional<Clock::time_point> kill_at;

 private:
  int line_ = -1;
};

}  // namespace basalt::launch
