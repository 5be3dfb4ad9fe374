#pragma once

#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "content/store.h"
#include "store/comments/comment_tree.h"
#include "store/lock.h"
#include "store/request_log.h"

// The rules of writing comments: content/store.h says what each write does. They work on what was
// read into memory of an article that is locked, so that many can be done in one transaction.
namespace content::store {

using CommentChange = std::variant<NewComment, CommentEdit, CommentDeletion, CommentModeration>;

/// What a write works on.
struct WriteScope {
  LockedArticle& article;
  Threads& threads;
  RequestLog& requests;
  absl::Time now;
  /// Whether an earlier attempt may have been committed.
  bool in_doubt;
};

/// The name of the article that a write gives.
const std::string& ArticleOf(const CommentChange& change);

/// The request that a write is.
const RequestKey& RequestOf(const CommentChange& change);

/// Id of the comment that a write changes or answers; empty if there is none.
const std::string& TargetOf(const CommentChange& change);

/// Whether a write may change if readers see the comment that it names, and with that what is
/// counted above it.
bool MayShowOrHide(const CommentChange& change, const LockedArticle& article);

/// Does a write, to be written with what else there is in `scope`. What it names must have been
/// read: its request, the comment of that, TargetOf and, if it MayShowOrHide, those above; and if
/// it is in doubt, the comment that it adds. postgres::Answers with the comment in the article's
/// new revision; a deletion with the revision alone. One that fails changes nothing.
absl::StatusOr<v1::Comment> WriteComment(const WriteScope& scope, const CommentChange& change);

}  // namespace content::store
