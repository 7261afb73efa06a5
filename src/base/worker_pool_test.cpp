#include "base/worker_pool.h"

#include <gtest/gtest.h>

#include <future>

namespace basalt {
namespace {

TEST(WorkerPool, counts_what_another_thread_does_itself) {
  WorkerPool pool("test", 1, 10);
  ASSERT_TRUE(pool.begin_here());
  EXPECT_EQ(pool.busy(), 1u);
  EXPECT_FALSE(pool.begin_here()) << "its one thread would be busy";
  std::promise<void> done;
  ASSERT_TRUE(pool.submit([&] { done.set_value(); }));
  EXPECT_EQ(pool.waiting(), 1u) << "it waits for its turn";
  pool.end_here();
  done.get_future().wait();
}

TEST(WorkerPool, lets_nobody_overtake_what_waits) {
  WorkerPool pool("test", 2, 10);
  std::promise<void> release;
  auto released = release.get_future().share();
  std::promise<void> all;
  std::atomic<int> left = 3;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(pool.submit([&, released] {
      released.wait();
      if (--left == 0) all.set_value();
    }));
  }
  EXPECT_FALSE(pool.begin_here());
  release.set_value();
  all.get_future().wait();
}

TEST(WorkerPool, refuses_what_its_queue_does_not_hold) {
  WorkerPool pool("test", 1, 2);
  ASSERT_TRUE(pool.begin_here());
  std::atomic<int> ran = 0;
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(pool.submit([&] { ++ran; }));
  EXPECT_FALSE(pool.submit([&] { ++ran; }));
  pool.end_here();
  while (ran < 2) std::this_thread::yield();
}

}  // namespace
}  // namespace basalt
