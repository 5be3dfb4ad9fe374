#pragma once

#include <cstdint>

#include "base/call.h"
#include "content/article.h"
#include "content/changes.h"
#include "content/comment.h"

namespace content {

struct CommentPage {
  Page<v1::Comment> page;
  /// State of the article at the moment that the page shows.
  ArticleState article;
  /// Of the article's revision.
  Epoch epoch = {};
};

/// Reads of comments. See content/store.h for what all interfaces have in common.
class CommentReads {
 public:
  virtual ~CommentReads() = default;

  /// Answers with the comment. ARTICLE_NOT_FOUND, COMMENT_NOT_FOUND, or REVISION_NOT_REACHED if the
  /// article has not reached `min_revision`.
  virtual void GetComment(CallContext context, CommentRef comment, int64_t min_revision,
                          Callback<v1::Comment> done) = 0;

  /// Answers with one page of comments. ARTICLE_NOT_FOUND, REVISION_NOT_REACHED, or
  /// COMMENT_NOT_FOUND if the article has no comment `reply_to` that readers see.
  virtual void ListComments(CallContext context, CommentQuery query,
                            Callback<CommentPage> done) = 0;

  /// Answers with the comment as moderators see it, with its `report_count`, whether readers see it
  /// and its article or not. ARTICLE_NOT_FOUND or COMMENT_NOT_FOUND.
  virtual void InspectComment(CallContext context, CommentRef comment,
                              Callback<v1::Comment> done) = 0;

  /// Answers with comments as moderators see them, with their `report_count`.
  virtual void ListModerationQueue(CallContext context, ModerationQuery query,
                                   Callback<Page<v1::Comment>> done) = 0;
};

}  // namespace content
