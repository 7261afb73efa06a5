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
  }
  ready_.notify_all();
  for (auto& thread : threads) thread.join();
}

bool WorkerPool::submit(std::function<void()> work) {
  std::lock_guard lock(mutex_);
  if (stopping_ || queue_.size() >= queue_limit_) return false;
  queue_.push_back(std::move(work));
  if (idle_ < queue_.size() && threads_.size() < limit_) threads_.emplace_back([this] { run(); });
  else ready_.notify_one();
  return true;
}

std::size_t WorkerPool::waiting() const { std::lock_guard lock(mutex_); return queue_.size(); }

std::size_t WorkerPool::busy() const { std::lock_guard lock(mutex_); return busy_; }

void WorkerPool::run() {
  pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty()) return;
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
