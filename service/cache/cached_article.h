#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cache/lookup.h"
#include "content/article.h"
#include "content/read_cache.h"

namespace content::cache {

/// An article as far as it is known: an EncodedArticle without its key, whose text may be missing.
struct CachedArticle {
  CachedArticle() = default;
  explicit CachedArticle(const ArticleState& state);
  explicit CachedArticle(const EncodedArticle& encoded);

  /// Whether the text is there, in this view. True if there is no view.
  bool HasText(std::optional<v1::ArticleView> view) const;

  /// What `lookup` asks for, taken from this article and from `page`, which may be nullptr. nullopt
  /// if something is missing or below `min_revision`.
  std::optional<PageAnswer> Find(const Lookup& lookup, const SharedBytes& page) const;

  SharedBytes text;
  int64_t revision = 0;
  int64_t comment_count = 0;
  int64_t version = 0;
  uint32_t basic_size = 0;
  bool full = false;
};

/// What the database has answered about a name, as of one moment.
struct Snapshot {
  /// nullopt if readers see no article.
  std::optional<CachedArticle> article = {};
  /// The key of the article, if there is one.
  std::string article_id = {};
  /// The page that was asked for, if any.
  SharedBytes page = {};
};

}  // namespace content::cache
