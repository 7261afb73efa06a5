#include "launch/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/failure.h"
#include "launch/listen_fd.h"

extern char** environ;

namespace basalt::launch {
namespace {

constexpr int out_of_the_way = 64;          // no child is given that many sockets
constexpr unsigned close_range_at_exec = 4;  // CLOSE_RANGE_CLOEXEC

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

void write_number(char* to, unsigned long number) {
  char digits[24];
  int count = 0;
  do digits[count++] = static_cast<char>('0' + number % 10); while ((number /= 10) > 0);
  while (count > 0) *to++ = digits[--count];
  *to = '\0';
}

void say(const char* text) { (void)!::write(2, text, std::strlen(text)); }

}  // namespace

pid_t execute(const Execution& what) {
  auto words = what.words;
  auto argv = pointers(words);
  std::vector<std::string> variables;
  for (auto& [name, value] : what.environment) variables.push_back(name + "=" + value);
  if (!what.sockets.empty()) {
    std::string names;
    for (auto& [fd, name] : what.sockets) names += (names.empty() ? "" : ":") + name;
    variables.push_back("LISTEN_FDS=" + std::to_string(what.sockets.size()));
    variables.push_back("LISTEN_FDNAMES=" + names);
    variables.push_back("LISTEN_PID=00000000000000000000");  // filled in by the child, who alone knows it
  }
  char* own_pid = what.sockets.empty() ? nullptr : variables.back().data() + std::strlen("LISTEN_PID=");
  auto envp = pointers(variables);
  std::vector<int> sockets;
  for (auto& [fd, name] : what.sockets) sockets.push_back(fcntl(fd, F_DUPFD_CLOEXEC, out_of_the_way));
  int program = what.program >= 0 ? fcntl(what.program, F_DUPFD_CLOEXEC, out_of_the_way) : -1;
  auto launcher = getpid();

  auto pid = ::fork();
  if (pid != 0) {
    for (int fd : sockets) ::close(fd);
    if (program >= 0) ::close(program);
    if (pid < 0) throw Failure(FailureKind::Unavailable, "No process can be started: " + std::string(std::strerror(errno)) + ".");
    return pid;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != launcher) ::_exit(1);  // it died before it could be noticed
  ::setpgid(0, 0);                          // what the terminal sends is the launcher's to pass on
  sigset_t none;
  sigemptyset(&none);
  for (int number : {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1, SIGUSR2}) ::signal(number, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (what.standard_output >= 0) ::dup2(what.standard_output, 1);
  if (what.standard_error >= 0) ::dup2(what.standard_error, 2);
  for (std::size_t i = 0; i < sockets.size(); ++i) ::dup2(sockets[i], first_listen_fd + static_cast<int>(i));
  ::syscall(SYS_close_range, static_cast<unsigned>(first_listen_fd + sockets.size()), ~0u, close_range_at_exec);  // whatever the launcher was started with
  if (own_pid) write_number(own_pid, static_cast<unsigned long>(::getpid()));
  if (program >= 0) ::syscall(SYS_execveat, program, "", argv.data(), envp.data(), AT_EMPTY_PATH);
  // An interpreter cannot read a script that is closed by then; it has to be at its path.
  if (program < 0 || errno == ENOENT) ::execve(what.path.c_str(), argv.data(), envp.data());
  auto* why = ::strerrordesc_np(errno);
  say("basalt: ");
  say(what.path.c_str());
  say(" cannot be started: ");
  say(why ? why : "unknown error");
  say(".\n");
  ::_exit(127);
}

std::map<std::string, std::string> environment_for_children() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; entry && *entry; ++entry) {
    std::string_view text(*entry);
    if (auto equals = text.find('='); equals != std::string_view::npos) out[std::string(text.substr(0, equals))] = std::string(text.substr(equals + 1));
  }
  for (auto* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", probe_token_variable, launcher_socket_variable, child_number_variable}) out.erase(name);
  return out;
}

std::string end_in_words(int status, const std::string& last_line) {
  std::string out;
  if (WIFSIGNALED(status)) {
    auto* name = ::strsignal(WTERMSIG(status));
    out = "was ended by signal " + std::to_string(WTERMSIG(status)) + (name ? " (" + std::string(name) + ")" : "");
  } else {
    out = "ended with code " + std::to_string(WEXITSTATUS(status));
  }
  bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;  // its last line is then no reason
  return last_line.empty() || well ? out : out + ": " + last_line;
}

std::uint64_t process_start(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  auto name_ends = text.rfind(')');  // a name may hold anything
  if (name_ends == std::string::npos) return 0;
  std::istringstream rest(text.substr(name_ends + 1));
  std::string field;
  for (int number = 3; number <= 22; ++number) {
    rest >> field;
    if (number == 3 && (field == "Z" || field == "X")) return 0;
  }
  return std::strtoull(field.c_str(), nullptr, 10);
}

std::int64_t resident_bytes(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/statm");
  std::int64_t whole = 0, resident = 0;
  in >> whole >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

}  // namespace basalt::launch
