// How long the last requests took: a ring that any number of threads write to without waiting for each other.
#pragma once
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

namespace basalt::http {

class Latencies {
 public:
  static constexpr std::size_t kept = 1024;

  void add(std::chrono::steady_clock::duration took) {
    auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
    auto place = next_.fetch_add(1, std::memory_order_relaxed) % kept;
    ring_[place].store(static_cast<std::uint32_t>(std::clamp<std::int64_t>(microseconds, 1, UINT32_MAX)), std::memory_order_relaxed);
  }
  // Milliseconds within which nineteen in twenty of them were answered; 0 when there were none.
  double p95_ms() const {
    std::vector<std::uint32_t> all;
    for (auto& one : ring_)
      if (auto value = one.load(std::memory_order_relaxed)) all.push_back(value);
    if (all.empty()) return 0;
    auto at = all.begin() + static_cast<std::ptrdiff_t>(all.size() * 95 / 100);
    std::nth_element(all.begin(), at, all.end());
    return *at / 1000.0;
  }

 private:
  std::array<std::atomic<std::uint32_t>, kept> ring_{};
  std::atomic<std::uint64_t> next_{0};
};

}  // namespace basalt::http
