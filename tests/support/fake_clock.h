#pragma once

#include <algorithm>
#include <condition_variable>
#include <list>
#include <mutex>
#include <vector>

#include "base/clock.h"

namespace content::testing {

/// A steady clock that stands still until the test advances it:
///
///   FakeClock clock;
///   const Janitor janitor(store, absl::Hours(24), clock);
///   clock.AwaitWaiters(1);             // it sleeps
///   clock.Advance(absl::Minutes(1));   // it wakes up
///   clock.AwaitWaiters(1);             // it has done its work and sleeps again
///
/// Thread-safe.
class FakeClock final : public SteadyClock {
 public:
  SteadyTime Now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }

  void WaitUntil(SteadyTime time, std::unique_lock<std::mutex>& lock,
                 std::condition_variable_any& changed, const std::stop_token& stop,
                 absl::FunctionRef<bool()> is_ready) override {
    const auto is_over = [&] { return is_ready() || Now() >= time; };
    // Repeated, because the condition may change while `lock` is released.
    while (!stop.stop_requested() && !is_over()) {
      const Waiters::iterator waiter = Add({time, lock.mutex(), &changed});
      changed.wait(lock, stop, is_over);
      lock.unlock();  // Advance locks this mutex while it keeps waiters from being removed.
      Remove(waiter);
      lock.lock();
    }
  }

  /// Moves the clock forward and wakes the threads whose time has come. Must not be called with a
  /// mutex held that a waiter gave to WaitUntil.
  void Advance(absl::Duration duration) {
    const std::lock_guard advancing(advancing_);
    std::vector<Waiter> waiters;
    {
      const std::lock_guard lock(mutex_);
      now_ += duration;
      waiters.assign(waiters_.begin(), waiters_.end());
    }
    for (const Waiter& waiter : waiters) {
      // A thread that has just read the time holds its mutex until it waits.
      { const std::lock_guard waits(*waiter.mutex); }
      waiter.changed->notify_all();
    }
  }

  /// Blocks until at least `count` threads wait for a time in the future. Threads that Advance has
  /// woken do not count until they wait again.
  void AwaitWaiters(int count) {
    std::unique_lock lock(mutex_);
    waiter_added_.wait(lock, [&] {
      return std::count_if(waiters_.begin(), waiters_.end(),
                           [this](const Waiter& waiter) { return waiter.time > now_; }) >= count;
    });
  }

 private:
  struct Waiter {
    SteadyTime time;
    std::mutex* mutex;
    std::condition_variable_any* changed;
  };
  using Waiters = std::list<Waiter>;

  Waiters::iterator Add(const Waiter& waiter) {
    const std::lock_guard lock(mutex_);
    waiter_added_.notify_all();
    return waiters_.insert(waiters_.end(), waiter);
  }

  void Remove(Waiters::iterator waiter) {
    const std::lock_guard advancing(advancing_);
    const std::lock_guard lock(mutex_);
    waiters_.erase(waiter);
  }

  // Held while Advance uses waiters. Locked before any other mutex.
  std::mutex advancing_;
  mutable std::mutex mutex_;
  std::condition_variable waiter_added_;
  SteadyTime now_ = SteadyTime() + absl::Hours(1);  // Guarded by mutex_.
  Waiters waiters_;                                 // Guarded by mutex_.
};

}  // namespace content::testing
