#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "base/call.h"
#include "content/changes.h"

namespace content {

/// What watches are served from. content/store.h says what all interfaces have in common.
class ChangeFeed {
 public:
  virtual ~ChangeFeed() = default;

  /// Changes of the article's comments after a revision, as many as fit. REVISION_NOT_REACHED if
  /// the article is below that revision.
  virtual void ReadCommentChanges(CallContext context, std::string article_id,
                                  int64_t after_revision, Callback<CommentChanges> done) = 0;

  /// Changes of articles after a cursor, as many as fit, as readers see them at `now`: first the
  /// articles that have become due, then those that were changed, in commit order. The cursor's
  /// time comes from another server's clock and may be later than `now`. Then some changes come
  /// twice, but nothing is shown before its time. REVISION_NOT_REACHED if the feed ends before the
  /// cursor.
  virtual void ReadArticleChanges(CallContext context, ArticleCursor after, absl::Time now,
                                  Callback<ArticleChanges> done) = 0;

  /// The cursor of a watcher that knows everything up to now. With its times removed it is the
  /// cursor of a watcher that starts with all articles that readers see.
  virtual void GetArticleCursor(CallContext context, Callback<ArticleCursor> done) = 0;
};

}  // namespace content
