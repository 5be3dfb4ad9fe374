#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "content/changes.h"
#include "postgres/connection.h"
#include "postgres/transaction.h"
#include "store/article_key.h"

// The change feed of articles; see content/change_feed.h. article_feed has the last position that
// was taken, article_change the position of each article's last change. Both are written, and read,
// together: they may be on another node than the articles themselves. Functions throw like
// postgres::Connection.
namespace content::store {

/// Where an article is in the feed.
struct FeedPlace {
  ArticleKey key;
  /// 0: the article is not in the feed yet.
  int64_t position = 0;
};

/// Moves articles, which must be locked, to the end of the feed, in this order, and sets their
/// positions, which the caller writes to article_state.feed_position. No other article can be
/// published from here to the end of the transaction, so this comes last.
void MoveToFeedEnd(postgres::Transaction& transaction, std::vector<FeedPlace>& places);

absl::StatusOr<ArticleChanges> ReadArticleChanges(postgres::Connection& connection,
                                                  const ArticleCursor& after);

absl::StatusOr<ArticleCursor> GetArticleCursor(postgres::Connection& connection);

}  // namespace content::store
