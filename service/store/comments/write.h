#pragma once

#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "content/comment.h"
#include "content/request_key.h"
#include "content/v1/comment.pb.h"
#include "store/comments/comment_tree.h"
#include "store/lock.h"
#include "store/request_log.h"

// The rules of writing comments; content/comment_writes.h says what each write does. They work in
// memory, on what was read of a locked article, so that one transaction can do many writes.
namespace content::store {

using CommentChange = std::variant<NewComment, CommentEdit, CommentDeletion, CommentModeration>;

/// What a write works on.
struct WriteScope {
  LockedArticle& article;
  CommentTree& comments;
  RequestLog& requests;
  absl::Time now;
  /// Whether an earlier attempt may have been committed.
  bool in_doubt;
};

/// Id of the article, as the caller gave it.
const std::string& ArticleOf(const CommentChange& change);

const RequestKey& RequestOf(const CommentChange& change);

/// Id of the comment that the write changes or replies to; empty if there is none.
const std::string& TargetOf(const CommentChange& change);

/// Whether the write may show its comment to readers or hide it from them, which changes the counts
/// above it.
bool MayShowOrHide(const CommentChange& change, const LockedArticle& article);

/// Does a write in memory, or replays its answer if the same request was done before. Answers with
/// the comment and the article's new revision; for a deletion with the revision alone. A write that
/// fails changes nothing.
///
/// Everything that the write names must have been read: its request; the comment that this request
/// wrote before; TargetOf and, if it MayShowOrHide, the comments above that; and the comment it
/// adds, if it is in doubt.
absl::StatusOr<v1::Comment> WriteComment(const WriteScope& scope, const CommentChange& change);

}  // namespace content::store
