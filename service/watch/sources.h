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

/// Comments of articles: WatchCommentsResponse, one for each revision.
std::unique_ptr<Source> NewCommentSource(content::ArticleSource& articles, ChangeFeed& changes);

/// Of a watcher of an article, by any of its ids, who has seen this revision.
Position CommentPosition(std::string article_id, int64_t revision);

/// All articles: WatchArticlesResponse, one for each change.
std::unique_ptr<Source> NewArticleSource(ChangeFeed& changes);

/// Of a watcher who begins with all articles, or with what changes from now on.
Position FirstArticlePosition(bool skip_existing);

/// Of one who goes on after a message with this `resume_token`; nothing if it is none.
std::optional<Position> ResumedArticlePosition(absl::string_view resume_token);

/// A sink for Store::Subscribe that wakes the feeds of that store for which there may be something.
/// They must live as long as it is subscribed.
ChangeListener WakeFeeds(Feed& comments, Feed& articles);

}  // namespace content::watch
