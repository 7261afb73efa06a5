// Who may use a store right now: counts what runs, holds others back while the store is closed. Thread-safe.
#pragma once
#include <condition_variable>
#include <mutex>

#include "appdb/store.h"

namespace basalt::appdb {

class Gate {
 public:
  // Enters for a read or a write; Failure Unavailable when that is still closed after `patience`.
  void enter(bool write, std::chrono::milliseconds patience);
  void leave(bool write);
  // Closes and waits until nothing of the kind runs; Failure Unavailable after 30 s, open again then.
  void close(Store::Closed what);
  void open();

 private:
  bool closed_for(bool write) const { return everything_ || (write && writes_); }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool writes_ = false, everything_ = false;  // GUARDED_BY(mutex_)
  int reading_ = 0, writing_ = 0;             // GUARDED_BY(mutex_)
};

}  // namespace basalt::appdb
