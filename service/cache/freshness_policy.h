#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "cache/entry.h"
#include "cache/flight.h"
#include "cache/lookup.h"

namespace content::cache {

/// Decides whether cached data may answer a read.
///
/// Immutable. From... methods return the answer, or nullopt if the read needs newer or more data.
/// All methods require the mutex of the entry's shard.
class FreshnessPolicy {
 public:
  FreshnessPolicy(absl::Duration max_staleness, absl::Duration stale_if_error)
      : max_staleness_(max_staleness), stale_if_error_(stale_if_error) {}

  /// Returns whether the entry may be served without querying the database.
  bool IsFresh(const Entry& entry, SteadyTime now) const {
    return now - entry.confirmed_at <= max_staleness_;
  }

  /// Answers from the entry if that is fresh.
  std::optional<Answer> FromMemory(const Entry& entry, const WaitingRead& read) const;

  /// Answers from the entry while the database cannot be queried. The entry may then be older by
  /// `stale_if_error`; if it is, the answer contains its age.
  std::optional<Answer> FromMemoryIfStale(const Entry& entry, const WaitingRead& read,
                                          SteadyTime now) const;

  /// Answers a read that has waited for `flight`, whose answer is `snapshot`. The entry must have
  /// learned it already (Entry::Learn).
  std::optional<Answer> FromFlight(const Flight& flight, const absl::StatusOr<Snapshot>& snapshot,
                                   const WaitingRead& read, SteadyTime now) const;

 private:
  std::optional<Answer> FromSnapshot(const Flight& flight, const Snapshot& snapshot,
                                     const WaitingRead& read) const;
  std::optional<Answer> FromFailure(const Flight& flight, const absl::Status& failure,
                                    const WaitingRead& read, SteadyTime now) const;

  const absl::Duration max_staleness_;
  const absl::Duration stale_if_error_;
};

}  // namespace content::cache
