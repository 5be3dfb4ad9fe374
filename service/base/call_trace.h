#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/trace_context.h"

namespace content {

/// What a call goes through on its way to the database and back: for the access log and for traces.
/// Only calls whose steps somebody wants to know have one. Thread-safe.
class CallTrace {
 public:
  enum class Kind {
    /// Waits for a connection.
    kQueue,
    /// Has a connection, alone or in a batch.
    kDatabase,
    /// A round trip of that. Only if the call is sampled, or one that shares the connection.
    kStatement,
    /// The round trip that commits. The same.
    kCommit,
  };

  struct Step {
    Kind kind;
    SteadyTime start;
    SteadyTime end;
    /// The number of calls that shared the connection.
    size_t batch_size = 1;
  };

  /// Further steps are counted in Total, but not kept. Statements leave room for what they are part
  /// of.
  static constexpr size_t kMaxSteps = 64;
  static constexpr size_t kMaxStatements = 48;

  /// `context` has an empty trace_id if the call belongs to no trace.
  explicit CallTrace(TraceContext context) : context_(std::move(context)) {}

  const TraceContext& context() const { return context_; }

  void Add(const Step& step);

  /// Returns the time that steps of this kind took together. While two overlap, that time counts
  /// once: the reads of a batch run at the same time. Steps may end in any order; but of one that
  /// ends after kMaxSteps later ones that left gaps, what lies before those does not count.
  absl::Duration Total(Kind kind) const;

  /// Returns the largest batch of its steps; 0 without steps of kDatabase.
  size_t LargestBatch() const;

  /// Returns the steps in the order in which they ended.
  std::vector<Step> Steps() const;

 private:
  static constexpr size_t kKinds = 4;

  // The time that steps of a kind cover.
  class Coverage {
   public:
    void Add(SteadyTime start, SteadyTime end);
    absl::Duration Total() const;

   private:
    struct Interval {
      SteadyTime start;
      SteadyTime end;
    };

    std::vector<Interval> intervals_;  // In order, with gaps between them. At most kMaxSteps.
    absl::Duration earlier_;           // What was covered until before_, which intervals_ lacks.
    SteadyTime before_ = SteadyTime::InfinitePast();
  };

  const TraceContext context_;
  mutable std::mutex mutex_;
  std::array<Coverage, kKinds> coverages_;  // Guarded by mutex_.
  size_t largest_batch_ = 0;                // Guarded by mutex_.
  std::vector<Step> steps_;                 // Guarded by mutex_.
};

}  // namespace content
