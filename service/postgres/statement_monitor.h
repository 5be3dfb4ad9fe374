#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <limits>

#include "absl/time/time.h"
#include "base/clock.h"

namespace content::postgres {

/// Times the statements of one connection. The connection's thread marks each of them with a Scope:
///
///   const StatementMonitor::Scope scope(monitor, absl::Seconds(10));
///   ... send the statement and wait for its result ...
///
/// Another thread asks whether the current one is overdue. A Scope costs one reading of the clock.
class StatementMonitor {
 public:
  explicit StatementMonitor(const SteadyClock& clock) : clock_(clock) {}

  /// Marks a statement, from before it is sent until its result is there. For the thread of the
  /// connection. One at a time.
  class Scope {
   public:
    /// PostgreSQL is expected to answer within `limit`, and is given kGrace beyond that.
    Scope(StatementMonitor& monitor, absl::Duration limit)
        : monitor_(monitor), start_(monitor.clock_.Now()), exceptions_(std::uncaught_exceptions()) {
      monitor_.overdue_after_ = Nanoseconds(start_ + limit + kGrace);
    }

    ~Scope() {
      monitor_.overdue_after_ = kNever;
      if (std::uncaught_exceptions() > exceptions_) {
        monitor_.failed_after_ = monitor_.clock_.Now() - start_;
      }
    }

    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    StatementMonitor& monitor_;
    const SteadyTime start_;
    const int exceptions_;
  };

  /// How long the last statement ran that ended with an exception. For the thread of the
  /// connection.
  absl::Duration failed_after() const { return failed_after_; }

  /// Returns true, once for each statement, if the current one is overdue. Thread-safe.
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
  absl::Duration failed_after_;  // Used by the thread of the connection only.
};

}  // namespace content::postgres
