// Tells a service manager things: "KEY=value" lines in one datagram (sd_notify). Our own lines: libsystemd would be one more
// library in a binary that is meant to run anywhere.
#pragma once
#include <string>

namespace basalt {

// Sends to a datagram socket: a path, or a name in the abstract name space that begins with '@'. Where nobody listens nothing
// happens. send() from any thread.
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

}  // namespace basalt
