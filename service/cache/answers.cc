#include "cache/answers.h"

#include <utility>

#include "content/errors.h"
#include "content/names.h"

namespace content::cache {

std::optional<Answer> Answers::Known(const Entry& entry, const Read& read) const {
  if (!IsFresh(entry, read.asked_at)) return std::nullopt;
  if (std::optional<Found> found = entry.Find(read.want())) return *std::move(found);
  // Who wants a revision knows that there was an article.
  const bool is_missing = entry.kind == Entry::Kind::kMissing && read.min_revision == 0;
  if (is_missing) return ArticleNotFound(ArticleName(read.id));
  return std::nullopt;
}

std::optional<Answer> Answers::Stale(const Entry& entry, const Read& read, SteadyTime now) const {
  const absl::Duration age = now - entry.validated_at;
  if (age > max_staleness_ + stale_if_error_) return std::nullopt;
  std::optional<Found> found = entry.Find(read.want());
  if (!found) return std::nullopt;
  if (age > max_staleness_) found->article.stale_age = age;
  return *std::move(found);
}

std::optional<Answer> Answers::Landed(const Flight& flight, const absl::StatusOr<Fact>& fact,
                                      const Read& read, SteadyTime now) const {
  if (std::optional<Answer> answer = Known(flight.entry, read)) return answer;
  if (fact.ok()) return Judge(flight, *fact, read);
  return JudgeFailure(flight, fact.status(), read, now);
}

std::optional<Answer> Answers::Judge(const Flight& flight, const Fact& fact,
                                     const Read& read) const {
  const Entry& entry = flight.entry;
  const bool asked_since = flight.begun > read.joined;
  if (!fact.article) {
    if (asked_since) return ArticleNotFound(ArticleName(read.id));
    return std::nullopt;
  }
  // Others have been told meanwhile that it is missing.
  if (flight.begun < entry.missing_at) return std::nullopt;
  const bool is_fresh = read.asked_at - flight.begun_at <= max_staleness_;
  if (is_fresh && flight.begun > read.floor) {
    if (auto found = fact.article->Find(read.want(), fact.page)) return *std::move(found);
  }
  if (asked_since && entry.article.revision < read.min_revision) {
    return RevisionNotReached(ArticleName(read.id), read.min_revision, entry.article.revision);
  }
  return std::nullopt;
}

std::optional<Answer> Answers::JudgeFailure(const Flight& flight, const absl::Status& failure,
                                            const Read& read, SteadyTime now) const {
  // It cannot be asked: because it is away, or because too many are asking it already.
  if (absl::IsUnavailable(failure) || absl::IsResourceExhausted(failure)) {
    if (std::optional<Answer> answer = Stale(flight.entry, read, now)) return answer;
  }
  // The flight had the time that those had who waited at its start.
  const bool was_cut_short = absl::IsDeadlineExceeded(failure) || absl::IsCancelled(failure);
  const bool joined_later = flight.begun <= read.joined;
  if (was_cut_short && joined_later) return std::nullopt;
  return failure;
}

}  // namespace content::cache
