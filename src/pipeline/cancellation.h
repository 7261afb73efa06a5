// Stops a running statement when the client has gone.
#pragma once
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "base/failure.h"
#include "drivers/driver.h"

namespace basalt::pipeline {

// Lives around the use of a connection. When `gone` is requested the connection is cancelled, and again until this object
// dies: a cancel that comes just before the statement begins would otherwise be lost.
class CancelOnStop {
 public:
  // Throws Failure Cancelled when the client has gone already: then there is nothing to run. (Were the callback to run inside
  // this constructor, it would wait for an end that only this thread can bring.)
  CancelOnStop(const std::stop_token& gone, drivers::Connection& connection) : connection_(connection), builder_(std::this_thread::get_id()), callback_(gone, Stop{this}) {
    if (gone.stop_requested() && stopped_while_building_) throw Failure(FailureKind::Cancelled, "The client has gone.");
  }
  ~CancelOnStop() {
    {
      std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
  }  // ~stop_callback waits for a callback that is running

 private:
  struct Stop {
    CancelOnStop* self;
    void operator()() const noexcept { self->stop(); }
  };
  void stop() noexcept {
    if (std::this_thread::get_id() == builder_) {  // requested before: called from the constructor
      stopped_while_building_ = true;
      return;
    }
    auto pause = std::chrono::milliseconds(20);
    std::unique_lock lock(mutex_);
    while (!over_) {
      lock.unlock();
      try {
        connection_.cancel();
      } catch (...) {
        // The connection itself is failing; its user hears of it.
      }
      lock.lock();
      changed_.wait_for(lock, pause, [&] { return over_; });
      if (pause < std::chrono::seconds(1)) pause *= 2;
    }
  }

  drivers::Connection& connection_;
  const std::thread::id builder_;
  bool stopped_while_building_ = false;  // only this thread's
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;  // GUARDED_BY(mutex_)
  std::stop_callback<Stop> callback_;
};

}  // namespace basalt::pipeline
