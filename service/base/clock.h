#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"

namespace content {

/// A point in time on the steady clock, which never jumps and has no date.
///
/// Deadlines and intervals use SteadyTime, so setting the system clock does not affect them. Dates,
/// which are stored and shown, are absl::Time. The two types do not convert to each other.
class SteadyTime {
 public:
  /// The clock's origin.
  constexpr SteadyTime() = default;

  static constexpr SteadyTime InfinitePast() { return SteadyTime(-absl::InfiniteDuration()); }
  static constexpr SteadyTime InfiniteFuture() { return SteadyTime(absl::InfiniteDuration()); }

  SteadyTime& operator+=(absl::Duration duration) {
    since_origin_ += duration;
    return *this;
  }
  friend SteadyTime operator+(SteadyTime time, absl::Duration duration) { return time += duration; }
  friend SteadyTime operator-(SteadyTime time, absl::Duration duration) {
    return time += -duration;
  }
  friend absl::Duration operator-(SteadyTime a, SteadyTime b) {
    return a.since_origin_ - b.since_origin_;
  }

  friend bool operator==(SteadyTime a, SteadyTime b) { return a.since_origin_ == b.since_origin_; }
  friend bool operator!=(SteadyTime a, SteadyTime b) { return !(a == b); }
  friend bool operator<(SteadyTime a, SteadyTime b) { return a.since_origin_ < b.since_origin_; }
  friend bool operator>(SteadyTime a, SteadyTime b) { return b < a; }
  friend bool operator<=(SteadyTime a, SteadyTime b) { return !(b < a); }
  friend bool operator>=(SteadyTime a, SteadyTime b) { return !(a < b); }

 private:
  constexpr explicit SteadyTime(absl::Duration since_origin) : since_origin_(since_origin) {}

  absl::Duration since_origin_;
};

/// The steady clock, and how to wait on it. Tests inject a clock that they advance themselves.
/// Thread-safe.
class SteadyClock {
 public:
  virtual ~SteadyClock() = default;

  /// The system's steady clock. Never destroyed.
  static SteadyClock& System();

  virtual SteadyTime Now() const = 0;

  /// Blocks until `time`, until `stop` is requested, or until `changed` is notified and `is_ready`
  /// returns true, whichever comes first. `lock` must be held; it is released while waiting.
  virtual void WaitUntil(SteadyTime time, std::unique_lock<std::mutex>& lock,
                         std::condition_variable_any& changed, const std::stop_token& stop,
                         absl::FunctionRef<bool()> is_ready) = 0;

  /// Blocks until `time`, or until `stop` is requested.
  void SleepUntil(SteadyTime time, const std::stop_token& stop);

  /// Blocks for `duration`, or until `stop` is requested.
  void SleepFor(absl::Duration duration, const std::stop_token& stop) {
    SleepUntil(Now() + duration, stop);
  }
};

/// Returns the current time of the system's steady clock.
inline SteadyTime SteadyNow() { return SteadyClock::System().Now(); }

}  // namespace content
