#include "launch/agent.h"

#include <random>

#include "base/failure.h"
#include "base/log.h"
#include "launch/trial.h"

namespace basalt::launch {
namespace {

std::chrono::seconds jittered(std::chrono::seconds base) {
  static thread_local std::mt19937_64 random{std::random_device{}()};
  return base + std::chrono::seconds(std::uniform_int_distribution<std::int64_t>(0, std::max<std::int64_t>(1, base.count() / 2))(random));
}

}  // namespace

Agent::Agent(AgentOptions options, Slots& slots, const Clock& clock) : options_(std::move(options)), slots_(slots), clock_(clock), next_(jittered(options_.first)) {
  thread_ = std::jthread([this](std::stop_token stop) { work(std::move(stop)); });
}

Agent::~Agent() = default;

void Agent::fetch(const std::string& version, const std::string& by, bool anyway) {
  std::lock_guard lock(mutex_);
  if (wish_ || !fetching_.empty()) throw Failure(FailureKind::Conflict, fetching_.empty() ? "A version is being looked for; wait for it." : "Version " + fetching_ + " is being fetched; wait for it.");
  wish_ = Wish{version, by, anyway};
  error_.clear();
  changed_.notify_all();
}

void Agent::look() {
  std::lock_guard lock(mutex_);
  look_ = true;
  changed_.notify_all();
}

std::optional<Agent::Ready> Agent::ready(const State& state) {
  std::lock_guard lock(mutex_);
  state_ = state;
  return std::exchange(ready_, std::nullopt);
}

std::optional<json::value> Agent::seen() {
  std::lock_guard lock(mutex_);
  return std::exchange(seen_, std::nullopt);
}

json::object Agent::to_json() const {
  std::lock_guard lock(mutex_);
  return {{"policy", release::name_of(options_.policy.policy)}, {"fetching", fetching_.empty() ? json::value(nullptr) : json::value(fetching_)}, {"asked", wish_.has_value()}, {"done", done_},
          {"expected", expected_}, {"error", error_.empty() ? json::value(nullptr) : json::value(error_)}, {"looks", options_.policy.policy != release::Policy::Off}};
}

void Agent::work(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    auto wanted = [&] { return wish_ || look_; };
    if (options_.policy.policy == release::Policy::Off) changed_.wait(lock, stop, wanted);
    else changed_.wait_for(lock, stop, next_, wanted);
    if (stop.stop_requested()) return;
    look_ = false;
    next_ = jittered(options_.every);
    auto wish = wish_;
    lock.unlock();
    try {
      look_now(wish, stop);
    } catch (const std::exception& problem) {
      log::warning("The releases could not be looked at", {{"why", problem.what()}});
      std::lock_guard again(mutex_);
      error_ = dynamic_cast<const Failure*>(&problem) ? problem.what() : "Something went wrong that should not.";
      if (!wish) seen_ = json::value(seen_json(error_, clock_.now()));
      else next_ = options_.again;
    }
    lock.lock();
    if (wish) wish_.reset();  // else one may have come meanwhile
    fetching_.clear();
    done_ = 0;
    expected_ = -1;
  }
}

void Agent::look_now(const std::optional<Wish>& wish, std::stop_token stop) {
  State state;
  {
    std::lock_guard lock(mutex_);
    state = state_;
  }
  auto source = options_.origin.source(stop);
  release::Trust trust(options_.origin.trust, options_.origin.root());
  auto now = clock_.now();
  auto releases = trust.refresh(*source, now);
  auto here = situation(state, slots_, options_.policy, now);
  {
    std::lock_guard lock(mutex_);
    seen_ = json::value(seen_json(releases, release::due(releases, here), here));
    error_.clear();
  }
  std::optional<release::Release> chosen;
  if (wish) {
    here.asked = true;
    if (!wish->version.empty()) {
      chosen = release::wanted(releases, wish->version, here);
    } else {
      auto decision = release::due(releases, here);
      if (decision.kind != release::Decision::Kind::Install) throw Failure(FailureKind::Conflict, decision.sentence);
      chosen = decision.release;
    }
  } else {
    auto decision = release::due(releases, here);
    if (decision.kind == release::Decision::Kind::Wait && decision.when) {
      // Looked at again when it is due, not up to hours later.
      std::lock_guard lock(mutex_);
      auto left = std::chrono::duration_cast<std::chrono::seconds>(*decision.when - now) + std::chrono::seconds(1);
      next_ = std::clamp(left, std::chrono::seconds(60), next_);
    }
    if (decision.kind != release::Decision::Kind::Install || state.has_open_run()) return;
    chosen = decision.release;
  }
  {
    std::lock_guard lock(mutex_);
    if (wish && !wish->anyway) require_allowed(state_, chosen->version, now);
    fetching_ = chosen->version;
  }
  launch::fetch(*source, *chosen, slots_, state, [this](std::int64_t done, std::int64_t expected) {
    std::lock_guard lock(mutex_);
    done_ = done;
    expected_ = expected;
  });
  std::lock_guard lock(mutex_);
  ready_ = wish ? Ready{chosen->version, wish->by, wish->anyway} : Ready{chosen->version, "the policy " + std::string(release::name_of(options_.policy.policy)), false};
}

}  // namespace basalt::launch
