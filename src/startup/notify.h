// What systemd, or the launcher, wants to hear of a service of Type=notify.
#pragma once
#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "base/notify_socket.h"
#include "upgrade/upgrade.h"

namespace basalt::startup {

// What to say of a progress, and when: a text when it changed, and more time whenever something moved. Slow is not dead, but
// what stands still may be.
class ProgressNotes {
 public:
  static constexpr std::chrono::minutes more_time{5};
  // The lines to send now, or empty. Call it about once a second.
  std::string look(const upgrade::ProgressNow&);

 private:
  std::string said_;
  std::optional<upgrade::ProgressNow> last_;
};

// The service as systemd sees it. Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID; without the first it does nothing. A
// thread of its own tells the progress until ready(), and pats the watchdog from then on.
class ServiceNotifier {
 public:
  explicit ServiceNotifier(const upgrade::Progress&);
  ServiceNotifier(const upgrade::Progress&, const std::string& socket, std::chrono::microseconds watchdog, std::chrono::milliseconds every);
  void ready();
  void stopping();

 private:
  void start(const upgrade::Progress&, std::chrono::milliseconds every);

  NotifySocket socket_;
  std::chrono::microseconds watchdog_{0};
  std::atomic<bool> ready_{false};
  std::jthread thread_;
};

}  // namespace basalt::startup
