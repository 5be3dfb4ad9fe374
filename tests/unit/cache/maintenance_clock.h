#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "support/fake_clock.h"

namespace content::cache {

/// A FakeClock for a cache whose maintenance thread is the only thread that waits on it. The test
/// can make that thread work without advancing the clock, and can see whether it sleeps.
/// Thread-safe.
class MaintenanceClock final : public SteadyClock {
 public:
  SteadyTime Now() const override { return clock_.Now(); }

  void WaitUntil(SteadyTime time, std::unique_lock<std::mutex>& lock,
                 std::condition_variable_any& changed, const std::stop_token& stop,
                 absl::FunctionRef<bool()> is_ready) override {
    lock.unlock();  // WakeUp locks both mutexes in the other order.
    {
      const std::lock_guard guard(mutex_);
      waiter_ = {lock.mutex(), &changed, time};
      ++waits_;
      waiting_.notify_all();
    }
    lock.lock();
    clock_.WaitUntil(time, lock, changed, stop, [&] { return is_ready() || is_woken_; });
    const bool was_notified = is_ready();
    lock.unlock();
    {
      const std::lock_guard guard(mutex_);
      if (was_notified) ++notifications_;
      waiter_ = {};
      is_woken_ = false;
    }
    lock.lock();
  }

  void Advance(absl::Duration duration) { clock_.Advance(duration); }

  /// Makes the maintenance thread visit all shards now, and returns when it has. (Only for caches
  /// of one shard; larger caches are visited in several steps.)
  void RunMaintenance() {
    WakeUp();  // from its rest between two rounds,
    WakeUp();  // after which it may go to sleep
  }

  /// Blocks until the maintenance thread sleeps until notified. Advances the clock past the rests
  /// before that.
  void AwaitSleep() {
    while (true) {
      const SteadyTime time = AwaitWaiter();
      if (time == SteadyTime::InfiniteFuture()) return;
      if (time > Now()) clock_.Advance(time - Now());
      std::this_thread::yield();  // until it has left its rest
    }
  }

  /// How many waits of the maintenance thread have ended after it was notified of work. Call
  /// RunMaintenance before, so that the thread has left the wait during which it was notified.
  int notifications() const {
    const std::lock_guard guard(mutex_);
    return notifications_;
  }

 private:
  struct Waiter {
    std::mutex* mutex = nullptr;
    std::condition_variable_any* changed = nullptr;
    SteadyTime time = {};
  };

  // Blocks until the maintenance thread waits, and returns until when.
  SteadyTime AwaitWaiter() {
    std::unique_lock guard(mutex_);
    waiting_.wait(guard, [this] { return waiter_.mutex != nullptr; });
    return waiter_.time;
  }

  void WakeUp() {
    std::unique_lock guard(mutex_);
    waiting_.wait(guard, [this] { return waiter_.mutex != nullptr; });
    const int waits_before = waits_;
    is_woken_ = true;
    { const std::lock_guard waits_now(*waiter_.mutex); }
    waiter_.changed->notify_all();
    waiting_.wait(guard, [&] { return waits_ > waits_before; });
  }

  testing::FakeClock clock_;
  std::atomic<bool> is_woken_ = false;
  mutable std::mutex mutex_;
  std::condition_variable waiting_;
  Waiter waiter_;          // Guarded by mutex_.
  int waits_ = 0;          // Begun. Guarded by mutex_.
  int notifications_ = 0;  // Guarded by mutex_.
};

}  // namespace content::cache
