// The launcher's control socket: one line of JSON in, lines of JSON out, the last of which has "ok".
#pragma once
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "base/json.h"
#include "launch/versions.h"

struct pollfd;

namespace basalt::launch {

// <versions folder>/launcher.sock, mode 0600, and only for processes of the same user or of root. One thread.
class ControlSocket {
 public:
  using Command = std::function<void(const json::object& request, std::shared_ptr<Reply>)>;

  explicit ControlSocket(const std::filesystem::path& folder);  // replaces what a launcher that was killed left
  ~ControlSocket();
  ControlSocket(const ControlSocket&) = delete;

  void add_to(std::vector<pollfd>&) const;
  // Takes askers, reads, calls `command` for each whole request, writes what is to be written. What `command` throws is
  // answered with its sentence.
  void work(const Command& command);
  std::string path() const { return path_.string(); }

 private:
  struct Asker;
  class Answering;
  void take_askers();

  std::filesystem::path path_;
  int socket_ = -1;
  std::vector<std::shared_ptr<Asker>> askers_;
};

// Asks a launcher and waits for the last line of its answer, `on_line` gets those before. Throws Failure: Unavailable when
// no launcher listens there or it says nothing for `patience`; Conflict with the launcher's sentence when it says "ok": false.
json::object ask_launcher(const std::filesystem::path& socket, const json::object& request, const std::function<void(const json::object&)>& on_line = {},
                          std::chrono::milliseconds patience = std::chrono::minutes(10));

}  // namespace basalt::launch
