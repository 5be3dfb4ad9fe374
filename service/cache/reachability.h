#pragma once

#include <mutex>

#include "absl/time/time.h"
#include "base/clock.h"

namespace content::cache {

/// Whether the database can be asked, as the answers to questions show. Thread-safe.
class Reachability {
 public:
  /// It has answered.
  void Answered(SteadyTime now);

  /// A question that was sent at `since` has been refused, or has waited long for what takes no
  /// time. The database is away, unless it has answered another question since.
  void NotAnswered(SteadyTime since, SteadyTime now);

  /// Whether it was away when it was last heard of, and that was not long ago.
  bool IsAway(SteadyTime now) const;

  /// Whether it is time to find out whether it is still away. Says so to one caller only.
  bool MayTry(SteadyTime now);

 private:
  mutable std::mutex mutex_;
  bool away_ = false;
  SteadyTime away_at_ = SteadyTime::InfinitePast();
  SteadyTime answered_at_ = SteadyTime::InfinitePast();
  SteadyTime tried_at_ = SteadyTime::InfinitePast();
};

}  // namespace content::cache
