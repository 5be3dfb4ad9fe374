#pragma once

#include <mutex>

#include "absl/time/time.h"

namespace content::cache {

/// Whether the database can be asked, as the answers to questions show. Thread-safe.
class Reachability {
 public:
  /// It has answered.
  void Answered(absl::Time now);

  /// A question that was sent at `since` has been refused, or has waited long for what takes no
  /// time. The database is away, unless it has answered another question since.
  void NotAnswered(absl::Time since, absl::Time now);

  /// Whether it was away when it was last heard of, and that was not long ago.
  bool IsAway(absl::Time now) const;

  /// Whether it is time to find out whether it is still away. Says so to one caller only.
  bool MayTry(absl::Time now);

 private:
  mutable std::mutex mutex_;
  bool away_ = false;
  absl::Time away_at_ = absl::InfinitePast();
  absl::Time answered_at_ = absl::InfinitePast();
  absl::Time tried_at_ = absl::InfinitePast();
};

}  // namespace content::cache
