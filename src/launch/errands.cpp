#include "launch/errands.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "base/failure.h"

namespace basalt::launch {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t longest_answer = 8 << 20, longest_output = 1 << 20;

std::string start_of(int file) {
  std::string out(longest_output, '\0');
  auto size = ::pread(file, out.data(), out.size(), 0);
  out.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return out;
}

}  // namespace

struct Errands::Question {
  std::mutex mutex;
  std::optional<Children::Answer> answer;  // GUARDED_BY(mutex)
};

struct Errands::Running {
  ~Running() {
    if (!ended && pid > 0) ::kill(pid, SIGKILL);
    for (int fd : {out, err}) if (fd >= 0) ::close(fd);
  }
  pid_t pid = 0;
  int out = -1, err = -1;
  Clock::time_point until;
  bool late = false;
  std::optional<Children::Ended> ended;
};

Errands::Errands() = default;
Errands::~Errands() = default;

Children::Answer ask_http(std::uint16_t port, const std::string& token, const std::string& method, const std::string& path, const std::string& body, std::chrono::milliseconds patience) {
  auto until = Clock::now() + patience;
  auto failed = [](const std::string& what) { return Children::Answer{0, "", what}; };
  struct Socket {
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ~Socket() { ::close(fd); }
  } socket;
  auto wait = [&](short what) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd one{socket.fd, what, 0};
    return left > 0 && ::poll(&one, 1, static_cast<int>(std::min<std::int64_t>(left, 1 << 30))) > 0;
  };
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 && errno != EINPROGRESS) return failed("It cannot be reached: " + std::string(std::strerror(errno)) + ".");
  std::string out = method + " " + path + " HTTP/1.0\r\nHost: 127.0.0.1\r\nX-Basalt-Probe: " + token + "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  for (std::size_t sent = 0; sent < out.size();) {
    if (!wait(POLLOUT)) return failed("It does not take the request in time.");
    auto size = ::send(socket.fd, out.data() + sent, out.size() - sent, MSG_NOSIGNAL);
    if (size < 0 && errno != EAGAIN && errno != EINTR) return failed("It does not take the request: " + std::string(std::strerror(errno)) + ".");
    if (size > 0) sent += static_cast<std::size_t>(size);
  }
  std::string in;
  for (;;) {
    if (!wait(POLLIN)) return failed("It does not answer in time.");
    char piece[65536];
    auto size = ::recv(socket.fd, piece, sizeof piece, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (size < 0) return failed("It broke off: " + std::string(std::strerror(errno)) + ".");
    if (size == 0) break;
    in.append(piece, static_cast<std::size_t>(size));
    if (in.size() > longest_answer) return failed("Its answer is too long.");
  }
  auto head = in.find("\r\n\r\n");
  if (head == std::string::npos || !in.starts_with("HTTP/1.") || in.size() < 12) return failed("It broke off without an answer.");
  Children::Answer answer;
  answer.status = std::atoi(in.substr(9, 3).c_str());
  auto length = in.find("\r\nContent-Length: ");
  answer.body = in.substr(head + 4);
  if (length < head && answer.body.size() < std::strtoull(in.c_str() + length + 18, nullptr, 10)) return failed("It broke off in the middle of its answer.");
  return answer;
}

TicketId Errands::ask(std::uint16_t port, const std::string& token, const std::string& method, const std::string& path, const std::string& body, std::chrono::milliseconds patience) {
  TicketId ticket(++last_ticket_);
  auto question = std::make_shared<Question>();
  questions_[ticket] = question;
  // It holds nothing of the launcher's, so nobody has to wait for it at the end.
  std::thread([=] {
    auto answer = ask_http(port, token, method, path, body, patience);
    std::lock_guard lock(question->mutex);
    question->answer = std::move(answer);
  }).detach();
  return ticket;
}

std::optional<Children::Answer> Errands::answer(TicketId ticket) {
  auto found = questions_.find(ticket);
  if (found == questions_.end()) return Children::Answer{0, "", "Nobody asked that."};
  std::optional<Children::Answer> out;
  {
    std::lock_guard lock(found->second->mutex);
    out = std::move(found->second->answer);
  }
  if (out) questions_.erase(found);
  return out;
}

TicketId Errands::run(Execution what, std::chrono::milliseconds patience) {
  TicketId ticket(++last_ticket_);
  auto running = std::make_unique<Running>();
  running->out = ::memfd_create("output", MFD_CLOEXEC);
  running->err = ::memfd_create("errors", MFD_CLOEXEC);
  what.standard_output = running->out;
  what.standard_error = running->err;
  running->until = Clock::now() + patience;
  running->pid = execute(what);
  running_[ticket] = std::move(running);
  return ticket;
}

std::optional<Children::Ended> Errands::ended(TicketId ticket) {
  auto found = running_.find(ticket);
  if (found == running_.end()) return Children::Ended{-1, "", "Nobody started that."};
  auto out = found->second->ended;
  if (out) running_.erase(found);
  return out;
}

bool Errands::reaped(pid_t pid, int status) {
  for (auto& [ticket, running] : running_) {
    if (running->pid != pid || running->ended) continue;
    int code = running->late ? -1 : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    running->ended = Children::Ended{code, start_of(running->out), start_of(running->err)};
    return true;
  }
  return false;
}

void Errands::look_at_time() {
  for (auto& [ticket, running] : running_) {
    if (running->ended || running->late || Clock::now() < running->until) continue;
    running->late = true;
    ::kill(running->pid, SIGKILL);
  }
}

}  // namespace basalt::launch
