#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "content/article_source.h"
#include "content/change_feed.h"
#include "watch/feed.h"

// What can be watched in a store, which must outlive the sources.
namespace content::watch {

/// Comments by article. Messages are WatchCommentsResponses, one per revision.
std::unique_ptr<Source> NewCommentSource(content::ArticleSource& articles, ChangeFeed& changes);

/// The position of a watcher of an article, under any of its ids, that has seen this revision.
Position CommentPosition(std::string article_id, int64_t revision);

/// All articles. Messages are WatchArticlesResponses, one per change.
std::unique_ptr<Source> NewArticleSource(ChangeFeed& changes);

/// The position of a watcher that starts with all articles, or with the changes from now on.
Position FirstArticlePosition(bool skip_existing);

/// The position after the message with this `resume_token`; nullopt if the token is not valid.
std::optional<Position> ResumedArticlePosition(absl::string_view resume_token);

/// A listener for ArticleSource::Subscribe that wakes the feed of comments on every change, and the
/// feed of articles on changes of articles. The feeds must outlive the subscription.
ChangeListener WakeFeeds(Feed& comments, Feed& articles);

}  // namespace content::watch
