// The processes of the launcher as the trial of a new version sees them: started beside each other on one listening socket,
// looked at, asked, and one of them made the one that serves.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"

namespace basalt::launch {

using ChildId = Id<struct ChildTag>;    // never used twice while the launcher runs
using TicketId = Id<struct TicketTag>;  // of one question or one command; its answer is handed out once

// None of these functions waits for anything. All are called on the launcher's main thread alone: a child dies with the thread
// that started it.
class Children {
 public:
  virtual ~Children() = default;

  struct Start {
    std::string slot;                                 // "installed" or a version, see slots.h
    bool held_back = false;                           // takes connections of people only after go(); initialises fully before
    std::map<std::string, std::string> environment;   // added to the launcher's own
  };
  // What cannot be executed is seen in look(): it ended.
  virtual ChildId start(const Start&) = 0;

  struct Seen {
    bool alive = false;
    bool ready = false;             // it said READY=1: the store is open and migrated, every service is up
    bool serves = false;            // it is serving(), or was started without being held back
    std::string slot;
    std::string status;             // its last STATUS line
    std::uint64_t moved = 0;        // grows with each STATUS that is another one and each EXTEND_TIMEOUT_USEC: it makes progress
    std::int64_t memory_bytes = 0;  // resident; 0 when it is gone
    std::string ended;              // "ended with code 20: <the last line of its log>", "was ended by signal 9"; empty while alive
  };
  // Of a child that was never started: not alive. Ended ones are remembered (the last hundred).
  virtual Seen look(ChildId) = 0;

  // Who gets people's connections. Absent while the launcher waits to start one again.
  virtual std::optional<ChildId> serving() = 0;

  // It takes people's connections from now on and is serving(); the one before gets SIGTERM, takes no more, answers what it
  // has, and goes. It should be ready; nothing happens when it is not alive.
  virtual void go(ChildId) = 0;
  virtual void stop(ChildId) = 0;  // SIGTERM; SIGKILL when it is there after drain time and ten seconds more
  virtual void kill(ChildId) = 0;  // SIGKILL

  // One HTTP request to the child's private socket, which answers from its start on, with X-Basalt-Probe: its token. Paths:
  // /livez, /readyz, /metrics, /api/health and /api/updates/probe; others are 404 there.
  struct Answer {
    int status = 0;     // 0: there is no answer, see `error`
    std::string body;   // at most 8 MB
    std::string error;  // a sentence; empty with an answer
  };
  virtual TicketId ask(ChildId, const std::string& method, const std::string& path, const std::string& body, std::chrono::milliseconds patience) = 0;
  virtual std::optional<Answer> answer(TicketId) = 0;  // absent: not there yet

  // `<the slot's program> words…` with the options of serve that the launcher was given, e.g. {"migrate", "down", "--to", "1"}.
  struct Ended {
    int code = 0;           // 128 + signal when a signal ended it; -1 when it was not done within its time and was killed
    std::string out, err;   // the first 1 MB of each
  };
  virtual TicketId run(const std::string& slot, const std::vector<std::string>& words, std::chrono::milliseconds patience) = 0;
  virtual std::optional<Ended> ended(TicketId) = 0;
};

}  // namespace basalt::launch
