#include "cache/flight.h"

#include <utility>

#include "cache/entry.h"
#include "content/errors.h"

namespace content::cache {
namespace {

// Orders views by how much of an article they show.
int Extent(std::optional<v1::ArticleView> view) {
  if (!view) return 0;
  return *view == v1::ARTICLE_VIEW_FULL ? 2 : 1;
}

}  // namespace

bool Question::Covers(const Question& other) const {
  return kind == other.kind && page == other.page && Extent(view) >= Extent(other.view);
}

Question QuestionFor(const Entry& entry, const Lookup& lookup) {
  // A cached page belongs to the cached revision and is useless at a later one. The text may stay
  // the same.
  const bool page_is_too_old = lookup.page && entry.article.revision < lookup.min_revision;
  if (entry.Holds(lookup) && !page_is_too_old) return StateQuestion();
  if (lookup.page) {
    return {.kind = Question::Kind::kPage, .view = lookup.view, .page = *lookup.page};
  }
  return {.kind = Question::Kind::kArticle, .view = lookup.view};
}

absl::StatusOr<Snapshot> ToSnapshot(absl::StatusOr<std::optional<ArticleState>> answer) {
  if (!answer.ok()) return answer.status();
  if (!*answer) return Snapshot{};
  return Snapshot{.article = CachedArticle(**answer),
                  .article_id = std::move((*answer)->article_id)};
}

absl::StatusOr<Snapshot> ToSnapshot(absl::StatusOr<std::optional<EncodedArticle>> answer) {
  if (!answer.ok()) return answer.status();
  if (!*answer) return Snapshot{};
  return Snapshot{.article = CachedArticle(**answer),
                  .article_id = std::move((*answer)->state.article_id)};
}

absl::StatusOr<Snapshot> ToSnapshot(absl::StatusOr<LoadedPage> answer) {
  if (!answer.ok()) {
    if (IsArticleNotFound(answer.status())) return Snapshot{};
    return answer.status();
  }
  CachedArticle article =
      answer->article ? CachedArticle(*answer->article) : CachedArticle(answer->state);
  return Snapshot{.article = std::move(article),
                  .article_id = std::move(answer->state.article_id),
                  .page = std::move(answer->bytes)};
}

}  // namespace content::cache
