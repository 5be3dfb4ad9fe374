#pragma once

#include "absl/status/statusor.h"
#include "content/store.h"
#include "store/connection.h"

// Writes of comments: content/store.h says what they do. Each is one transaction: lock the article,
// look whether the same request was done before, check, write, commit. Without a request_id a
// second attempt finds the work of the first done and changes nothing. They throw pqxx exceptions.
namespace content::store {

/// `attempt` counts from 1; see Pool::Work.
absl::StatusOr<v1::Comment> CreateComment(Connection& connection, const NewComment& comment,
                                          int attempt);

absl::StatusOr<v1::Comment> UpdateComment(Connection& connection, const CommentEdit& edit);

absl::StatusOr<int64_t> DeleteComment(Connection& connection, const CommentDeletion& deletion);

absl::StatusOr<v1::Comment> ModerateComment(Connection& connection,
                                            const CommentModeration& moderation);

}  // namespace content::store
