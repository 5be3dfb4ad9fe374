#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cache/lookup.h"
#include "content/article.h"
#include "content/read_cache.h"

namespace content::cache {

/// What is cached of an article: an EncodedArticle without its key. The text may be missing.
struct CachedArticle {
  CachedArticle() = default;
  explicit CachedArticle(const ArticleState& state);
  explicit CachedArticle(const EncodedArticle& encoded);

  /// Returns whether the text is present in this view. True if `view` is nullopt.
  bool HasText(std::optional<v1::ArticleView> view) const;

  /// Returns what `lookup` asks for, taken from this article and from `page`, which may be nullptr.
  /// nullopt if a part is missing or the revision is below `min_revision`.
  std::optional<PageAnswer> Find(const Lookup& lookup, const SharedBytes& page) const;

  SharedBytes text;
  int64_t revision = 0;
  int64_t comment_count = 0;
  int64_t version = 0;
  uint32_t basic_size = 0;
  bool full = false;
};

/// What the database answered about a name, as of one moment.
struct Snapshot {
  /// nullopt if readers see no article.
  std::optional<CachedArticle> article = {};
  /// The article's key; empty if there is no article.
  std::string article_id = {};
  /// The page that was requested; nullptr if none was.
  SharedBytes page = {};
};

}  // namespace content::cache
