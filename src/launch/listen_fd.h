// What a server was started with besides its options: sockets that listen already, as systemd hands them over (LISTEN_FDS,
// LISTEN_PID, LISTEN_FDNAMES: file descriptors from 3 on), and what the launcher adds to that.
#pragma once
#include <string>

namespace basalt::launch {

inline constexpr int first_listen_fd = 3;

// The variables that the launcher sets for a server; nobody else needs to.
inline constexpr const char* probe_token_variable = "BASALT_PROBE_TOKEN";
inline constexpr const char* launcher_socket_variable = "BASALT_LAUNCHER_SOCKET";
inline constexpr const char* child_number_variable = "BASALT_LAUNCHED_AS";

// The launcher's line to a server: it says "go" to one that was held back, "leave" to one whose successor accepts already, and
// when it breaks the launcher is gone.
class Line {
 public:
  Line() = default;
  explicit Line(int fd) : fd_(fd) {}
  bool is_there() const { return fd_ >= 0; }
  int fd() const { return fd_; }

  enum class Word { Go, Leave, Gone };
  // Waits for a word; Leave and Gone stay, so that every later call answers them too. One thread calls this.
  Word next();
  // What was said last, without waiting; any thread. Go when nothing was.
  Word last() const;

  // The launcher's end.
  static void say(int fd, Word word);

 private:
  int fd_ = -1;
};

struct Inherited {
  int public_socket = -1;      // where people's connections come in; -1: none, the server binds its own
  int probe_socket = -1;       // where only the launcher asks, on loopback
  Line line;
  bool is_own = false;         // the public socket was bound by this very process, before it started itself anew
  bool held_back = false;      // accept on the public socket only after the word Go
  std::string probe_token;     // of whoever may ask for the probe; empty: nobody
  std::string launcher_socket; // where the launcher takes commands; empty: there is none
  int number = 0;              // 1, 2, …: of the launcher's children that live at the same time; 0: no launcher

  // Reads the process's environment and takes all of it out, so that no child of this one believes it was meant. Called once,
  // before there are threads. Failure BadRequest when what was handed over is no listening TCP socket, or there are several
  // without the names by which to tell them.
  static Inherited take();
  // This process holds the public socket no more (the server may have a copy of its own).
  void close_public();
  bool is_launched() const { return line.is_there(); }
  // Puts all back for the same process under another program (execv): the sockets stay open, no word is waited for again.
  void put_back(bool went) const;
};

}  // namespace basalt::launch
