// What the launcher does about releases by itself, on a thread of its own: it looks every few hours, and fetches what is due. It
// changes nothing that serves; what is ready it hands to the launcher's thread.
#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "launch/stage.h"

namespace basalt::launch {

struct AgentOptions {
  Policy policy;
  Origin origin;
  std::chrono::seconds first{60}, every{4 * 3600};  // with up to half as much more by chance
  std::chrono::seconds again{900};                  // after one that was due could not be fetched
};

class Agent {
 public:
  // A version that is in its slot and may be put on trial.
  struct Ready {
    std::string version, by;
    bool anyway = false;
  };

  // Slots and clock outlive it.
  Agent(AgentOptions, Slots&, const Clock&);
  ~Agent();

  // Somebody asks for it: fetched as soon as what is done now is over. Empty version: the newest that may be installed. Failure
  // Conflict while another one is fetched.
  void fetch(const std::string& version, const std::string& by, bool anyway);
  void look();  // as soon as may be

  // For the launcher's thread: at most one each. `state`: what the decisions are made on; call it often.
  std::optional<Ready> ready(const State& state);
  std::optional<json::value> seen();
  // {policy, window, fetching: version | null, done, expected: bytes, error: sentence | null, looks: whether it looks by itself}
  json::object to_json() const;

 private:
  struct Wish { std::string version, by; bool anyway = false; };
  void work(std::stop_token);
  void look_now(const std::optional<Wish>&, std::stop_token);

  const AgentOptions options_;
  Slots& slots_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  State state_;                       // GUARDED_BY(mutex_)
  std::optional<Wish> wish_;          // GUARDED_BY(mutex_)
  bool look_ = false;                 // GUARDED_BY(mutex_)
  std::optional<Ready> ready_;        // GUARDED_BY(mutex_)
  std::optional<json::value> seen_;   // GUARDED_BY(mutex_)
  std::string fetching_, error_;      // GUARDED_BY(mutex_)
  std::int64_t done_ = 0, expected_ = -1;  // GUARDED_BY(mutex_)
  std::chrono::seconds next_;         // GUARDED_BY(mutex_)
  std::jthread thread_;
};

}  // namespace basalt::launch
