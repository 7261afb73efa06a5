#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/failure.h"
#include "base/notify_socket.h"
#include "base/random.h"
#include "launch/child.h"
#include "launch/control.h"
#include "launch/errands.h"
#include "launch/launcher.h"
#include "launch/listen_fd.h"
#include "launch/lock.h"
#include "launch/notify_in.h"
#include "launch/process.h"

namespace basalt::launch {
namespace {

using namespace std::chrono_literals;

class Folder {
 public:
  Folder() : path(std::filesystem::temp_directory_path() / ("basalt-launch-" + random_hex(6))) { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  const std::filesystem::path path;
};

std::string sentence_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Failure& failure) {
    return failure.sentence();
  }
  return "";
}

// A shell script as a program, and what it wrote and ended with.
struct Done {
  int status = 0;
  std::string text;
};
Done shell(const std::string& script, Execution what = {}) {
  Folder folder;
  auto file = folder.path / "out";
  int out = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (what.path.empty()) what.path = "/bin/sh";
  if (what.words.empty()) what.words = {"sh", "-c", script};
  what.standard_output = what.standard_error = out;
  auto pid = execute(what);
  Done done;
  ::waitpid(pid, &done.status, 0);
  ::close(out);
  std::ifstream in(file);
  done.text.assign(std::istreambuf_iterator<char>(in), {});
  return done;
}

TEST(Process, hands_over_sockets_from_three_on_with_their_names_and_its_own_pid) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  Execution what;
  what.environment = {{"ONE", "1"}};
  what.sockets = {{pair[0], "public"}, {pair[1], "go"}};
  auto done = shell("[ \"$LISTEN_PID\" = $$ ] && echo mine; echo $LISTEN_FDS $LISTEN_FDNAMES $ONE; for n in 0 1 2 3 4 5 6 7 8 9 10 64 65 66 250 251; do [ -e /proc/$$/fd/$n ] && printf '%s ' $n; done", what);
  EXPECT_EQ(done.text, "mine\n2 public:go 1\n0 1 2 3 4 ") << "nothing else of the launcher's is open in it";
  ::close(pair[0]);
  ::close(pair[1]);
}

TEST(Process, gives_signals_back_and_leads_a_group_of_its_own) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  auto done = shell("grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '\\t\\n'; kill -TERM $$");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(done.text.substr(0, 23), "SigBlk:0000000000000000");
  EXPECT_TRUE(WIFSIGNALED(done.status));
  EXPECT_EQ(end_in_words(done.status, "its last line"), "was ended by signal 15 (Terminated): its last line");
}

TEST(Process, says_what_cannot_be_executed) {
  Execution what;
  what.path = "/nowhere/basalt";
  what.words = {"basalt"};
  auto done = shell("", what);
  EXPECT_EQ(done.text, "basalt: /nowhere/basalt cannot be started: No such file or directory.\n");
  EXPECT_EQ(end_in_words(done.status, ""), "ended with code 127");
}

TEST(Process, executes_an_open_file_whatever_is_at_its_path_by_now) {
  Folder folder;
  auto file = folder.path / "program";
  std::filesystem::copy_file("/bin/echo", file);
  Execution what;
  what.path = file;
  what.program = ::open(file.c_str(), O_PATH | O_CLOEXEC);
  what.words = {"echo", "still here"};
  std::filesystem::remove(file);
  std::filesystem::copy_file("/bin/false", file);
  EXPECT_EQ(shell("", what).text, "still here\n");
  ::close(what.program);
}

TEST(Process, is_known_by_its_start) {
  EXPECT_GT(process_start(getpid()), 0u);
  EXPECT_EQ(process_start(getpid()), process_start(getpid()));
  EXPECT_GT(resident_bytes(getpid()), 1 << 20);
  auto pid = ::fork();
  if (pid == 0) ::_exit(0);
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
  EXPECT_EQ(process_start(pid), 0u) << "one that ended and waits to be waited for is gone";
  ::waitpid(pid, nullptr, 0);
  EXPECT_EQ(process_start(pid), 0u);
}

TEST(Line, keeps_leave_and_takes_go) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  Line line(pair[1]);
  EXPECT_EQ(line.last(), Line::Word::Go) << "nothing was said";
  Line::say(pair[0], Line::Word::Go);
  EXPECT_EQ(line.next(), Line::Word::Go);
  Line::say(pair[0], Line::Word::Go);
  Line::say(pair[0], Line::Word::Leave);
  EXPECT_EQ(line.last(), Line::Word::Leave);
  EXPECT_EQ(line.next(), Line::Word::Go);
  EXPECT_EQ(line.next(), Line::Word::Leave);
  EXPECT_EQ(line.next(), Line::Word::Leave);
  ::close(pair[0]);
  EXPECT_EQ(line.next(), Line::Word::Leave) << "the last word counts, also of a launcher that is gone";
  ::close(pair[1]);

  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  ::close(pair[0]);
  EXPECT_EQ(Line(pair[1]).last(), Line::Word::Gone);
  EXPECT_EQ(Line(pair[1]).next(), Line::Word::Gone);
  ::close(pair[1]);
}

// Runs the test program itself with one of the tests below, which finds what it was given.
Done itself(const std::string& test, const Execution& given) {
  auto what = given;
  what.path = "/proc/self/exe";
  what.words = {"test", "--gtest_also_run_disabled_tests", "--gtest_filter=Inherited.DISABLED_" + test, "--gtest_brief=1"};
  auto environment = environment_for_children();
  environment.insert(what.environment.begin(), what.environment.end());
  what.environment = environment;
  return shell("", what);
}
bool well(const Done& done) { return WIFEXITED(done.status) && WEXITSTATUS(done.status) == 0; }

TEST(Inherited, DISABLED_is_whole) {
  auto inherited = Inherited::take();
  EXPECT_EQ(inherited.public_socket, 3);
  EXPECT_EQ(inherited.probe_socket, 4);
  EXPECT_EQ(inherited.line.fd(), 5);
  EXPECT_EQ(inherited.held_back, std::getenv("EXPECT_GO") != nullptr);
  EXPECT_EQ(inherited.probe_token, "secret");
  EXPECT_EQ(inherited.number, 2);
  for (auto* name : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", probe_token_variable, launcher_socket_variable, child_number_variable}) EXPECT_EQ(std::getenv(name), nullptr) << name;
  for (int fd : {3, 4, 5}) EXPECT_EQ(::fcntl(fd, F_GETFD), FD_CLOEXEC);
  if (!std::getenv("EXPECT_GO")) return;
  // The same process once more, as after a restore: it went, and finds all that this one found.
  inherited.put_back(true);
  unsetenv("EXPECT_GO");
  ::execl("/proc/self/exe", "test", "--gtest_also_run_disabled_tests", "--gtest_filter=Inherited.DISABLED_is_whole", "--gtest_brief=1", nullptr);
  FAIL();
}
TEST(Inherited, DISABLED_is_systemds) {
  auto inherited = Inherited::take();
  EXPECT_EQ(inherited.public_socket, 3);
  EXPECT_FALSE(inherited.is_launched());
}
TEST(Inherited, DISABLED_is_nothing) {
  EXPECT_EQ(sentence_of([] { Inherited::take(); }), "");
  EXPECT_EQ(Inherited::take().public_socket, -1);
}
TEST(Inherited, DISABLED_is_refused) { EXPECT_NE(sentence_of([] { Inherited::take(); }).find(std::getenv("EXPECT_WORDS")), std::string::npos); }

TEST(Inherited, is_what_a_launcher_or_systemd_handed_over) {
  int one = listen_on("127.0.0.1", 0), other = listen_on("127.0.0.1", 0), pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  Execution what;
  what.environment = {{probe_token_variable, "secret"}, {child_number_variable, "2"}, {launcher_socket_variable, "/x"}, {"EXPECT_GO", "1"}};
  what.sockets = {{one, "public"}, {other, "probe"}, {pair[1], "go"}};
  auto done = itself("is_whole", what);
  EXPECT_TRUE(well(done)) << done.text;
  Execution systemd;
  systemd.sockets = {{one, "basalt.socket"}};
  done = itself("is_systemds", systemd);
  EXPECT_TRUE(well(done)) << done.text;
  Execution others;
  others.environment = {{"LISTEN_FDS", "1"}, {"LISTEN_PID", "1"}};
  done = itself("is_nothing", others);
  EXPECT_TRUE(well(done)) << done.text;
  for (auto& [sockets, words] : std::vector<std::pair<std::vector<std::pair<int, std::string>>, std::string>>{{{{pair[1], "basalt"}}, "is no TCP socket that listens"}, {{{one, "a"}, {other, "b"}}, "several sockets"}}) {
    Execution wrong;
    wrong.sockets = sockets;
    wrong.environment = {{"EXPECT_WORDS", words}};
    done = itself("is_refused", wrong);
    EXPECT_TRUE(well(done)) << done.text;
  }
  for (int fd : {one, other, pair[0], pair[1]}) ::close(fd);
}

TEST(NotifyIn, hears_who_says_what) {
  NotifyIn in;
  EXPECT_FALSE(in.next());
  NotifySocket(in.address()).send("READY=1\nSTATUS=a=b\nnonsense\n=x\n");
  auto notice = in.next();
  ASSERT_TRUE(notice);
  EXPECT_EQ(notice->from, getpid());
  EXPECT_EQ(notice->values, (std::vector<std::pair<std::string, std::string>>{{"READY", "1"}, {"STATUS", "a=b"}}));
  EXPECT_EQ(*notice->value("STATUS"), "a=b");
  EXPECT_EQ(notice->value("EXTEND_TIMEOUT_USEC"), nullptr);
}

TEST(Lock, is_held_by_one_and_names_it) {
  Folder folder;
  auto versions = folder.path / "data/versions";
  auto lock = Lock::take(versions);
  EXPECT_EQ(sentence_of([&] { Lock::take(versions); }), "Another launcher or upgrade command works with " + versions.string() + " (process " + std::to_string(getpid()) + "); end that one first.");
  lock.reset();
  EXPECT_TRUE(Lock::take(versions));
  std::ofstream(folder.path / "file") << "x";
  EXPECT_NE(sentence_of([&] { Lock::take(folder.path / "file"); }).find("cannot be used"), std::string::npos);
}

// The control socket's side on a thread of its own, until the test ends.
class Controlled {
 public:
  Controlled(const std::filesystem::path& folder, ControlSocket::Command command)
      : socket_(folder), thread_([this, command = std::move(command)](std::stop_token stop) {
          while (!stop.stop_requested()) {
            std::vector<pollfd> all;
            socket_.add_to(all);
            ::poll(all.data(), all.size(), 5);
            socket_.work(command);
          }
        }) {}
  std::string path() const { return socket_.path(); }

 private:
  ControlSocket socket_;
  std::jthread thread_;
};

TEST(Control, answers_lines_and_ends_with_one_that_says_ok) {
  Folder folder;
  auto deep = folder.path / std::string(120, 'd');  // longer than the kernel's 107 bytes
  std::filesystem::create_directories(deep);
  Controlled control(deep, [](const json::object& request, std::shared_ptr<Reply> reply) {
    auto what = json::text(request, "do").value_or("");
    if (what == "fail") throw Failure(FailureKind::Conflict, "It cannot be done now.");
    if (what == "forget") return;
    reply->say({{"step", 1}});
    reply->say({{"step", 2}});
    reply->end({{"ok", true}, {"echo", what}});
    reply->end({{"ok", false}});
  });
  std::vector<std::int64_t> steps;
  auto answer = ask_launcher(control.path(), {{"do", "this"}}, [&](const json::object& line) { steps.push_back(line.at("step").as_int64()); }, 5s);
  EXPECT_EQ(json::text(answer, "echo"), "this");
  EXPECT_EQ(steps, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(sentence_of([&] { ask_launcher(control.path(), {{"do", "fail"}}, {}, 5s); }), "It cannot be done now.");
  EXPECT_EQ(sentence_of([&] { ask_launcher(control.path(), {{"do", "forget"}}, {}, 5s); }), "The launcher ended before this was done.") << "nobody waits for ever";
  EXPECT_EQ(std::filesystem::status(control.path()).permissions(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(Control, says_that_nobody_listens) {
  Folder folder;
  EXPECT_EQ(sentence_of([&] { ask_launcher(folder.path / "launcher.sock", {{"do", "status"}}); }), "No launcher runs here: nobody listens at " + (folder.path / "launcher.sock").string() + ".");
}

TEST(Errands, run_a_command_to_its_end_or_to_the_end_of_its_time) {
  Errands errands;
  auto command = [&](const std::string& script, std::chrono::milliseconds patience) {
    Execution what;
    what.path = "/bin/sh";
    what.words = {"sh", "-c", script};
    auto ticket = errands.run(what, patience);
    for (;;) {
      int status = 0;
      errands.look_at_time();
      auto pid = ::waitpid(-1, &status, WNOHANG);
      if (pid > 0) {
        EXPECT_TRUE(errands.reaped(pid, status));
      }
      if (auto ended = errands.ended(ticket)) return *ended;
      std::this_thread::yield();
    }
  };
  auto good = command("echo out; echo err >&2; exit 3", 30s);
  EXPECT_EQ(good.code, 3);
  EXPECT_EQ(good.out, "out\n");
  EXPECT_EQ(good.err, "err\n");
  EXPECT_EQ(command("kill -KILL $$", 30s).code, 128 + SIGKILL);
  EXPECT_EQ(command("while :; do :; done", 1ms).code, -1);
  EXPECT_EQ(errands.ended(TicketId(99))->code, -1);
}

// Answers one connection with what it is told to.
Children::Answer asked(const std::string& answer, std::chrono::milliseconds patience = 5s, std::string* request = nullptr) {
  int fd = listen_on("127.0.0.1", 0);
  sockaddr_in at{};
  socklen_t size = sizeof at;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
  std::jthread server([&] {
    pollfd wait{fd, POLLIN, 0};
    ::poll(&wait, 1, 5000);
    int socket = ::accept(fd, nullptr, nullptr);
    char text[4096];
    auto count = ::recv(socket, text, sizeof text, 0);
    if (request && count > 0) request->assign(text, static_cast<std::size_t>(count));
    (void)!::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL);
    if (answer.empty()) ::recv(socket, text, sizeof text, 0);  // silence, until the other gives up
    ::close(socket);
  });
  auto out = ask_http(ntohs(at.sin_port), "token", "POST", "/api/updates/probe", "{}", patience);
  server.join();
  ::close(fd);
  return out;
}

TEST(Errands, ask_a_server_and_tell_answers_from_silence) {
  std::string request;
  auto good = asked("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue", 5s, &request);
  EXPECT_EQ(good.status, 200);
  EXPECT_EQ(good.body, "true");
  EXPECT_NE(request.find("POST /api/updates/probe HTTP/1.0\r\n"), std::string::npos);
  EXPECT_NE(request.find("X-Basalt-Probe: token\r\n"), std::string::npos);
  EXPECT_EQ(asked("HTTP/1.1 503 Service Unavailable\r\n\r\n").status, 503);
  for (auto& [answer, error] : std::vector<std::pair<std::string, std::string>>{{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ntrue", "It broke off in the middle of its answer."}, {"hello", "It broke off without an answer."}}) {
    auto bad = asked(answer);
    EXPECT_EQ(bad.status, 0);
    EXPECT_EQ(bad.error, error);
  }
  EXPECT_EQ(asked("", 1s).error, "It does not answer in time.");
  EXPECT_NE(ask_http(1, "", "GET", "/", "", 5s).error.find("Connection refused"), std::string::npos);
}

}  // namespace
}  // namespace basalt::launch
