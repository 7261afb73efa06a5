// The other end of NOTIFY_SOCKET: what servers tell the launcher, as the launcher tells systemd.
#pragma once
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace basalt::launch {

struct Notice {
  pid_t from = 0;  // as the kernel says, not as the sender does
  std::vector<std::pair<std::string, std::string>> values;
  const std::string* value(std::string_view name) const;
};

// A datagram socket with a name in the abstract name space: nothing to remove, no path that is too long.
class NotifyIn {
 public:
  NotifyIn();
  ~NotifyIn();
  NotifyIn(const NotifyIn&) = delete;
  int fd() const { return socket_; }
  const std::string& address() const { return address_; }  // for NOTIFY_SOCKET
  std::optional<Notice> next();                            // absent: nothing is there now

 private:
  std::string address_;
  int socket_ = -1;
};

// "KEY=value" lines; others are left out.
std::vector<std::pair<std::string, std::string>> notice_values(std::string_view text);

}  // namespace basalt::launch
