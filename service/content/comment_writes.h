#pragma once

#include <cstdint>

#include "base/call.h"
#include "content/comment.h"

namespace content {

/// Writes of comments. content/store.h says what all interfaces have in common.
class CommentWrites {
 public:
  virtual ~CommentWrites() = default;

  /// Adds the comment, or answers with the one that the same request added before.
  virtual void CreateComment(CallContext context, NewComment comment,
                             Callback<v1::Comment> done) = 0;

  virtual void UpdateComment(CallContext context, CommentEdit edit, Callback<v1::Comment> done) = 0;

  /// Answers with the article's revision.
  virtual void DeleteComment(CallContext context, CommentDeletion deletion,
                             Callback<int64_t> done) = 0;

  /// Answers with the comment as moderators see it.
  virtual void ModerateComment(CallContext context, CommentModeration moderation,
                               Callback<v1::Comment> done) = 0;
};

}  // namespace content
