#pragma once

#include <mutex>

#include "absl/time/time.h"
#include "base/clock.h"

namespace content::cache {

/// Whether the database can be asked, judged by what becomes of questions. Thread-safe.
class Reachability {
 public:
  /// Called when the database has answered a question.
  void OnAnswer(SteadyTime now);

  /// Called when a question that was sent at `sent_at` has been refused because the database is
  /// unreachable, or when the database has run it for too long. The database counts as away,
  /// unless it has answered another question since `sent_at`.
  void OnNoAnswer(SteadyTime sent_at, SteadyTime now);

  /// Whether the database was away when it was last heard of, not long ago.
  bool IsAway(SteadyTime now) const;

  /// Whether it is time to ask again whether the database is back. True for one caller only in each
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
