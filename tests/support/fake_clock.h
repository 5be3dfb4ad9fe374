#pragma once

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "base/clock.h"

namespace content::testing {

/// A steady clock that stands still until the test moves it. Whoever waits on it wakes as soon as
/// it has been moved far enough. Thread-safe.
class FakeClock final : public SteadyClock {
 public:
  SteadyTime Now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }

  void WaitUntil(SteadyTime time, std::unique_lock<std::mutex>& lock,
                 std::condition_variable_any& changed, const std::stop_token& stop,
                 absl::FunctionRef<bool()> is_ready) override {
    const Waiter waiter{lock.mutex(), &changed};
    Add(waiter);
    changed.wait(lock, stop, [&] { return is_ready() || Now() >= time; });
    lock.unlock();  // Advance takes the locks in the other order
    Remove(waiter);
    lock.lock();
  }

  /// Moves the clock forward.
  void Advance(absl::Duration duration) {
    const std::lock_guard lock(mutex_moving_);
    std::vector<Waiter> waiters;
    {
      const std::lock_guard now_lock(mutex_);
      now_ += duration;
      waiters = waiters_;
    }
    for (const Waiter& waiter : waiters) {
      {
        const std::lock_guard waiting(*waiter.mutex);
      }  // whoever checked the time before now waits
      waiter.changed->notify_all();
    }
  }

  /// Blocks until `count` threads wait on this clock.
  void AwaitWaiters(size_t count) {
    std::unique_lock lock(mutex_);
    waiters_changed_.wait(lock, [&] { return waiters_.size() >= count; });
  }

 private:
  struct Waiter {
    std::mutex* mutex;
    std::condition_variable_any* changed;
  };

  void Add(const Waiter& waiter) {
    const std::lock_guard lock(mutex_);
    waiters_.push_back(waiter);
    waiters_changed_.notify_all();
  }

  // Not while Advance uses the waiters.
  void Remove(const Waiter& waiter) {
    const std::lock_guard moving(mutex_moving_);
    const std::lock_guard lock(mutex_);
    waiters_.erase(std::find_if(waiters_.begin(), waiters_.end(), [&](const Waiter& other) {
      return other.changed == waiter.changed;
    }));
  }

  std::mutex mutex_moving_;  // held while the clock is moved
  mutable std::mutex mutex_;
  std::condition_variable waiters_changed_;
  SteadyTime now_ = SteadyTime() + absl::Hours(1);  // Guarded by mutex_.
  std::vector<Waiter> waiters_;                     // Guarded by mutex_.
};

}  // namespace content::testing
