#include "cache/freshness_policy.h"

#include <utility>

#include "content/errors.h"
#include "content/names.h"

namespace content::cache {

std::optional<Answer> FreshnessPolicy::FromMemory(const Entry& entry,
                                                  const WaitingRead& read) const {
  if (!IsFresh(entry, read.asked_at)) return std::nullopt;
  if (std::optional<PageAnswer> found = entry.Find(read.lookup)) return *std::move(found);
  // A caller that requires a revision knows that the article existed.
  const bool is_missing = entry.kind == Entry::Kind::kMissing && read.lookup.min_revision == 0;
  if (is_missing) return ArticleNotFound(ArticleName(read.lookup.id));
  return std::nullopt;
}

std::optional<Answer> FreshnessPolicy::FromMemoryIfStale(const Entry& entry,
                                                         const WaitingRead& read,
                                                         SteadyTime now) const {
  const absl::Duration age = now - entry.confirmed_at;
  if (age > max_staleness_ + stale_if_error_) return std::nullopt;
  std::optional<PageAnswer> found = entry.Find(read.lookup);
  if (!found) return std::nullopt;
  if (age > max_staleness_) {
    found->stale_age = age;
    if (found->article) found->article->stale_age = age;
  }
  return *std::move(found);
}

std::optional<Answer> FreshnessPolicy::FromFlight(const Flight& flight,
                                                  const absl::StatusOr<Snapshot>& snapshot,
                                                  const WaitingRead& read, SteadyTime now) const {
  if (std::optional<Answer> answer = FromMemory(flight.entry, read)) return answer;
  if (snapshot.ok()) return FromSnapshot(flight, *snapshot, read);
  return FromFailure(flight, snapshot.status(), read, now);
}

std::optional<Answer> FreshnessPolicy::FromSnapshot(const Flight& flight, const Snapshot& snapshot,
                                                    const WaitingRead& read) const {
  const Entry& entry = flight.entry;
  const bool began_after_read = flight.begun_tick > read.joined_tick;
  if (!snapshot.article) {
    if (began_after_read) return ArticleNotFound(ArticleName(read.lookup.id));
    return std::nullopt;
  }
  // Another flight has found the article missing since, and its readers know that.
  if (flight.begun_tick < entry.missing_tick) return std::nullopt;
  const bool is_fresh = read.asked_at - flight.begun_at <= max_staleness_;
  if (is_fresh && flight.begun_tick > read.known_tick) {
    if (auto found = snapshot.article->Find(read.lookup, snapshot.page)) return *std::move(found);
  }
  if (began_after_read && entry.article.revision < read.lookup.min_revision) {
    return RevisionNotReached(ArticleName(read.lookup.id), read.lookup.min_revision,
                              entry.article.revision);
  }
  return std::nullopt;
}

std::optional<Answer> FreshnessPolicy::FromFailure(const Flight& flight,
                                                   const absl::Status& failure,
                                                   const WaitingRead& read, SteadyTime now) const {
  // A question for a state has the cache's own deadline, not a caller's.
  const bool timed_out =
      absl::IsDeadlineExceeded(failure) && flight.question.kind == Question::Kind::kState;
  const bool cannot_be_asked =
      timed_out || absl::IsUnavailable(failure) || absl::IsResourceExhausted(failure);
  if (cannot_be_asked) {
    if (std::optional<Answer> answer = FromMemoryIfStale(flight.entry, read, now)) return answer;
  }
  if (timed_out) return StoreUnavailable();
  // The flight only had the deadline of the reads that waited when it was sent.
  const bool was_cut_short = absl::IsDeadlineExceeded(failure) || absl::IsCancelled(failure);
  const bool joined_later = flight.begun_tick <= read.joined_tick;
  if (was_cut_short && joined_later) return std::nullopt;
  return failure;
}

}  // namespace content::cache
