#include "launch/child.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/failure.h"
#include "base/random.h"
#include "launch/listen_fd.h"

namespace basalt::launch {
namespace {

[[noreturn]] void no_socket() { throw Failure(FailureKind::Unavailable, "The launcher cannot make a socket: " + std::string(std::strerror(errno)) + "."); }

struct Owned {
  explicit Owned(int fd_) : fd(fd_) {}
  ~Owned() {
    if (fd >= 0) ::close(fd);
  }
  Owned(const Owned&) = delete;
  int fd;
};

// A socket on any free port of this machine's own network.
int private_socket(std::uint16_t& port) {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::listen(fd, 64) != 0 || ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) != 0) no_socket();
  port = ntohs(at.sin_port);
  return fd;
}

}  // namespace

LogPipe::LogPipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) no_socket();
  reading_ = ends[0];
  writing_ = ends[1];
  ::fcntl(reading_, F_SETFL, O_NONBLOCK);
}

LogPipe::~LogPipe() {
  ::close(reading_);
  close_writing_end();
}

void LogPipe::close_writing_end() {
  if (writing_ >= 0) ::close(writing_);
  writing_ = -1;
}

void LogPipe::pass_on() {
  for (;;) {
    pollfd own{2, POLLOUT, 0};
    if (::poll(&own, 1, 0) == 0) return;
    char piece[4096];  // no more than a pipe that can be written to takes without waiting
    auto size = ::read(reading_, piece, sizeof piece);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return;
    (void)!::write(2, piece, static_cast<std::size_t>(size));
    for (char c : std::string_view(piece, static_cast<std::size_t>(size))) {
      if (c != '\n') {
        if (line_.size() < 500) line_ += static_cast<unsigned char>(c) < 32 ? ' ' : c;
      } else if (!line_.empty()) {
        last_ = std::exchange(line_, {});
      }
    }
  }
}

Child::Child(ChildId id_, const Setup& setup) : id(id_), slot(setup.start.slot), number(setup.number), held_back(setup.start.held_back), probe_token(random_hex(32)) {
  Owned probe(private_socket(probe_port));
  int line[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line) != 0) no_socket();
  Owned ours(line[0]), its(line[1]);
  auto what = setup.program;
  what.sockets = {{setup.listening_socket, "public"}, {probe.fd, "probe"}, {its.fd, held_back ? "go" : "line"}};
  what.standard_error = log.writing_end();
  what.environment["NOTIFY_SOCKET"] = setup.notify_address;
  if (setup.watchdog.count() > 0) what.environment["WATCHDOG_USEC"] = std::to_string(std::chrono::microseconds(setup.watchdog).count());
  what.environment[probe_token_variable] = probe_token;
  what.environment[launcher_socket_variable] = setup.launcher_socket;
  what.environment[child_number_variable] = std::to_string(number);
  for (auto& [name, value] : setup.start.environment) what.environment[name] = value;
  pid = execute(what);
  line_ = std::exchange(ours.fd, -1);
  log.close_writing_end();
}

Child::~Child() {
  if (line_ >= 0) ::close(line_);
}

void Child::go() {
  went = true;
  if (held_back) Line::say(line_, Line::Word::Go);
}

void Child::leave() {
  // Said before the signal: whoever hears the signal finds the word.
  Line::say(line_, Line::Word::Leave);
  stop();
}

void Child::stop() {
  if (!alive) return;
  leaving = true;
  ::kill(pid, SIGTERM);
  ::kill(pid, SIGCONT);  // one that was stopped hears nothing
}

void Child::kill() {
  if (!alive) return;
  leaving = true;
  ::kill(pid, SIGKILL);
}

void Child::hear(const std::string& key, const std::string& value) {
  heard_alive_at = Clock::now();
  if (key == "READY" && value == "1") {
    ready = true;
  } else if (key == "STATUS") {
    if (status == value) return;
    status = value.substr(0, 500);
  } else if (key != "EXTEND_TIMEOUT_USEC") {
    return;
  }
  ++moved;
  moved_at = heard_alive_at;
}

void Child::ended(int wait_status) {
  alive = false;
  log.pass_on();
  ended_words = end_in_words(wait_status, log.last_line());
}

Children::Seen Child::seen() const {
  Children::Seen out;
  out.alive = alive;
  out.ready = ready;
  out.serves = alive && !leaving && (went || !held_back);
  out.slot = slot;
  out.status = status;
  out.moved = moved;
  out.memory_bytes = alive ? resident_bytes(pid) : 0;
  out.ended = ended_words;
  return out;
}

}  // namespace basalt::launch
