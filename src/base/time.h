// Instants, their one text form, and the clock that tests own.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace basalt {

using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

// "2024-06-19T11:49:38.313316Z": always UTC, always six digits. The form in the application database and in the API.
std::string to_text(Timestamp at);
// Reads that form, and the looser ones that engines and clients send: blank instead of T, 0-9 fraction digits, "Z", "+02",
// "+02:00", "+0200" or no zone (then UTC), a bare date. Absent when it is none of these.
std::optional<Timestamp> parse_timestamp(std::string_view text);

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
};

const Clock& system_clock();

// A clock that stands still until told otherwise; for tests.
class FixedClock final : public Clock {
 public:
  explicit FixedClock(Timestamp at) : at_(at) {}
  Timestamp now() const override { return at_; }
  void advance(std::chrono::microseconds by) { at_ += by; }

 private:
  Timestamp at_;
};

}  // namespace basalt
