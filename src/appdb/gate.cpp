#include "appdb/gate.h"

#include "base/failure.h"

namespace basalt::appdb {

void Gate::enter(bool write, std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, patience, [&] { return !closed_for(write); }))
    throw Failure(FailureKind::Unavailable, "Basalt is bringing its data up to date; try again in a moment.");
  ++(write ? writing_ : reading_);
}

void Gate::leave(bool write) {
  {
    std::lock_guard lock(mutex_);
    --(write ? writing_ : reading_);
  }
  changed_.notify_all();
}

void Gate::close(Store::Closed what) {
  std::unique_lock lock(mutex_);
  writes_ = true;
  everything_ = everything_ || what == Store::Closed::Everything;
  bool quiet = changed_.wait_for(lock, std::chrono::seconds(30), [&] { return writing_ == 0 && (!everything_ || reading_ == 0); });
  if (quiet) return;
  writes_ = everything_ = false;
  lock.unlock();
  changed_.notify_all();
  throw Failure(FailureKind::Unavailable, "The application database is in use without a pause; the change was not begun. Try again when less goes on.");
}

void Gate::open() {
  {
    std::lock_guard lock(mutex_);
    writes_ = everything_ = false;
  }
  changed_.notify_all();
}

}  // namespace basalt::appdb
