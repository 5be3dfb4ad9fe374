#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cache/entry.h"
#include "cache/flight.h"

namespace content::cache {

/// What a read is answered with.
using Answer = absl::StatusOr<Found>;

/// Says what a read is to be answered with; nothing if what there is is not good enough for it.
/// Changes nothing. To be called under the lock of the entry's shard.
class Answers {
 public:
  Answers(absl::Duration max_staleness, absl::Duration stale_if_error)
      : max_staleness_(max_staleness), stale_if_error_(stale_if_error) {}

  /// Whether what is known may be answered without asking.
  bool IsFresh(const Entry& entry, SteadyTime now) const {
    return now - entry.validated_at <= max_staleness_;
  }

  /// By what is known, if it is fresh.
  std::optional<Answer> Known(const Entry& entry, const Read& read) const;

  /// By what is known while the database cannot be asked: it may be older, and then says so.
  std::optional<Answer> Stale(const Entry& entry, const Read& read, SteadyTime now) const;

  /// By what a flight has brought for which the read has waited. The entry has taken it in.
  std::optional<Answer> Landed(const Flight& flight, const absl::StatusOr<Fact>& fact,
                               const Read& read, SteadyTime now) const;

 private:
  std::optional<Answer> Judge(const Flight& flight, const Fact& fact, const Read& read) const;
  std::optional<Answer> JudgeFailure(const Flight& flight, const absl::Status& failure,
                                     const Read& read, SteadyTime now) const;

  const absl::Duration max_staleness_;
  const absl::Duration stale_if_error_;
};

}  // namespace content::cache
