#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "content/article_source.h"
#include "content/change_feed.h"
#include "content/changes.h"
#include "watch/feed.h"

// The sources of a store, which must outlive them.
namespace content::watch {

/// Returns a source of comments by article. Messages are WatchCommentsResponses, one per revision.
std::unique_ptr<Source> NewCommentSource(content::ArticleSource& articles, ChangeFeed& changes);

/// Returns the position of a watcher that has seen this revision of an article. `article_id` may be
/// any of its ids.
Position CommentPosition(std::string article_id, int64_t revision);

/// Returns the `resume_token` of a watcher that has seen an article up to the cursor.
std::string CommentResumeToken(const CommentCursor& cursor);

/// Returns the position of the watcher of an article that has this `resume_token`; nullopt if the
/// token is not valid.
std::optional<Position> ResumedCommentPosition(std::string article_id,
                                               absl::string_view resume_token);

/// Returns a source of all articles. Messages are WatchArticlesResponses, one per change.
std::unique_ptr<Source> NewArticleSource(ChangeFeed& changes);

/// Returns the position of a watcher that starts with all articles or, if `skip_existing`, with
/// changes from now on.
Position FirstArticlePosition(bool skip_existing);

/// Returns the position after the message with this `resume_token`; nullopt if the token is not
/// valid.
std::optional<Position> ResumedArticlePosition(absl::string_view resume_token);

/// For ArticleSource::Subscribe and SubscribeToFailovers.
struct FeedListeners {
  ChangeListener on_change;
  FailoverListener on_failover;
};

/// Returns listeners that wake the feed of comments on every change, the feed of articles on
/// changes to articles, and both when the database has failed over. The feeds must outlive the
/// subscriptions.
FeedListeners WakeFeeds(Feed& comments, Feed& articles);

}  // namespace content::watch
