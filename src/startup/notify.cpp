#include "startup/notify.h"

#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <mutex>

namespace basalt::startup {
namespace {

std::string variable(const char* name) {
  auto* value = std::getenv(name);
  return value ? value : "";
}

std::chrono::microseconds wanted_watchdog() {
  auto pid = variable("WATCHDOG_PID");
  if (!pid.empty() && pid != std::to_string(getpid())) return {};
  return std::chrono::microseconds(std::strtoll(variable("WATCHDOG_USEC").c_str(), nullptr, 10));
}

// A status is one line.
std::string one_line(std::string text) {
  for (auto& c : text) if (static_cast<unsigned char>(c) < 32) c = ' ';
  return text.substr(0, 300);
}

std::string words(const upgrade::ProgressNow& now) {
  if (now.state == "failed") return "failed: " + now.error;
  std::string out = now.state;
  if (now.steps > 0) out += ", step " + std::to_string(now.step) + " of " + std::to_string(now.steps);
  if (!now.step_name.empty()) out += ": " + now.step_name;
  if (now.fraction > 0) out += " (" + std::to_string(static_cast<int>(now.fraction * 100)) + " %)";
  return out;
}

}  // namespace

std::string ProgressNotes::look(const upgrade::ProgressNow& now) {
  std::string out;
  auto text = one_line(words(now));
  if (text != said_) out += "STATUS=" + text + "\n";
  said_ = text;
  bool moved = !last_ || last_->state != now.state || last_->step_name != now.step_name || last_->step != now.step || last_->fraction != now.fraction || last_->rows != now.rows;
  if (moved && now.state != "failed" && now.state != "done")
    out += "EXTEND_TIMEOUT_USEC=" + std::to_string(std::chrono::microseconds(more_time).count()) + "\n";
  last_ = now;
  return out;
}

ServiceNotifier::ServiceNotifier(const upgrade::Progress& progress) : ServiceNotifier(progress, variable("NOTIFY_SOCKET"), wanted_watchdog(), std::chrono::seconds(1)) {}

ServiceNotifier::ServiceNotifier(const upgrade::Progress& progress, const std::string& socket, std::chrono::microseconds watchdog, std::chrono::milliseconds every) : socket_(socket), watchdog_(watchdog) {
  if (!socket_.is_on()) return;
  start(progress, every);
}

void ServiceNotifier::start(const upgrade::Progress& progress, std::chrono::milliseconds every) {
  thread_ = std::jthread([this, &progress, every](std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any changed;
    ProgressNotes notes;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      if (!ready_) socket_.send(notes.look(progress.now()));
      else if (watchdog_.count() > 0) socket_.send("WATCHDOG=1\n");
      else return;
      // Twice as often as asked for.
      auto wait = ready_ ? std::min(std::chrono::duration_cast<std::chrono::milliseconds>(watchdog_) / 2, std::chrono::milliseconds(60'000)) : every;
      changed.wait_for(lock, stop, std::max(wait, std::chrono::milliseconds(1)), [] { return false; });
    }
  });
}

void ServiceNotifier::ready() {
  ready_ = true;
  socket_.send("READY=1\nSTATUS=serving\n");
}

void ServiceNotifier::stopping() { socket_.send("STOPPING=1\nSTATUS=finishing what runs\n"); }

}  // namespace basalt::startup
