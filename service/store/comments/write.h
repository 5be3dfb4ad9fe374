#pragma once

#include <set>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/call.h"
#include "content/comment.h"
#include "content/request_key.h"
#include "content/v1/comment.pb.h"
#include "store/audit/log.h"
#include "store/comments/comment_tree.h"
#include "store/comments/reports.h"
#include "store/lock.h"
#include "store/request_log.h"

// The rules for writing comments; see content/comment_writes.h. They work in memory, on data read
// from a locked article, so that one transaction can do many writes.
namespace content::store {

using CommentChange =
    std::variant<NewComment, CommentEdit, CommentDeletion, CommentModeration, CommentReport>;

/// The data that a write uses.
struct WriteScope {
  LockedArticle& article;
  CommentTree& comments;
  CommentReports& reports;
  RequestLog& requests;
  AuditLog& audit;
  /// Who makes the write; nullptr if that is not known.
  const Caller* caller;
  /// Authors who may not write.
  const std::set<std::string>& blocked;
  /// The time of the database (LockedArticle::now).
  absl::Time now;
  /// Whether the comment that a new one replies to is named as one of this article.
  bool replies_here;
  /// Whether an earlier attempt may have been committed.
  bool in_doubt;
};

/// Returns the id of the article, as the caller gave it.
const std::string& ArticleOf(const CommentChange& change);

const RequestKey& RequestOf(const CommentChange& change);

/// Returns whether the write is only checked.
bool IsDryRun(const CommentChange& change);

/// Returns the id of the comment that the write changes or replies to; empty if there is none.
const std::string& TargetOf(const CommentChange& change);

/// Returns whether the write may show its comment to readers or hide it from them, which changes
/// the counts of the comments above.
bool MayShowOrHide(const CommentChange& change, const LockedArticle& article);

/// Returns the id of the author who must not be blocked; empty if the write is open to all.
/// TargetOf must have been read.
std::string AuthorOf(const CommentChange& change, const LockedArticle& article,
                     const CommentTree& comments);

/// Applies a write in memory, or replays its answer if the same request was done before. Returns
/// the comment with the article's new revision or, for a deletion, only the revision. A write that
/// fails changes nothing. Stores the id of a comment that it adds in `change`, for the next
/// attempt.
///
/// Everything that the write refers to must have been read: its request; the comment that this
/// request wrote earlier; TargetOf and, if it MayShowOrHide, the comments above that; whether
/// AuthorOf is blocked; of a moderation or a report, the reports of TargetOf; and, if it is in
/// doubt, the comment that the attempt before tried to add.
absl::StatusOr<v1::Comment> WriteComment(const WriteScope& scope, CommentChange& change);

}  // namespace content::store
