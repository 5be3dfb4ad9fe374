#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "content/article.h"
#include "content/v1/article.pb.h"
#include "content/v1/comment.pb.h"
#include "content/v1/content_service.pb.h"

// Changes as they are sent to caches and watchers.
namespace content {

/// Says that an article, or a comment on it, has changed.
struct ChangeNotice {
  ArticleState state;
  /// The article's current name, without `articles/`.
  std::string name = {};
};

/// Which history of the database revisions and positions belong to. It is another one after the
/// database has failed over or was replaced, because it may then lack the last changes and use
/// their numbers again. Empty: not known.
using Epoch = std::string;

/// How far a watcher of an article's comments has come.
struct CommentCursor {
  int64_t revision = 0;
  Epoch epoch = {};
};

/// Changes to an article's comments, by revision. It contains either all changes of a revision or
/// none.
struct CommentChanges {
  std::vector<v1::Comment> comments;
  /// Every change up to this revision is included.
  int64_t article_revision = 0;
  int64_t comment_count = 0;
  /// Of article_revision.
  Epoch epoch = {};
  /// If false, more changes follow after article_revision.
  bool complete = true;
};

/// How far a watcher of articles has come.
struct ArticleCursor {
  /// The watcher has been sent the changes up to this position of the feed.
  int64_t position = 0;
  /// The end of the feed when the watcher began with all articles that readers see. Up to here it
  /// is not told of articles that they do not see. 0 once it has passed it.
  int64_t start_position = 0;
  /// Position at which the watcher last had everything. An article that readers could not see then
  /// is PUBLISHED to this watcher, even if it has changed since.
  int64_t known_position = 0;
  /// Of the positions.
  Epoch epoch = {};
};

struct ArticleChangeRecord {
  v1::ArticleChange change = v1::ARTICLE_CHANGE_UNSPECIFIED;
  /// In BASIC view. A retracted article has only its name and revision.
  v1::Article article;
  std::vector<std::string> former_names = {};
  /// The cursor of a watcher that has this change and those before it.
  ArticleCursor cursor;
};

struct ArticleChanges {
  std::vector<ArticleChangeRecord> changes;
  /// The cursor of a watcher that has all of `changes`.
  ArticleCursor cursor;
  /// If false, more changes follow after `cursor`, and can be read at once.
  bool complete = true;
};

}  // namespace content
