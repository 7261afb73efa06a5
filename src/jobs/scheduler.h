// Runs work later and again, on one thread of its own that only hands the work to a pool.
#pragma once
#include <chrono>
#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/worker_pool.h"

namespace basalt::jobs {

class Scheduler {
 public:
  explicit Scheduler(WorkerPool& pool);
  ~Scheduler();  // cancels what has not begun, waits for what runs
  // First after `first`, then every `period` measured from end to start; never twice at once. Failures are logged, the job goes on.
  void every(std::string name, std::chrono::milliseconds first, std::chrono::milliseconds period, std::function<void()> work);
  void once(std::string name, std::chrono::milliseconds after, std::function<void()> work);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace basalt::jobs
