// `basalt launch`: owns the listening socket, starts the server beneath it, starts it again when it dies, and lets another one
// take its place without a connection refused.
#pragma once
#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>

#include "base/notify_socket.h"
#include "launch/child.h"
#include "launch/children.h"
#include "launch/control.h"
#include "launch/errands.h"
#include "launch/listen_fd.h"
#include "launch/lock.h"
#include "launch/notify_in.h"
#include "launch/state.h"
#include "launch/versions.h"

namespace basalt::launch {

struct LauncherOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 3000;                            // 0: any free one
  std::filesystem::path versions_folder;                // lock, control socket, slots
  std::filesystem::path program;                        // of the installed slot
  std::vector<std::string> words = {"serve"};           // what a server's command line has after the program's name
  std::map<std::string, std::string> environment;       // added to the launcher's own: the options it was given
  std::chrono::seconds drain_time{30}, drain_notice{0}; // a child that is there much longer than these is killed
  std::chrono::seconds start_patience{60};              // a child that is to take over gets so long without any progress
  std::chrono::milliseconds shortest_pause{200}, longest_pause{5000};  // before a child that died is started again
  std::chrono::milliseconds good_for{10000};            // one that served so long begins anew with the shortest pause
  std::chrono::seconds watchdog{60};                    // a ready child that does not say in twice that time that it lives is killed
};

// Everything happens on the thread that calls run(), which must be the process's main thread.
class Launcher final : public Children {
 public:
  using MakeVersions = std::function<std::unique_ptr<Versions>(Children&)>;

  // Takes the lock, the socket (systemd's when `inherited` has one, else its own: Failure Unavailable "Port 3000 on … is in
  // use …") and the control socket. What an earlier launcher that was killed has left behind is waited for, then ended.
  Launcher(LauncherOptions, Inherited inherited, const MakeVersions&);
  ~Launcher() override;

  // Until SIGTERM or SIGINT; 0. SIGHUP: a new child of the same slot takes over.
  int run();

  ChildId start(const Start&) override;
  Seen look(ChildId) override;
  std::optional<ChildId> serving() override { return serving_; }
  void go(ChildId) override;
  void stop(ChildId) override;
  void kill(ChildId) override;
  TicketId ask(ChildId, const std::string& method, const std::string& path, const std::string& body, std::chrono::milliseconds patience) override;
  std::optional<Answer> answer(TicketId ticket) override { return errands_.answer(ticket); }
  TicketId run(const std::string& slot, const std::vector<std::string>& words, std::chrono::milliseconds patience) override;
  std::optional<Ended> ended(TicketId ticket) override { return errands_.ended(ticket); }

 private:
  using Clock = Child::Clock;
  struct Swap;

  Execution program(const std::string& slot, const std::vector<std::string>& words);
  Child* living(ChildId);
  Child* serving_child() { return serving_ ? living(*serving_) : nullptr; }
  void open_socket();
  void end_strays();
  void record_children();
  void tick_versions();
  void wait_for_something();
  void take_signals();
  void reap();
  void hear();
  void tell_systemd(const Child&, const std::string& key, const std::string& value);
  void child_ended(Child&);
  void start_server();
  void command(const json::object& request, std::shared_ptr<Reply>);
  json::object status();
  void begin_swap(std::shared_ptr<Reply>);
  void look_at_swap();
  void end_swap(bool well, const std::string& sentence);
  void look_at_children();
  void begin_end();

  const LauncherOptions options_;
  const sigset_t own_signals_;
  std::unique_ptr<Lock> lock_;
  int signals_ = -1, listening_ = -1, installed_ = -1, next_installed_ = -1;
  bool socket_is_ours_ = false;  // bound here, not systemd's
  std::uint16_t port_ = 0;
  NotifySocket systemd_;
  NotifyIn notify_;
  std::unique_ptr<ControlSocket> control_;
  Errands errands_;
  std::map<ChildId, std::unique_ptr<Child>> children_;  // the living
  std::map<ChildId, Seen> gone_;                        // the last hundred that ended
  std::int64_t last_child_ = 0;
  std::optional<ChildId> serving_;
  std::optional<Clock::time_point> start_at_;           // when a server is started again
  int failures_ = 0;                                    // starts in a row that served less than good_for
  std::string last_trouble_;                            // what tick() threw last
  std::string last_end_;                                // of the serving child that ended unasked last
  std::unique_ptr<Swap> swap_;
  std::shared_ptr<Reply> next_swap_;
  bool swap_again_ = false;
  json::object last_swap_;
  bool told_ready_ = false, ending_ = false;
  std::chrono::microseconds systemd_watchdog_{0};
  Clock::time_point last_pat_{};
  std::unique_ptr<Versions> versions_;                  // the last: it may use all the rest
};

// A TCP socket that listens; Failure Unavailable with the port's sentence.
int listen_on(const std::string& address, std::uint16_t port);

}  // namespace basalt::launch
