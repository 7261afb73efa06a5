// A timer that a thread waits for.
#pragma once
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <system_error>

namespace basalt::http {

// Rings once, after a while; a thread waits for it. For what is nearly always switched off before it rings: that wakes nobody.
class Alarm {
 public:
  Alarm() : timer_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)) {
    if (timer_ < 0) throw std::system_error(errno, std::generic_category(), "timerfd_create");
  }
  ~Alarm() { ::close(timer_); }
  Alarm(const Alarm&) = delete;
  void ring_after(std::chrono::nanoseconds time) {  // 0: never
    itimerspec at{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_nsec = time.count()}};
    timerfd_settime(timer_, 0, &at, nullptr);
  }
  void wait() {
    std::uint64_t rings;
    while (::read(timer_, &rings, sizeof rings) < 0 && errno == EINTR) {}
  }

 private:
  const int timer_;
};

}  // namespace basalt::http
