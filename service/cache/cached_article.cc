#include "cache/cached_article.h"

namespace content::cache {

CachedArticle::CachedArticle(const ArticleState& state)
    : revision(state.revision), comment_count(state.comment_count), version(state.version) {}

CachedArticle::CachedArticle(const EncodedArticle& encoded) : CachedArticle(encoded.state) {
  text = encoded.text;
  basic_size = static_cast<uint32_t>(encoded.basic_size);
  full = encoded.full;
}

bool CachedArticle::HasText(std::optional<v1::ArticleView> view) const {
  if (!view) return true;
  return text != nullptr && (full || *view != v1::ARTICLE_VIEW_FULL);
}

std::optional<PageAnswer> CachedArticle::Find(const Lookup& lookup, const SharedBytes& page) const {
  if (revision < lookup.min_revision) return std::nullopt;
  if (!HasText(lookup.view)) return std::nullopt;
  if (lookup.page && page == nullptr) return std::nullopt;
  PageAnswer answer;
  if (lookup.page) answer.bytes = page;
  if (lookup.view) {
    const bool is_full = *lookup.view == v1::ARTICLE_VIEW_FULL;
    answer.article = {.text = text,
                      .size = is_full ? text->size() : basic_size,
                      .revision = revision,
                      .comment_count = comment_count};
  }
  return answer;
}

}  // namespace content::cache
