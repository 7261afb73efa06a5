#include "base/failure.h"
#include "base/log.h"
#include "upgrade/run_parts.h"

namespace basalt::upgrade {

double Attempt::seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

void Attempt::at(const std::string& state, double fraction, const std::string& step_name, int step, int steps) {
  if (!context_.progress) return;
  double passed = seconds();
  context_.progress->set([&](ProgressNow& now) {
    now.state = state;
    now.fraction = std::max(now.fraction, std::min(fraction, 1.0));
    if (!step_name.empty()) now.step_name = step_name;
    if (step >= 0) now.step = step;
    if (steps >= 0) now.steps = steps;
    now.eta_seconds = now.fraction > 0.02 ? std::optional(passed / now.fraction * (1 - now.fraction)) : std::nullopt;
  });
}

Outcome Attempt::guard(const std::function<Outcome()>& work) {
  auto failed = [&](const std::string& sentence) {
    if (context_.progress)
      context_.progress->set([&](ProgressNow& now) {
        now.state = "failed";
        now.error = sentence;
        now.eta_seconds.reset();
      });
  };
  try {
    auto outcome = work();
    outcome.seconds = seconds();
    if (context_.progress)
      context_.progress->set([](ProgressNow& now) {
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
