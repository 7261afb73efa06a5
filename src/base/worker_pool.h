// A fixed number of threads behind a bounded queue. One pool per kind of waiting: application database, data sources,
// password hashing.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace basalt {

class WorkerPool {
 public:
  // Threads start on first need, up to `threads`, and stay. At most `queue_limit` pieces of work wait.
  WorkerPool(std::string name, std::size_t threads, std::size_t queue_limit);
  ~WorkerPool();  // finishes what was accepted, then joins

  // False when the queue is full or the pool is stopping: the caller answers 503. `work` must not throw.
  [[nodiscard]] bool submit(std::function<void()> work);
  // Work that another thread does itself, counted as if one of ours did it: between begin_here(), which is false when no thread of
  // ours would be free for it, and end_here(), which comes before the pool ends.
  [[nodiscard]] bool begin_here();
  void end_here();
  std::size_t waiting() const;
  std::size_t busy() const;

 private:
  struct Idle {
    std::condition_variable ready;
    bool called = false;  // GUARDED_BY(mutex_)
  };
  void run();
  void call_one(std::unique_lock<std::mutex>& lock);

  const std::string name_;
  const std::size_t limit_, queue_limit_;
  mutable std::mutex mutex_;
  std::deque<std::function<void()>> queue_;   // GUARDED_BY(mutex_)
  std::vector<std::thread> threads_;          // GUARDED_BY(mutex_)
  std::vector<Idle*> idle_;                   // GUARDED_BY(mutex_): the last to fall idle, whose caches are warm, is called first
  std::size_t busy_ = 0;                      // GUARDED_BY(mutex_)
  bool stopping_ = false;                     // GUARDED_BY(mutex_)
};

}  // namespace basalt
