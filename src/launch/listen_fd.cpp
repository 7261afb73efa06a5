#include "launch/listen_fd.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>
#include <vector>

#include "base/failure.h"

namespace basalt::launch {
namespace {

constexpr char go = 'g', leave = 'l';
constexpr const char* own_name = "own";

std::string taken(const char* name) {
  auto* value = std::getenv(name);
  std::string out = value ? value : "";
  unsetenv(name);
  return out;
}

bool listens(int fd) {
  int yes = 0;
  socklen_t size = sizeof yes;
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &size) != 0 || yes == 0) return false;
  sockaddr_storage at{};
  size = sizeof at;
  return getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0 && (at.ss_family == AF_INET || at.ss_family == AF_INET6);
}

void close_at_exec(int fd, bool yes) { fcntl(fd, F_SETFD, yes ? FD_CLOEXEC : 0); }

}  // namespace

Line::Word Line::next() {
  for (;;) {
    char word = 0;
    auto size = ::recv(fd_, &word, 1, MSG_PEEK);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return Word::Gone;
    if (word == leave) return Word::Leave;
    (void)!::recv(fd_, &word, 1, 0);
    if (word == go) return Word::Go;
  }
}

Line::Word Line::last() const {
  char words[64];
  auto size = ::recv(fd_, words, sizeof words, MSG_PEEK | MSG_DONTWAIT);
  if (size > 0) return words[size - 1] == leave ? Word::Leave : Word::Go;
  return size == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) ? Word::Gone : Word::Go;
}

void Line::say(int fd, Word word) {
  char byte = word == Word::Go ? go : leave;
  (void)!::send(fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

Inherited Inherited::take() {
  Inherited out;
  auto count = std::atoi(taken("LISTEN_FDS").c_str());
  auto pid = taken("LISTEN_PID"), names = taken("LISTEN_FDNAMES");
  out.probe_token = taken(probe_token_variable);
  out.launcher_socket = taken(launcher_socket_variable);
  out.number = std::atoi(taken(child_number_variable).c_str());
  if (count <= 0 || pid != std::to_string(getpid())) return out;  // meant for another process
  std::vector<std::string> each(1);
  for (char c : names) {
    if (c == ':') each.emplace_back();
    else each.back() += c;
  }
  each.resize(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    int fd = first_listen_fd + i;
    auto& name = each[static_cast<std::size_t>(i)];
    close_at_exec(fd, true);
    if (name == "go" || name == "line") {
      out.line = Line(fd);
      out.held_back = name == "go";
      continue;
    }
    if (!listens(fd))
      throw Failure(FailureKind::BadRequest, "The socket \"" + name + "\" that this server was started with is no TCP socket that listens; a socket unit needs ListenStream= with a port.");
    if (name == "probe") {
      out.probe_socket = fd;
    } else if (out.public_socket < 0) {
      out.public_socket = fd;
      out.is_own = name == own_name;
    } else {
      throw Failure(FailureKind::BadRequest, "This server was started with several sockets to listen on; it takes one. Give the socket unit one ListenStream=.");
    }
  }
  return out;
}

void Inherited::close_public() {
  if (public_socket >= 0) ::close(std::exchange(public_socket, -1));
}

void Inherited::put_back(bool went) const {
  std::vector<std::pair<int, std::string>> all;
  if (public_socket >= 0) all.emplace_back(public_socket, is_own ? own_name : "public");
  if (probe_socket >= 0) all.emplace_back(probe_socket, "probe");
  if (line.is_there()) all.emplace_back(line.fd(), held_back && !went ? "go" : "line");
  // Away from where they are to be, then there: one may stand in another's place.
  for (auto& [fd, name] : all) fd = fcntl(fd, F_DUPFD_CLOEXEC, first_listen_fd + 16);
  std::string names;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (dup2(all[i].first, first_listen_fd + static_cast<int>(i)) < 0) return;  // the next one then listens by itself
    names += (i == 0 ? "" : ":") + all[i].second;
  }
  if (!all.empty()) {
    setenv("LISTEN_FDS", std::to_string(all.size()).c_str(), 1);
    setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
    setenv("LISTEN_FDNAMES", names.c_str(), 1);
  }
  if (!probe_token.empty()) setenv(probe_token_variable, probe_token.c_str(), 1);
  if (!launcher_socket.empty()) setenv(launcher_socket_variable, launcher_socket.c_str(), 1);
  if (number > 0) setenv(child_number_variable, std::to_string(number).c_str(), 1);
}

}  // namespace basalt::launch
