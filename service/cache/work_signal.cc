#include "cache/work_signal.h"

namespace content::cache {

void WorkSignal::AwaitWork(SteadyClock& clock, const std::stop_token& stop,
                           absl::FunctionRef<bool()> has_work) {
  asleep_ = true;
  const bool stays_awake = has_work();
  std::unique_lock lock(mutex_);
  if (!stays_awake) {
    clock.WaitUntil(SteadyTime::InfiniteFuture(), lock, woken_, stop,
                    [this] { return !asleep_.load(); });
  }
  asleep_ = false;
}

void WorkSignal::Wake() {
  const std::lock_guard lock(mutex_);
  asleep_ = false;
  woken_.notify_one();
}

}  // namespace content::cache
