#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "content/changes.h"
#include "postgres/connection.h"
#include "store/names.h"

namespace content::store {

/// See ChangeFeed::ReadCommentChanges. Throws like postgres::Connection.
absl::StatusOr<CommentChanges> ReadCommentChanges(postgres::Connection& connection,
                                                  ArticleNames& names,
                                                  const std::string& article_id,
                                                  const CommentCursor& after);

}  // namespace content::store
