#include "launch/launcher.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <thread>

#include "base/failure.h"
#include "base/log.h"
#include "base/version.h"

namespace basalt::launch {
namespace {

using namespace std::chrono_literals;
constexpr auto tick = 200ms;
constexpr auto beyond_drain = 15s, patience_with_strays = 5s;
constexpr std::size_t most_remembered = 100, most_children = 8;

std::string variable(const char* name) {
  auto* value = std::getenv(name);
  return value ? value : "";
}

sigset_t signals_of_ours() {
  sigset_t set;
  sigemptyset(&set);
  for (int one : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&set, one);
  return set;
}

std::string monotonic_microseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::to_string(now.tv_sec * 1'000'000LL + now.tv_nsec / 1000);
}

std::int64_t milliseconds_since(Child::Clock::time_point then) { return std::chrono::duration_cast<std::chrono::milliseconds>(Child::Clock::now() - then).count(); }

}  // namespace

struct Launcher::Swap {
  ChildId child;
  std::shared_ptr<Reply> reply;  // absent: asked for by a signal
  Clock::time_point began = Clock::now();
};

int listen_on(const std::string& address, std::uint16_t port) {
  addrinfo wanted{}, *found = nullptr;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  wanted.ai_socktype = SOCK_STREAM;
  auto host = address == "localhost" ? std::string("127.0.0.1") : address;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found) != 0 || !found)
    throw Failure(FailureKind::Unavailable, "The address to listen on, " + address + ", is not one of this machine.");
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> kept(found, freeaddrinfo);
  int yes = 1, fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0 && ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 && ::bind(fd, found->ai_addr, found->ai_addrlen) == 0 && ::listen(fd, 1024) == 0) return fd;
  auto why = errno;
  if (fd >= 0) ::close(fd);
  auto place = std::to_string(port) + " on " + address;
  if (why == EADDRINUSE) throw Failure(FailureKind::Unavailable, "Port " + place + " is in use by another program. Stop that one, or choose another port.").with_error_type("address-in-use");
  if (why == EACCES) throw Failure(FailureKind::Unavailable, "Port " + place + " may not be used without more rights. Choose one above 1023.");
  throw Failure(FailureKind::Unavailable, "Cannot listen on port " + place + ": " + std::strerror(why) + ".");
}

Launcher::Launcher(LauncherOptions options, Inherited inherited, const MakeVersions& make_versions)
    : options_(std::move(options)), own_signals_(signals_of_ours()), lock_(Lock::take(options_.versions_folder)), listening_(inherited.public_socket), systemd_(variable("NOTIFY_SOCKET")) {
  installed_ = ::open(options_.program.c_str(), O_PATH | O_CLOEXEC);
  if (auto pid = variable("WATCHDOG_PID"); pid.empty() || pid == std::to_string(getpid()))
    systemd_watchdog_ = std::chrono::microseconds(std::strtoll(variable("WATCHDOG_USEC").c_str(), nullptr, 10));
  // Blocked before there is any thread, so that all come in here.
  pthread_sigmask(SIG_BLOCK, &own_signals_, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signals_ = ::signalfd(-1, &own_signals_, SFD_CLOEXEC | SFD_NONBLOCK);
  open_socket();
  control_ = std::make_unique<ControlSocket>(options_.versions_folder);
  versions_ = make_versions(*this);
}

Launcher::~Launcher() {
  for (int fd : {signals_, listening_, installed_, next_installed_}) if (fd >= 0) ::close(fd);
}

void Launcher::open_socket() {
  if (listening_ < 0) {
    socket_is_ours_ = true;
    try {
      listening_ = listen_on(options_.address, options_.port);
    } catch (const Failure& failure) {
      if (failure.error_type() != "address-in-use") throw;
      end_strays();
      listening_ = listen_on(options_.address, options_.port);
    }
  }
  sockaddr_storage at{};
  socklen_t size = sizeof at;
  ::getsockname(listening_, reinterpret_cast<sockaddr*>(&at), &size);
  port_ = ntohs(at.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(at).sin6_port : reinterpret_cast<sockaddr_in&>(at).sin_port);
  log::info("The launcher listens", {{"port", std::to_string(port_)}, {"socket", socket_is_ours_ ? "its own" : "handed over"}, {"version", version()}});
}

// Children of a launcher that was killed end by themselves and let go of the port at once; unless they hang.
void Launcher::end_strays() {
  std::ifstream in(options_.versions_folder / "children.json");
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  auto parsed = json::try_parse(text);
  auto* list = parsed ? json::sub_array(*parsed, "children") : nullptr;
  if (!list) return;
  auto is_stray = [](const json::value& one) {
    auto pid = json::integer(one, "pid"), started = json::integer(one, "started");
    return pid && started && *pid > 1 && process_start(static_cast<pid_t>(*pid)) == static_cast<std::uint64_t>(*started);
  };
  auto until = Clock::now() + patience_with_strays;
  while (std::any_of(list->begin(), list->end(), is_stray) && Clock::now() < until) {
    try {
      ::close(listen_on(options_.address, options_.port));
      return;
    } catch (const Failure&) {
      std::this_thread::sleep_for(20ms);
    }
  }
  for (auto& one : *list) {
    if (!is_stray(one)) continue;
    auto pid = static_cast<pid_t>(*json::integer(one, "pid"));
    log::warning("A server that an earlier launcher left behind holds the port; it is ended", {{"process", std::to_string(pid)}});
    ::kill(pid, SIGKILL);
    for (int i = 0; i < 100 && is_stray(one); ++i) std::this_thread::sleep_for(20ms);
  }
}

void Launcher::record_children() {
  json::array list;
  for (auto& [id, child] : children_) list.push_back(json::object{{"pid", child->pid}, {"started", static_cast<std::int64_t>(process_start(child->pid))}, {"slot", child->slot}});
  auto file = options_.versions_folder / "children.json", fresh = options_.versions_folder / "children.json.new";
  std::ofstream(fresh) << json::write(json::object{{"children", list}}) << "\n";
  std::error_code ignored;
  std::filesystem::rename(fresh, file, ignored);
}

Execution Launcher::program(const std::string& slot, const std::vector<std::string>& words) {
  Execution out;
  if (slot == installed_slot) {
    // The very file that was there when it was looked at last: a package that puts another one in its place must not change what
    // a server that died comes back as.
    out.path = options_.program;
    out.program = next_installed_ >= 0 ? next_installed_ : installed_;
  } else {
    out.path = versions_->program(slot);
  }
  out.words = {out.path};
  out.words.insert(out.words.end(), words.begin(), words.end());
  out.environment = environment_for_children();
  for (auto& [name, value] : options_.environment) out.environment[name] = value;
  return out;
}

Child* Launcher::living(ChildId id) {
  auto found = children_.find(id);
  return found == children_.end() ? nullptr : found->second.get();
}

ChildId Launcher::start(const Start& start) {
  ChildId id(++last_child_);
  try {
    if (children_.size() >= most_children) throw Failure(FailureKind::Unavailable, "There are " + std::to_string(most_children) + " server processes already.");
    int number = 1;
    while (std::any_of(children_.begin(), children_.end(), [&](auto& one) { return one.second->number == number; })) ++number;
    Child::Setup setup;
    setup.start = start;
    setup.program = program(start.slot, options_.words);
    setup.number = number;
    setup.listening_socket = listening_;
    setup.notify_address = notify_.address();
    setup.launcher_socket = control_->path();
    setup.watchdog = options_.watchdog;
    auto child = std::make_unique<Child>(id, setup);
    log::info("A server process was started", {{"process", std::to_string(child->pid)}, {"slot", start.slot}, {"number", std::to_string(number)}, {"waits", start.held_back ? "yes" : "no"}});
    children_[id] = std::move(child);
    record_children();
  } catch (const Failure& failure) {
    Seen seen;
    seen.slot = start.slot;
    seen.ended = "could not be started: " + failure.sentence();
    gone_[id] = std::move(seen);
  }
  return id;
}

Children::Seen Launcher::look(ChildId id) {
  if (auto* child = living(id)) return child->seen();
  auto found = gone_.find(id);
  return found == gone_.end() ? Seen{} : found->second;
}

void Launcher::go(ChildId id) {
  auto* child = living(id);
  if (!child || child->leaving) return;
  auto* before = serving_child();
  if (before == child) return;
  child->go();
  serving_ = id;
  start_at_.reset();
  failures_ = 0;
  log::info("Another server process takes over", {{"process", std::to_string(child->pid)}, {"slot", child->slot}, {"before", before ? std::to_string(before->pid) : "none"}});
  if (child->ready) tell_systemd(*child, "READY", "1");
  if (before) {
    before->leave();
    before->kill_at = Clock::now() + options_.drain_time + beyond_drain;
  }
}

void Launcher::stop(ChildId id) {
  auto* child = living(id);
  if (!child || child->kill_at) return;
  child->stop();
  child->kill_at = Clock::now() + options_.drain_notice + options_.drain_time + beyond_drain;
}

void Launcher::kill(ChildId id) {
  if (auto* child = living(id)) child->kill();
}

TicketId Launcher::ask(ChildId id, const std::string& method, const std::string& path, const std::string& body, std::chrono::milliseconds patience) {
  auto* child = living(id);
  return errands_.ask(child ? child->probe_port : 1, child ? child->probe_token : "", method, path, body, patience);  // nobody listens on port 1
}

TicketId Launcher::run(const std::string& slot, const std::vector<std::string>& words, std::chrono::milliseconds patience) { return errands_.run(program(slot, words), patience); }

int Launcher::run() {
  start_at_ = Clock::now();
  while (!ending_ || !children_.empty()) {
    if (!ending_) tick_versions();
    look_at_swap();
    hear();  // what came while the disk was slow: one that lives must not be killed for that
    look_at_children();
    if (!ending_ && !serving_ && start_at_ && Clock::now() >= *start_at_) start_server();
    errands_.look_at_time();
    if (systemd_watchdog_.count() > 0 && Clock::now() - last_pat_ >= systemd_watchdog_ / 3) {
      systemd_.send("WATCHDOG=1\n");
      last_pat_ = Clock::now();
    }
    if (ending_ && children_.empty()) break;
    wait_for_something();
    take_signals();
    hear();
    for (auto& [id, child] : children_) child->log.pass_on();
    reap();
    control_->work([this](const json::object& request, std::shared_ptr<Reply> reply) { command(request, std::move(reply)); });
  }
  std::error_code ignored;
  std::filesystem::remove(options_.versions_folder / "children.json", ignored);
  log::info("The launcher has stopped");
  return 0;
}

// A full disk, mostly: what serves must not suffer from what cannot be written down of an upgrade.
void Launcher::tick_versions() {
  try {
    versions_->tick();
    last_trouble_.clear();
  } catch (const std::exception& problem) {
    if (std::exchange(last_trouble_, problem.what()) != problem.what()) log::error("The upgrade cannot go on for now", {{"why", problem.what()}});
  }
}

void Launcher::wait_for_something() {
  std::vector<pollfd> all{{signals_, POLLIN, 0}, {notify_.fd(), POLLIN, 0}};
  control_->add_to(all);
  pollfd own{2, POLLOUT, 0};
  if (::poll(&own, 1, 0) > 0)
    for (auto& [id, child] : children_) all.push_back({child->log.fd(), POLLIN, 0});
  auto wait = tick;
  if (start_at_ && !serving_) wait = std::clamp(std::chrono::duration_cast<std::chrono::milliseconds>(*start_at_ - Clock::now()) + 1ms, 0ms, wait);
  ::poll(all.data(), all.size(), static_cast<int>(wait.count()));
}

void Launcher::take_signals() {
  signalfd_siginfo info{};
  while (::read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo == SIGHUP) {
      if (!ending_) begin_swap(nullptr);
    } else if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) {
      // Asked a second time from a terminal: not in order, but now.
      if (ending_ && info.ssi_signo == SIGINT)
        for (auto& [id, child] : children_) child->kill();
      begin_end();
    }
  }
}

void Launcher::begin_end() {
  if (std::exchange(ending_, true)) return;
  log::info("The launcher stops", {{"processes", std::to_string(children_.size())}});
  systemd_.send("STOPPING=1\nSTATUS=finishing what runs\n");
  // The servers are then the last who hold the socket, and close it as they would their own. Systemd's stays open.
  if (socket_is_ours_) ::close(std::exchange(listening_, -1));
  for (auto& [id, child] : children_) stop(id);
}

void Launcher::reap() {
  for (;;) {
    int status = 0;
    auto pid = ::waitpid(-1, &status, WNOHANG);
    if (pid <= 0) return;
    if (errands_.reaped(pid, status)) continue;
    for (auto& [id, child] : children_) {
      if (child->pid != pid) continue;
      hear();  // its last words may still be on the way
      child->ended(status);
      child_ended(*child);
      break;
    }
  }
}

void Launcher::child_ended(Child& child) {
  auto id = child.id;
  bool unasked = serving_ == id;
  auto lived = milliseconds_since(child.started);
  log::info("A server process " + child.ended_words, {{"process", std::to_string(child.pid)}, {"slot", child.slot}});
  gone_[id] = child.seen();
  while (gone_.size() > most_remembered) gone_.erase(gone_.begin());
  children_.erase(id);
  record_children();
  if (ending_ || !unasked) return;
  serving_.reset();
  last_end_ = gone_[id].ended;
  failures_ = lived >= options_.good_for.count() ? 0 : failures_ + 1;
  auto pause = options_.shortest_pause;
  for (int i = 1; i < failures_ && pause < options_.longest_pause; ++i) pause *= 2;
  pause = std::min(pause, options_.longest_pause);
  start_at_ = Clock::now() + pause;
  log::warning("The server " + last_end_ + "; it is started again", {{"after_ms", std::to_string(pause.count())}});
  systemd_.send("STATUS=the server " + last_end_.substr(0, 300) + "; it is started again\n");
}

void Launcher::start_server() {
  start_at_.reset();
  std::string slot = installed_slot;
  try {
    slot = versions_->slot_to_start();
  } catch (const std::exception& problem) {
    log::error("What is to be started cannot be told; the installed version is", {{"why", problem.what()}});
  }
  if (serving_) return;  // it was told while it was asked
  serving_ = start({slot, false, {}});
  if (!living(*serving_)) {
    log::error("The server " + gone_[*serving_].ended);
    serving_.reset();
    start_at_ = Clock::now() + options_.longest_pause;
  }
}

void Launcher::hear() {
  while (auto notice = notify_.next()) {
    for (auto& [id, child] : children_) {
      if (child->pid != notice->from) continue;
      for (auto& [key, value] : notice->values) {
        child->hear(key, value);
        tell_systemd(*child, key, value);
      }
    }
  }
}

// What of a child's words is systemd's business: the launcher is the service, and it is ready when what serves is.
void Launcher::tell_systemd(const Child& child, const std::string& key, const std::string& value) {
  if (child.leaving) return;
  bool serves = serving_ == child.id;
  if (key == "EXTEND_TIMEOUT_USEC") {
    systemd_.send(key + "=" + value + "\n");
  } else if (key == "STATUS" && !ending_) {
    systemd_.send("STATUS=" + (serves ? value : child.slot + ", not serving yet: " + value) + "\n");
  } else if (key == "READY" && serves && !std::exchange(told_ready_, true)) {
    systemd_.send("READY=1\nSTATUS=serving\n");
  }
}

void Launcher::command(const json::object& request, std::shared_ptr<Reply> reply) {
  auto what = json::text(request, "do").value_or("");
  if (what == "status") return reply->end(status());
  if (ending_) throw Failure(FailureKind::Unavailable, "The launcher is stopping.");
  if (what == "swap") return begin_swap(std::move(reply));
  if (swap_ && what != "hold" && what != "unhold") throw Failure(FailureKind::Conflict, "A new server process is just taking over; ask again in a moment.");
  versions_->command(request, std::move(reply));
}

json::object Launcher::status() {
  json::array children;
  for (auto& [id, child] : children_) {
    auto seen = child->seen();
    children.push_back(json::object{{"id", id.value}, {"process", child->pid}, {"slot", child->slot}, {"ready", seen.ready}, {"serves", seen.serves}, {"leaving", child->leaving},
                                    {"status", seen.status}, {"memory_bytes", seen.memory_bytes}, {"age_ms", milliseconds_since(child->started)}});
  }
  json::object out = versions_->to_json();
  out["ok"] = true;
  out["launcher"] = json::object{{"process", static_cast<std::int64_t>(getpid())}, {"version", version()}, {"port", port_}, {"socket", socket_is_ours_ ? "own" : "inherited"}, {"stopping", ending_}};
  out["serving"] = serving_ ? json::value(serving_->value) : json::value(nullptr);
  out["children"] = std::move(children);
  out["last_end"] = last_end_.empty() ? json::value(nullptr) : json::value(last_end_);
  out["swap"] = swap_ ? json::value(json::object{{"child", swap_->child.value}, {"since_ms", milliseconds_since(swap_->began)}}) : json::value(nullptr);
  out["last_swap"] = last_swap_.empty() ? json::value(nullptr) : json::value(last_swap_);
  return out;
}

void Launcher::begin_swap(std::shared_ptr<Reply> reply) {
  if (swap_) {
    // What was changed since that one began shall count too.
    swap_again_ = true;
    if (reply) next_swap_ = std::move(reply);
    return;
  }
  auto began = std::make_unique<Swap>();
  began->reply = std::move(reply);
  swap_ = std::move(began);
  try {
    if (auto busy = versions_->busy(); !busy.empty()) throw Failure(FailureKind::Conflict, busy);
    systemd_.send("RELOADING=1\nMONOTONIC_USEC=" + monotonic_microseconds() + "\n");
    auto slot = versions_->slot_to_start();
    if (slot == installed_slot) next_installed_ = ::open(options_.program.c_str(), O_PATH | O_CLOEXEC);
    swap_->child = start({slot, true, {}});
  } catch (const Failure& failure) {
    end_swap(false, failure.sentence());
  }
}

void Launcher::look_at_swap() {
  if (!swap_) return;
  if (ending_) return end_swap(false, "The launcher is stopping.");
  auto* child = living(swap_->child);
  if (!child) return end_swap(false, "The new server process " + look(swap_->child).ended);
  if (child->ready) {
    auto took = milliseconds_since(swap_->began);
    go(swap_->child);
    return end_swap(true, "A new server process took over after " + std::to_string(took) + " ms.");
  }
  if (Clock::now() - child->moved_at < options_.start_patience) return;
  child->kill();
  end_swap(false, "The new server process did not become ready: nothing moved for " + std::to_string(options_.start_patience.count()) + " seconds" + (child->status.empty() ? "." : "; it last said: " + child->status));
}

void Launcher::end_swap(bool well, const std::string& sentence) {
  auto swap = std::move(swap_);
  if (next_installed_ >= 0) {
    if (well) std::swap(installed_, next_installed_);
    ::close(std::exchange(next_installed_, -1));
  }
  last_swap_ = {{"ok", well}, {"message", sentence}, {"child", swap->child.value}};
  if (well) log::info(sentence);
  else log::error("The server goes on as it was", {{"why", sentence}});
  if (told_ready_) systemd_.send("READY=1\n" + (well ? std::string("STATUS=serving\n") : "STATUS=serving; the last change of processes failed: " + sentence.substr(0, 300) + "\n"));
  if (swap->reply) swap->reply->end({{"ok", well}, {"message", sentence}});
  if (!std::exchange(swap_again_, false)) return;
  if (ending_) {
    if (next_swap_) std::exchange(next_swap_, nullptr)->end({{"ok", false}, {"message", "The launcher is stopping."}});
    return;
  }
  begin_swap(std::exchange(next_swap_, nullptr));
}

void Launcher::look_at_children() {
  auto now = Clock::now();
  for (auto& [id, child] : children_) {
    if (child->kill_at && now >= *child->kill_at) {
      log::warning("A server process did not end in time; it is killed", {{"process", std::to_string(child->pid)}});
      child->kill();
      child->kill_at.reset();
    }
    if (child->ready && !child->leaving && options_.watchdog.count() > 0 && now - child->heard_alive_at > 2 * options_.watchdog) {
      log::error("The server hangs; it is killed", {{"process", std::to_string(child->pid)}, {"silent_seconds", std::to_string(milliseconds_since(child->heard_alive_at) / 1000)}});
      ::kill(child->pid, SIGKILL);
      child->heard_alive_at = now;
    }
  }
}

}  // namespace basalt::launch
