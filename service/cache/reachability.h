#pragma once

#include <mutex>

#include "absl/time/time.h"
#include "base/clock.h"

namespace content::cache {

/// Tracks whether the database can be queried, judging by the outcome of questions. Thread-safe.
class Reachability {
 public:
  /// Called when the database has answered a question.
  void OnAnswer(SteadyTime now);

  /// Called when a question that was sent at `sent_at` has failed because the database is
  /// unreachable, or has run in the database for too long. The database then counts as away, unless
  /// it has answered another question since `sent_at`.
  void OnNoAnswer(SteadyTime sent_at, SteadyTime now);

  /// Returns whether the database is away, according to recent questions.
  bool IsAway(SteadyTime now) const;

  /// Returns whether the caller should check if the database is back. True for one caller per
  /// interval.
  bool TryProbe(SteadyTime now);

 private:
  mutable std::mutex mutex_;
  bool away_ = false;                                    // Guarded by mutex_.
  SteadyTime away_at_ = SteadyTime::InfinitePast();      // Guarded by mutex_.
  SteadyTime answered_at_ = SteadyTime::InfinitePast();  // Guarded by mutex_.
  SteadyTime probed_at_ = SteadyTime::InfinitePast();    // Guarded by mutex_.
};

}  // namespace content::cache
