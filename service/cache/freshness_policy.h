#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "cache/entry.h"
#include "cache/flight.h"
#include "cache/lookup.h"

namespace content::cache {

/// Decides whether what is known is good enough to answer a read with.
///
/// Each method returns the answer, or nullopt if the read needs something better. Nothing is
/// changed. The caller holds the mutex of the entry's shard.
class FreshnessPolicy {
 public:
  FreshnessPolicy(absl::Duration max_staleness, absl::Duration stale_if_error)
      : max_staleness_(max_staleness), stale_if_error_(stale_if_error) {}

  /// Whether what is known may be answered without asking the database.
  bool IsFresh(const Entry& entry, SteadyTime now) const {
    return now - entry.confirmed_at <= max_staleness_;
  }

  /// Answers with what is known, if it is fresh.
  std::optional<Answer> FromMemory(const Entry& entry, const WaitingRead& read) const;

  /// Answers with what is known while the database cannot be asked. It may be older by
  /// `stale_if_error`; the answer gives its age then.
  std::optional<Answer> FromMemoryIfStale(const Entry& entry, const WaitingRead& read,
                                          SteadyTime now) const;

  /// Answers a read that has waited for `flight`, which has brought `snapshot`. The entry must have
  /// learned from that already.
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
