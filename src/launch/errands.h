// What takes a while and is done beside the launcher's loop: questions to a child, commands of a program.
#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "launch/children.h"
#include "launch/process.h"

namespace basalt::launch {

// The main thread's, all of it.
class Errands {
 public:
  Errands();
  ~Errands();
  Errands(const Errands&) = delete;

  // One HTTP/1.0 request to 127.0.0.1, on a thread of its own.
  TicketId ask(std::uint16_t port, const std::string& token, const std::string& method, const std::string& path, const std::string& body, std::chrono::milliseconds patience);
  std::optional<Children::Answer> answer(TicketId);

  TicketId run(Execution, std::chrono::milliseconds patience);
  std::optional<Children::Ended> ended(TicketId);
  bool reaped(pid_t, int wait_status);  // was it a command of ours?
  void look_at_time();                  // ends commands whose time is over

 private:
  struct Question;
  struct Running;
  std::int64_t last_ticket_ = 0;
  std::map<TicketId, std::shared_ptr<Question>> questions_;
  std::map<TicketId, std::unique_ptr<Running>> running_;
};

// Blocks; the errand's own work. Answers with an error rather than throwing.
Children::Answer ask_http(std::uint16_t port, const std::string& token, const std::string& method, const std::string& path, const std::string& body, std::chrono::milliseconds patience);

}  // namespace basalt::launch
