#include "base/notify_socket.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

namespace basalt {

NotifySocket::NotifySocket(std::string address) : address_(std::move(address)) {
  bool usable = address_.size() > 1 && (address_[0] == '/' || address_[0] == '@') && address_.size() < sizeof(sockaddr_un::sun_path);
  if (usable) socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

NotifySocket::~NotifySocket() {
  if (socket_ >= 0) ::close(socket_);
}

void NotifySocket::send(const std::string& lines) const {
  if (socket_ < 0 || lines.empty()) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  if (to.sun_path[0] == '@') to.sun_path[0] = '\0';  // the abstract name space: its names begin with a zero and have no end
  auto size = offsetof(sockaddr_un, sun_path) + address_.size() + (address_[0] == '/' ? 1 : 0);
  ::sendto(socket_, lines.data(), lines.size(), MSG_NOSIGNAL | MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&to), static_cast<socklen_t>(size));
}

}  // namespace basalt
