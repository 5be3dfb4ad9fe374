#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "content/store.h"
#include "store/connection.h"

// Reads of comments: content/store.h says what they do. They throw pqxx exceptions.
namespace content::store {

absl::StatusOr<v1::Comment> GetComment(Connection& connection, const CommentRef& comment,
                                       int64_t min_revision);

absl::StatusOr<CommentPage> ListComments(Connection& connection, const CommentQuery& query);

}  // namespace content::store
