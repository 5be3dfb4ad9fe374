#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <limits>

#include "absl/time/time.h"
#include "base/call_trace.h"
#include "base/clock.h"

namespace content::postgres {

/// Times the statements of one connection. The connection's thread marks each statement with a
/// Scope:
///
///   const StatementMonitor::Scope scope(monitor, absl::Seconds(10));
///   ... send the statement and wait for its result ...
///
/// Another thread checks whether the current statement is overdue. A Scope costs one reading of the
/// clock.
class StatementMonitor {
 public:
  explicit StatementMonitor(const SteadyClock& clock) : clock_(clock) {}

  /// Marks a statement from before it is sent until its result has arrived. For the connection's
  /// thread only; one at a time.
  class Scope {
   public:
    /// The statement is overdue once it has run for `limit` plus kGrace. `kind` is what it is in a
    /// trace.
    Scope(StatementMonitor& monitor, absl::Duration limit,
          CallTrace::Kind kind = CallTrace::Kind::kStatement)
        : monitor_(monitor),
          kind_(kind),
          start_(monitor.clock_.Now()),
          exceptions_(std::uncaught_exceptions()) {
      monitor_.overdue_after_ = Nanoseconds(start_ + limit + kGrace);
    }

    ~Scope() {
      monitor_.overdue_after_ = kNever;
      if (std::uncaught_exceptions() > exceptions_) {
        monitor_.failed_after_ = monitor_.clock_.Now() - start_;
      }
      if (monitor_.trace_ != nullptr) {
        monitor_.trace_->Add({.kind = kind_, .start = start_, .end = monitor_.clock_.Now()});
      }
    }

    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    StatementMonitor& monitor_;
    const CallTrace::Kind kind_;
    const SteadyTime start_;
    const int exceptions_;
  };

  /// From now on statements are steps of `trace`; nullptr: of none. For the connection's thread
  /// only.
  void SetTrace(CallTrace* trace) { trace_ = trace; }

  /// Returns how long the last statement ran that ended with an exception. For the connection's
  /// thread only.
  absl::Duration failed_after() const { return failed_after_; }

  /// Returns true if the current statement is overdue, but only once per statement. Thread-safe.
  bool ClaimOverdue() {
    int64_t overdue_after = overdue_after_;
    return Nanoseconds(clock_.Now()) > overdue_after &&
           overdue_after_.compare_exchange_strong(overdue_after, kNever);
  }

  static constexpr absl::Duration kGrace = absl::Seconds(5);

 private:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  static int64_t Nanoseconds(SteadyTime time) {
    return absl::ToInt64Nanoseconds(time - SteadyTime());
  }

  const SteadyClock& clock_;
  std::atomic<int64_t> overdue_after_ = kNever;
  // Used by the thread of the connection only:
  absl::Duration failed_after_;
  CallTrace* trace_ = nullptr;
};

}  // namespace content::postgres
