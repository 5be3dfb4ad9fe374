#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "absl/functional/function_ref.h"
#include "base/clock.h"

namespace content::cache {

/// Lets one thread sleep while it has no work.
///
/// Call Notify after adding work, under the lock that guards the work. The sleeper first marks
/// itself as asleep and then looks for work under these locks. So either it finds the work, or
/// Notify finds it asleep: no wake-up is lost. Thread-safe, with one sleeper.
class WorkSignal {
 public:
  /// Wakes the sleeper. If it is awake, this only reads one flag.
  void Notify() {
    if (asleep_.load(std::memory_order_relaxed)) Wake();
  }

  /// Returns at once if `has_work` returns true. Otherwise blocks until Notify is called or `stop`
  /// is requested. May wake up spuriously.
  void AwaitWork(SteadyClock& clock, const std::stop_token& stop,
                 absl::FunctionRef<bool()> has_work);

 private:
  void Wake();

  // Set to false only under mutex_, so that no notification is lost.
  std::atomic<bool> asleep_ = false;
  std::mutex mutex_;
  std::condition_variable_any woken_;
};

}  // namespace content::cache
