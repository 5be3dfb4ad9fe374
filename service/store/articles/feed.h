#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
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

/// Logs when watchers have waited too long for an article that has a place in the feed.
/// Thread-safe.
class FeedWaits {
 public:
  /// Waits of this length are logged, and again each time that as much has passed.
  static constexpr absl::Duration kMaxWait = absl::Seconds(5);

  /// Called each time that a watcher has to wait for an article. Logs if one has waited too long.
  void Add(const FeedPlace& place, SteadyTime now);

 private:
  std::mutex mutex_;
  // By position, since when it is waited for, or was logged. Guarded by mutex_.
  std::map<int64_t, SteadyTime> since_;
};

/// Passes by articles that are damaged: that have a state but no text.
absl::StatusOr<ArticleChanges> ReadArticleChanges(postgres::Connection& connection,
                                                  FeedWaits& waits, const ArticleCursor& after);

absl::StatusOr<ArticleCursor> GetArticleCursor(postgres::Connection& connection);

}  // namespace content::store
