#include "cache/flight.h"

#include <utility>

#include "absl/time/clock.h"
#include "content/errors.h"

namespace content::cache {
std::optional<absl::Status> WhyGone(const Read& read) {
  absl::Status status = CheckCaller(read.context);
  if (status.ok()) return std::nullopt;
  return status;
}

Need NeedOf(const Entry& entry, const Read& read) {
  Want want = read.want();
  // A page that is there is of the revision that is known; of a later one it is another.
  if (!want.page) want.min_revision = 0;
  if (entry.Find(want)) return {.kind = Need::Kind::kState};
  if (read.page) return {.kind = Need::Kind::kPage, .view = read.view, .page = *read.page};
  return {.kind = Need::Kind::kArticle, .view = read.view};
}

absl::StatusOr<Fact> ToFact(absl::StatusOr<std::optional<ArticleState>> answer) {
  // The time that was up was not a caller's.
  if (absl::IsDeadlineExceeded(answer.status())) return StoreUnavailable();
  if (!answer.ok()) return answer.status();
  if (!*answer) return Fact{};
  return Fact{.article = Article(**answer), .article_id = std::move((*answer)->article_id)};
}

absl::StatusOr<Fact> ToFact(absl::StatusOr<std::optional<EncodedArticle>> answer) {
  if (!answer.ok()) return answer.status();
  if (!*answer) return Fact{};
  return Fact{.article = Article(**answer), .article_id = std::move((*answer)->state.article_id)};
}

absl::StatusOr<Fact> ToFact(absl::StatusOr<LoadedPage> answer) {
  if (!answer.ok()) {
    const bool is_missing = IsArticleNotFound(answer.status());
    return is_missing ? absl::StatusOr<Fact>(Fact{}) : answer.status();
  }
  Article article = answer->article ? Article(*answer->article) : Article(answer->state);
  return Fact{.article = std::move(article),
              .article_id = std::move(answer->state.article_id),
              .page = std::move(answer->bytes)};
}

}  // namespace content::cache
