#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "content/store.h"
#include "store/connection.h"

// What watchers read: content/store.h says what they do. They throw pqxx exceptions.
namespace content::store {

absl::StatusOr<CommentChanges> ReadCommentChanges(Connection& connection,
                                                  const std::string& article_id,
                                                  int64_t after_revision);

absl::StatusOr<ArticleChanges> ReadArticleChanges(Connection& connection,
                                                  const ArticleCursor& after, absl::Time now);

absl::StatusOr<ArticleCursor> GetArticleCursor(Connection& connection);

}  // namespace content::store
