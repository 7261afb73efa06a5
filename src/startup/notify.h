// What systemd wants to hear of a service of Type=notify. Our own thirty lines: the protocol is one datagram to a socket, and
// libsystemd would be one more library in a binary that is meant to run anywhere.
#pragma once
#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "upgrade/upgrade.h"

namespace basalt::startup {

// Sends "KEY=value" lines to a datagram socket: a path, or a name in the abstract name space that begins with '@'. Where nobody
// listens nothing happens.
class NotifySocket {
 public:
  explicit NotifySocket(std::string address);
  ~NotifySocket();
  NotifySocket(const NotifySocket&) = delete;
  void send(const std::string& lines) const;
  bool is_on() const { return socket_ >= 0; }

 private:
  std::string address_;
  int socket_ = -1;
};

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
