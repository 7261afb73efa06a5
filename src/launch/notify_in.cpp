#include "launch/notify_in.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "base/failure.h"
#include "base/random.h"

namespace basalt::launch {

const std::string* Notice::value(std::string_view name) const {
  for (auto& [key, value] : values) if (key == name) return &value;
  return nullptr;
}

std::vector<std::pair<std::string, std::string>> notice_values(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!text.empty()) {
    auto end = text.find('\n');
    auto line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (auto equals = line.find('='); equals != std::string_view::npos && equals > 0) out.emplace_back(line.substr(0, equals), line.substr(equals + 1));
  }
  return out;
}

NotifyIn::NotifyIn() : address_("@basalt-launcher-" + random_hex(12)) {
  socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  std::memcpy(at.sun_path, address_.data(), address_.size());
  at.sun_path[0] = '\0';
  int yes = 1;
  bool good = socket_ >= 0 && ::bind(socket_, reinterpret_cast<sockaddr*>(&at), static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size())) == 0 &&
              ::setsockopt(socket_, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) == 0;
  if (!good) throw Failure(FailureKind::Unavailable, "The launcher cannot listen to its servers: " + std::string(std::strerror(errno)) + ".");
}

NotifyIn::~NotifyIn() {
  if (socket_ >= 0) ::close(socket_);
}

std::optional<Notice> NotifyIn::next() {
  char text[4096];
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int) * 16)];
  iovec piece{text, sizeof text};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  auto size = ::recvmsg(socket_, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (size < 0) return std::nullopt;
  Notice out;
  for (auto* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET) continue;
    if (part->cmsg_type == SCM_CREDENTIALS) {
      ucred who{};
      std::memcpy(&who, CMSG_DATA(part), sizeof who);
      out.from = who.pid;
    } else if (part->cmsg_type == SCM_RIGHTS) {
      // Nobody asked for files; kept open they would pile up.
      for (std::size_t at = 0; at + sizeof(int) <= part->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(part) + at, sizeof fd);
        ::close(fd);
      }
    }
  }
  out.values = notice_values({text, static_cast<std::size_t>(size)});
  return out;
}

}  // namespace basalt::launch
