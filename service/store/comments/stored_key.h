#pragma once

#include <compare>
#include <string>

#include "store/article_key.h"

namespace content::store {

/// The key of a comment.
struct StoredKey {
  ArticleKey article;
  std::string comment_id;

  friend auto operator<=>(const StoredKey&, const StoredKey&) = default;
};

}  // namespace content::store
