#pragma once

#include <cstdint>

#include "base/call.h"
#include "content/article.h"
#include "content/comment.h"

namespace content {

struct CommentPage {
  Page<v1::Comment> page;
  /// State of the article at the moment that the page shows.
  ArticleState article;
};

/// Reads of comments. See content/store.h for what all interfaces have in common.
class CommentReads {
 public:
  virtual ~CommentReads() = default;

  virtual void GetComment(CallContext context, CommentRef comment, int64_t min_revision,
                          Callback<v1::Comment> done) = 0;

  virtual void ListComments(CallContext context, CommentQuery query,
                            Callback<CommentPage> done) = 0;

  /// Answers with comments as moderators see them, oldest first.
  virtual void ListModerationQueue(CallContext context, ModerationQuery query,
                                   Callback<Page<v1::Comment>> done) = 0;
};

}  // namespace content
