#include "base/failure.h"
#include "base/log.h"
#include "upgrade/run_parts.h"

namespace basalt::upgrade {

double Attempt::seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

void Attempt::at(const std::string& state, double fraction, const std::string& step_name, int step, int steps) {
  double passed = seconds();
  progress().set([&](ProgressNow& now) {
    now.state = state;
    now.fraction = std::max(now.fraction, std::min(fraction, 1.0));
    if (!step_name.empty()) now.step_name = step_name;
    if (step >= 0) now.step = step;
    if (steps >= 0) now.steps = steps;
    if (expected_end_) now.eta_seconds = std::max(0.0, *expected_end_ - passed);
    else now.eta_seconds = now.fraction > 0.02 ? std::optional(passed / now.fraction * (1 - now.fraction)) : std::nullopt;
  });
  if (!mirrored_ || std::chrono::steady_clock::now() < next_mirror_) return;
  auto now = progress().now();
  write_side_file(context_, now.state, from_, to_, backup_, "", &now);
  next_mirror_ = std::chrono::steady_clock::now() + std::chrono::seconds(1);
}

void Attempt::rows(std::int64_t rows) {
  progress().set([&](ProgressNow& now) { now.rows = rows; });
}

void Attempt::begin(int from, int to) {
  began_ = true;
  from_ = from;
  to_ = to;
}

void Attempt::mirror(std::string backup) {
  mirrored_ = true;
  backup_ = std::move(backup);
  auto now = progress().now();
  write_side_file(context_, now.state, from_, to_, backup_, "", &now);
  next_mirror_ = std::chrono::steady_clock::now() + std::chrono::seconds(1);
}

void Attempt::end(const std::string& state) {
  mirrored_ = false;
  write_side_file(context_, state, from_, to_, backup_);
}

Outcome Attempt::guard(const std::function<Outcome()>& work) {
  auto failed = [&](const std::string& sentence) {
    progress().set([&](ProgressNow& now) {
      now.state = "failed";
      now.error = sentence;
      now.eta_seconds.reset();
    });
  };
  try {
    auto outcome = work();
    outcome.seconds = seconds();
    outcome.paused_seconds = paused_;
    if (paused_ > 0) log::info("writers were held back", {{"seconds", std::to_string(paused_)}});
    progress().set([](ProgressNow& now) {
      now.state = "done";
      now.fraction = 1;
      now.eta_seconds.reset();
    });
    return outcome;
  } catch (const Failure& failure) {
    failed(failure.sentence());
    throw;
  } catch (const std::exception&) {
    failed("Something went wrong on our side.");
    throw;
  }
}

Outcome Attempt::nothing(std::string sentence, int schema) {
  Outcome out;
  out.code = nothing_to_do;
  out.sentence = std::move(sentence);
  out.from = out.to = schema;
  return out;
}

}  // namespace basalt::upgrade
