#pragma once

#include <cstdint>

#include "base/call.h"
#include "content/comment.h"

namespace content {

/// Writes of comments. See content/store.h for what all interfaces have in common.
class CommentWrites {
 public:
  virtual ~CommentWrites() = default;

  /// Adds the comment. Answers with it, or with the comment that the same request added earlier.
  virtual void CreateComment(CallContext context, NewComment comment,
                             Callback<v1::Comment> done) = 0;

  /// Answers with the comment after the change, with author and text.
  virtual void UpdateComment(CallContext context, CommentEdit edit, Callback<v1::Comment> done) = 0;

  /// Answers with the article's revision after the call.
  virtual void DeleteComment(CallContext context, CommentDeletion deletion,
                             Callback<int64_t> done) = 0;

  /// Answers with the comment as moderators see it, with its `report_count`.
  virtual void ModerateComment(CallContext context, CommentModeration moderation,
                               Callback<v1::Comment> done) = 0;

  /// Counts the report, unless the reader has reported the comment before. COMMENT_NOT_FOUND if
  /// readers do not see the comment's text.
  virtual void ReportComment(CallContext context, CommentReport report, Callback<void> done) = 0;
};

}  // namespace content
