#include "base/clock.h"

#include <chrono>

namespace content {
namespace {

class SystemSteadyClock final : public SteadyClock {
 public:
  SteadyTime Now() const override {
    return SteadyTime() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
  }

  void WaitUntil(SteadyTime time, std::unique_lock<std::mutex>& lock,
                 std::condition_variable_any& changed, const std::stop_token& stop,
                 absl::FunctionRef<bool()> is_ready) override {
    // Longer than any process runs, and short enough not to overflow std::chrono.
    constexpr absl::Duration kForever = absl::Hours(24 * 365);
    if (time - Now() > kForever) {
      changed.wait(lock, stop, is_ready);
    } else {
      changed.wait_for(lock, stop, absl::ToChronoNanoseconds(time - Now()), is_ready);
    }
  }
};

}  // namespace

SteadyClock& SteadyClock::System() {
  static SystemSteadyClock clock;
  return clock;
}

void SteadyClock::SleepUntil(SteadyTime time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never_notified;
  std::unique_lock lock(mutex);
  WaitUntil(time, lock, never_notified, stop, [] { return false; });
}

}  // namespace content
