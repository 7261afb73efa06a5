// A second process for tests: this test program again, playing a role instead of running tests. Header only.
#pragma once
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace basalt::appdb {

// Talks to the other process line by line: each line said is answered by one.
class TestProcess {
 public:
  TestProcess(const std::string& role, const std::vector<std::string>& arguments) {
    int to[2], from[2];
    if (::pipe(to) != 0 || ::pipe(from) != 0) throw std::runtime_error("no pipe");
    std::vector<std::string> words = {"/proc/self/exe", "--role", role};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(to[0], 0);
      ::dup2(from[1], 1);
      for (int descriptor = 3; descriptor < 1024; ++descriptor) ::close(descriptor);
      ::execv("/proc/self/exe", argv.data());
      ::_exit(127);
    }
    ::close(to[0]);
    ::close(from[1]);
    to_ = to[1];
    from_ = from[0];
    // The test program says a few things of its own before.
    for (auto line = hear(); line != "ready"; line = hear())
      if (line == "(gone)") throw std::runtime_error("the other process did not start");
  }
  ~TestProcess() {
    if (pid_ > 0) kill();
  }
  TestProcess(const TestProcess&) = delete;

  void say(std::string line) {
    line += '\n';
    if (::write(to_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) throw std::runtime_error("the other process is gone");
  }
  std::string hear() {
    std::string line;
    for (char c = 0; ::read(from_, &c, 1) == 1;) {
      if (c == '\n') return line;
      line += c;
    }
    return "(gone)";
  }
  std::string ask(const std::string& line) {
    say(line);
    return hear();
  }
  void stop() {
    ::kill(pid_, SIGSTOP);
    int status = 0;
    ::waitpid(pid_, &status, WUNTRACED);
  }
  void go_on() { ::kill(pid_, SIGCONT); }
  // Ends it in order: its role function returns when it hears nothing more.
  int end() {
    ::close(to_);
    to_ = -1;
    return wait();
  }
  void kill() {
    ::kill(pid_, SIGKILL);
    if (to_ >= 0) ::close(to_);
    wait();
  }

 private:
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    ::close(from_);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  pid_t pid_ = 0;
  int to_ = -1, from_ = -1;
};

// Plays the role that the command line names, before any test would run. One per test file that has roles:
// `auto* const roles = testing::AddGlobalTestEnvironment(new TestRoles({{"name", function}}));`
class TestRoles : public testing::Environment {
 public:
  // Gets the arguments after the role's name, and `talk`: hands each line that comes to a function, answers with its result.
  using Talk = std::function<void(const std::function<std::string(const std::string&)>&)>;
  using Role = std::function<void(const std::vector<std::string>&, const Talk&)>;
  explicit TestRoles(std::map<std::string, Role> roles) : roles_(std::move(roles)) {}

  void SetUp() override {
    auto argv = testing::internal::GetArgvs();
    if (argv.size() < 3 || argv[1] != "--role" || !roles_.contains(argv[2])) return;
    std::cout << "ready" << std::endl;
    roles_[argv[2]]({argv.begin() + 3, argv.end()}, [](const std::function<std::string(const std::string&)>& answer) {
      for (std::string line; std::getline(std::cin, line);) {
        auto said = answer(line);
        if (said == "(leave)") return;
        std::cout << said << std::endl;
      }
    });
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }

 private:
  std::map<std::string, Role> roles_;
};

}  // namespace basalt::appdb
