#include "base/worker_pool.h"

#include <pthread.h>

namespace basalt {

WorkerPool::WorkerPool(std::string name, std::size_t threads, std::size_t queue_limit)
    : name_(std::move(name)), limit_(threads), queue_limit_(queue_limit) {}

WorkerPool::~WorkerPool() {
  std::vector<std::thread> threads;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
    for (auto* idle : idle_) {
      idle->called = true;
      idle->ready.notify_one();
    }
    idle_.clear();
  }
  for (auto& thread : threads) thread.join();
}

bool WorkerPool::submit(std::function<void()> work) {
  std::unique_lock lock(mutex_);
  if (stopping_ || queue_.size() >= queue_limit_) return false;
  queue_.push_back(std::move(work));
  call_one(lock);
  return true;
}

void WorkerPool::call_one(std::unique_lock<std::mutex>& lock) {
  if (!idle_.empty()) {
    auto* idle = idle_.back();
    idle_.pop_back();
    idle->called = true;
    lock.unlock();
    idle->ready.notify_one();  // it lives as long as its thread, which is joined by our destructor only
  } else if (threads_.size() < limit_) {
    threads_.emplace_back([this] { run(); });
  }
}

bool WorkerPool::begin_here() {
  std::lock_guard lock(mutex_);
  if (stopping_ || !queue_.empty() || busy_ >= limit_) return false;
  ++busy_;
  return true;
}

void WorkerPool::end_here() {
  std::unique_lock lock(mutex_);
  --busy_;
  if (!queue_.empty()) call_one(lock);
}

std::size_t WorkerPool::waiting() const { std::lock_guard lock(mutex_); return queue_.size(); }

std::size_t WorkerPool::busy() const { std::lock_guard lock(mutex_); return busy_; }

void WorkerPool::run() {
  pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
  Idle self;
  std::unique_lock lock(mutex_);
  for (;;) {
    if (queue_.empty() || busy_ >= limit_) {
      if (queue_.empty() && stopping_) return;
      self.called = false;
      idle_.push_back(&self);
      self.ready.wait(lock, [&self] { return self.called; });
      continue;
    }
    auto work = std::move(queue_.front());
    queue_.pop_front();
    ++busy_;
    lock.unlock();
    work();
    work = nullptr;
    lock.lock();
    --busy_;
  }
}

}  // namespace basalt
