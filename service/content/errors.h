#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"

// Errors about articles and comments. See base/errors.h for all others and for how details are
// attached. `name` is the resource name as the caller gave it.
namespace content {

/// NOT_FOUND with a ResourceInfo detail.
absl::Status ArticleNotFound(absl::string_view name);
absl::Status CommentNotFound(absl::string_view name);

/// Returns whether `status` was created by ArticleNotFound.
bool IsArticleNotFound(const absl::Status& status);

/// ALREADY_EXISTS: the id made from a title belongs to another article.
absl::Status ArticleExists(absl::string_view name);

/// ALREADY_EXISTS: another article has, or had, the name.
absl::Status NameTaken(absl::string_view name);

/// FAILED_PRECONDITION: an article that an import calls `name` is here under its former name.
absl::Status RenamedElsewhere(absl::string_view name, absl::string_view former_name);

/// ABORTED: the caller's etag is not the current one.
absl::Status EtagMismatch(absl::string_view name);

/// PERMISSION_DENIED: the author may not write comments.
absl::Status AuthorBlocked(absl::string_view author_id);

/// UNAUTHENTICATED: the caller may write only as the person whom its token names, and has none.
absl::Status PersonMissing();

/// PERMISSION_DENIED: the caller may write only as this person, who is not the author.
absl::Status AuthorNotCaller(absl::string_view person);

/// NOT_FOUND: there is no block to remove.
absl::Status AuthorNotBlocked(absl::string_view author_id);

/// FAILED_PRECONDITION, each with its own reason.
absl::Status CommentsClosed(absl::string_view article_name);
absl::Status ThreadTooDeep(int limit);
absl::Status CommentHidden(absl::string_view name);
absl::Status CommentDeleted(absl::string_view name);
absl::Status RequestIdReused(absl::string_view request_id);
absl::Status RevisionNotReached(absl::string_view name, int64_t wanted, int64_t current);

/// The same reason, for revisions and positions of another epoch (content/changes.h). `name` is
/// what was watched.
absl::Status EpochEnded(absl::string_view name);

/// ABORTED: a watcher took too long to read what it was sent.
absl::Status WatcherTooSlow();

}  // namespace content
