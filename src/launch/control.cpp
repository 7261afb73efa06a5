#include "launch/control.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/failure.h"
#include "base/log.h"

namespace basalt::launch {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t longest_request = 64 << 10, longest_answer = 4 << 20, most_askers = 16;
constexpr auto time_to_ask = std::chrono::seconds(10), time_to_read = std::chrono::seconds(10);

// A path of any length: the kernel takes 107 bytes, and a data directory may lie deeper than that.
struct Address {
  explicit Address(const std::filesystem::path& path) {
    auto folder = path.parent_path();
    folder_ = ::open(folder.empty() ? "." : folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    at.sun_family = AF_UNIX;
    auto text = "/proc/self/fd/" + std::to_string(folder_) + "/" + path.filename().string();
    if (folder_ >= 0 && text.size() < sizeof at.sun_path) std::memcpy(at.sun_path, text.data(), text.size());
  }
  ~Address() {
    if (folder_ >= 0) ::close(folder_);
  }
  const sockaddr* pointer() const { return reinterpret_cast<const sockaddr*>(&at); }

  sockaddr_un at{};

 private:
  int folder_ = -1;
};

bool may_ask(int socket) {
  ucred who{};
  socklen_t size = sizeof who;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && (who.uid == ::geteuid() || who.uid == 0);
}

}  // namespace

struct ControlSocket::Asker {
  explicit Asker(int fd) : socket(fd) {}
  ~Asker() { ::close(socket); }
  void flush() {
    while (!out.empty()) {
      auto sent = ::send(socket, out.data(), out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
      if (sent <= 0) {
        gone = true;
        return;
      }
      out.erase(0, static_cast<std::size_t>(sent));
    }
  }
  bool over() const { return gone || (ended && (out.empty() || Clock::now() - ended_at > time_to_read)); }

  const int socket;
  const Clock::time_point since = Clock::now();
  Clock::time_point ended_at;
  std::string in, out;
  bool asked = false, ended = false, gone = false;
};

class ControlSocket::Answering final : public Reply {
 public:
  explicit Answering(std::weak_ptr<Asker> asker) : asker_(std::move(asker)) {}
  ~Answering() override {
    if (auto asker = asker_.lock(); asker && !asker->ended) write({{"ok", false}, {"message", "The launcher ended before this was done."}}, true);
  }
  void say(const json::object& line) override { write(line, false); }
  void end(const json::object& line) override { write(line, true); }

 private:
  void write(const json::object& line, bool last) {
    auto asker = asker_.lock();
    if (!asker || asker->ended || asker->gone) return;
    if (asker->out.size() > longest_answer) {
      asker->gone = true;  // it does not read
      return;
    }
    asker->out += json::write(line) + "\n";
    asker->ended = last;
    if (last) asker->ended_at = Clock::now();
    asker->flush();
  }
  std::weak_ptr<Asker> asker_;
};

ControlSocket::ControlSocket(const std::filesystem::path& folder) : path_(folder / "launcher.sock") {
  ::unlink(path_.c_str());
  Address address(path_);
  socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  auto mask = ::umask(0177);
  bool good = socket_ >= 0 && ::bind(socket_, address.pointer(), sizeof address.at) == 0 && ::listen(socket_, 16) == 0;
  auto why = errno;
  ::umask(mask);
  if (!good) throw Failure(FailureKind::Unavailable, "The launcher cannot take commands at " + path_.string() + ": " + std::strerror(why) + ".");
}

ControlSocket::~ControlSocket() {
  for (auto& asker : askers_) asker->flush();
  ::unlink(path_.c_str());
  ::close(socket_);
}

void ControlSocket::add_to(std::vector<pollfd>& all) const {
  if (askers_.size() < most_askers) all.push_back({socket_, POLLIN, 0});
  for (auto& asker : askers_) all.push_back({asker->socket, static_cast<short>(POLLIN | (asker->out.empty() ? 0 : POLLOUT)), 0});
}

void ControlSocket::take_askers() {
  while (askers_.size() < most_askers) {
    int socket = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket < 0) return;
    auto asker = std::make_shared<Asker>(socket);
    if (may_ask(socket)) askers_.push_back(std::move(asker));
  }
}

void ControlSocket::work(const Command& command) {
  take_askers();
  for (auto& asker : std::vector<std::shared_ptr<Asker>>(askers_)) {
    char piece[4096];
    for (;;) {
      auto size = ::recv(asker->socket, piece, sizeof piece, MSG_DONTWAIT);
      if (size < 0 && errno == EINTR) continue;
      if (size == 0 || (size < 0 && errno != EAGAIN && errno != EWOULDBLOCK)) asker->gone = true;
      if (size <= 0) break;
      if (asker->in.size() <= longest_request) asker->in.append(piece, static_cast<std::size_t>(size));
    }
    asker->flush();
    if (asker->gone || asker->asked) continue;
    auto end = asker->in.find('\n');
    bool too_long = asker->in.size() > longest_request, too_late = Clock::now() - asker->since > time_to_ask;
    if (end == std::string::npos && !too_long && !too_late) continue;
    asker->asked = true;
    auto reply = std::make_shared<Answering>(asker);
    auto refuse = [&](const std::string& sentence) { reply->end({{"ok", false}, {"message", sentence}}); };
    if (end == std::string::npos) {
      refuse(too_long ? "The command is too long." : "No command came.");
      continue;
    }
    auto request = json::try_parse(std::string_view(asker->in).substr(0, end));
    if (!request || !request->is_object()) {
      refuse("A command is one line of JSON: {\"do\": \"status\"}.");
      continue;
    }
    try {
      command(request->as_object(), reply);
    } catch (const Failure& failure) {
      refuse(failure.sentence());
    } catch (const std::exception& problem) {
      log::error("A command failed", {{"details", problem.what()}});
      refuse("The command failed; the launcher's log says more.");
    }
  }
  std::erase_if(askers_, [](const std::shared_ptr<Asker>& asker) { return asker->over(); });
}

json::object ask_launcher(const std::filesystem::path& path, const json::object& request, const std::function<void(const json::object&)>& on_line, std::chrono::milliseconds patience) {
  Address address(path);
  struct Socket {
    int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ~Socket() { ::close(fd); }
  } socket;
  if (::connect(socket.fd, address.pointer(), sizeof address.at) != 0)
    throw Failure(FailureKind::Unavailable, errno == EACCES ? "The launcher at " + path.string() + " takes commands only from its own user and from root."
                                                            : "No launcher runs here: nobody listens at " + path.string() + ".");
  auto text = json::write(request) + "\n";
  for (std::size_t at = 0; at < text.size();) {
    auto sent = ::send(socket.fd, text.data() + at, text.size() - at, MSG_NOSIGNAL);
    if (sent <= 0) break;
    at += static_cast<std::size_t>(sent);
  }
  std::string in;
  auto until = Clock::now() + patience;
  for (;;) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd wait{socket.fd, POLLIN, 0};
    if (left <= 0 || ::poll(&wait, 1, static_cast<int>(std::min<std::int64_t>(left, 1 << 30))) == 0) throw Failure(FailureKind::Unavailable, "The launcher has not answered in time.");
    char piece[16384];
    auto size = ::recv(socket.fd, piece, sizeof piece, 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) throw Failure(FailureKind::Unavailable, "The launcher went away before it had answered; what it was asked for may have begun. `basalt upgrade status` tells.");
    in.append(piece, static_cast<std::size_t>(size));
    until = Clock::now() + patience;
    for (std::size_t end; (end = in.find('\n')) != std::string::npos; in.erase(0, end + 1)) {
      auto line = json::try_parse(std::string_view(in).substr(0, end));
      if (!line || !line->is_object()) continue;
      auto& object = line->as_object();
      auto ok = json::boolean(object, "ok");
      if (!ok) {
        if (on_line) on_line(object);
      } else if (*ok) {
        return object;
      } else {
        throw Failure(FailureKind::Conflict, json::text(object, "message").value_or("The launcher refused and did not say why."));
      }
    }
    if (in.size() > longest_answer) throw Failure(FailureKind::Bug, "The launcher's answer is too long.");
  }
}

}  // namespace basalt::launch
