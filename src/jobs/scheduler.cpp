#include "jobs/scheduler.h"

#include <condition_variable>
#include <exception>
#include <thread>
#include <vector>

#include "base/log.h"

namespace basalt::jobs {

namespace {
using SteadyTime = std::chrono::steady_clock::time_point;

struct Job {
  std::string name;
  SteadyTime due;
  std::optional<std::chrono::milliseconds> period;  // absent: once
  std::function<void()> work;
  bool running = false;
};
}  // namespace

struct Scheduler::State {
  explicit State(WorkerPool& p) : pool(p) {}
  WorkerPool& pool;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::shared_ptr<Job>> jobs;  // GUARDED_BY(mutex)
  bool stopping = false;                   // GUARDED_BY(mutex)
  std::thread thread;

  void run_job(const std::shared_ptr<Job>& job) {
    try {
      job->work();
    } catch (const std::exception& e) {
      log::error("A job failed", {{"job", job->name}, {"error", e.what()}});
    }
    std::lock_guard lock(mutex);
    job->running = false;
    if (job->period && !stopping) job->due = std::chrono::steady_clock::now() + *job->period;
    else std::erase(jobs, job);
    changed.notify_all();
  }

  void loop() {
    std::unique_lock lock(mutex);
    while (!stopping) {
      auto next = std::chrono::steady_clock::now() + std::chrono::hours(1);
      for (auto& job : std::vector(jobs)) {
        if (job->running) continue;
        if (job->due > std::chrono::steady_clock::now()) { next = std::min(next, job->due); continue; }
        job->running = true;
        if (!pool.submit([this, job] { run_job(job); })) {  // the pool is full: try again in a moment
          job->running = false;
          job->due = std::chrono::steady_clock::now() + std::chrono::seconds(1);
          next = std::min(next, job->due);
        }
      }
      changed.wait_until(lock, next);
    }
    changed.wait(lock, [this] { return std::none_of(jobs.begin(), jobs.end(), [](auto& job) { return job->running; }); });
  }

  void add(std::string name, std::chrono::milliseconds first, std::optional<std::chrono::milliseconds> period, std::function<void()> work) {
    std::lock_guard lock(mutex);
    if (stopping) return;
    auto job = std::make_shared<Job>();
    job->name = std::move(name);
    job->due = std::chrono::steady_clock::now() + first;
    job->period = period;
    job->work = std::move(work);
    jobs.push_back(std::move(job));
    if (!thread.joinable()) thread = std::thread([this] { loop(); });
    changed.notify_all();
  }
};

Scheduler::Scheduler(WorkerPool& pool) : state_(std::make_shared<State>(pool)) {}

Scheduler::~Scheduler() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    std::erase_if(state_->jobs, [](auto& job) { return !job->running; });
  }
  state_->changed.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

void Scheduler::every(std::string name, std::chrono::milliseconds first, std::chrono::milliseconds period, std::function<void()> work) {
  state_->add(std::move(name), first, period, std::move(work));
}

void Scheduler::once(std::string name, std::chrono::milliseconds after, std::function<void()> work) {
  state_->add(std::move(name), after, std::nullopt, std::move(work));
}

}  // namespace basalt::jobs
