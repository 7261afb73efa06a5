// Starting programs: between fork and exec only what is safe there, and what a child must have: its own signals, its sockets
// from descriptor 3 on, its death when the launcher dies.
#pragma once
#include <sys/types.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace basalt::launch {

struct Execution {
  std::string path;                                 // shown; executed when there is no `program`
  int program = -1;                                 // an open file to execute, whatever is at its path by now
  std::vector<std::string> words;                   // argv, with the program's name
  std::map<std::string, std::string> environment;   // all of it
  std::vector<std::pair<int, std::string>> sockets; // handed over as LISTEN_FDS with these names
  int standard_output = -1, standard_error = -1;    // -1: the launcher's own
};
// The process's id. What cannot be executed says so on its standard error and ends with 127. Throws Failure Unavailable when
// there can be no process at all. The caller's thread must live as long as the child shall.
pid_t execute(const Execution&);

// The environment of this process without what was meant for it alone: sockets, watchdog, where to tell a service manager.
std::map<std::string, std::string> environment_for_children();

// "ended with code 20: <line>", "was ended by signal 9 (Killed)".
std::string end_in_words(int wait_status, const std::string& last_line);

// When a process started, in the kernel's ticks since boot: with its number it names it for good. 0: there is no such process.
std::uint64_t process_start(pid_t);
std::int64_t resident_bytes(pid_t);  // 0: gone

}  // namespace basalt::launch
