#pragma once

#include <cstdint>
#include <string>

#include "base/call.h"
#include "content/changes.h"

namespace content {

/// The reads that serve watches. See content/store.h for what all interfaces have in common.
class ChangeFeed {
 public:
  virtual ~ChangeFeed() = default;

  /// Answers with as many changes to the article's comments after the cursor as fit into one
  /// answer. REVISION_NOT_REACHED if the article has not reached that revision, or the cursor is of
  /// another epoch.
  virtual void ReadCommentChanges(CallContext context, std::string article_id, CommentCursor after,
                                  Callback<CommentChanges> done) = 0;

  /// Answers with as many changes to articles after the cursor as fit into one answer, in commit
  /// order: each article once, at its last change. REVISION_NOT_REACHED if the feed ends before the
  /// cursor, or the cursor is of another epoch.
  virtual void ReadArticleChanges(CallContext context, ArticleCursor after,
                                  Callback<ArticleChanges> done) = 0;

  /// Answers with the cursor of a watcher that has seen everything up to now. A watcher that starts
  /// with all articles that readers see has only this position, as its start_position.
  virtual void GetArticleCursor(CallContext context, Callback<ArticleCursor> done) = 0;

  /// Returns the latest epoch that any call has met. Does not block.
  virtual Epoch LatestEpoch() = 0;
};

}  // namespace content
