// Stops a running statement when the client has gone.
#pragma once
#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "drivers/driver.h"

namespace basalt::pipeline {

// Lives around the use of a connection. When `gone` is requested the connection is cancelled, and again until this object
// dies: a cancel that comes just before the statement begins would otherwise be lost.
class CancelOnStop {
 public:
  CancelOnStop(std::stop_token gone, drivers::Connection& connection) : connection_(connection), callback_(std::move(gone), Stop{this}) {}
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
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;  // GUARDED_BY(mutex_)
  std::stop_callback<Stop> callback_;
};

}  // namespace basalt::pipeline
