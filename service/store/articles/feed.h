#pragma once

#include "absl/status/statusor.h"
#include "content/changes.h"
#include "postgres/connection.h"

// The change feed of articles; see content/change_feed.h. Functions throw like
// postgres::Connection.
namespace content::store {

absl::StatusOr<ArticleChanges> ReadArticleChanges(postgres::Connection& connection,
                                                  const ArticleCursor& after);

absl::StatusOr<ArticleCursor> GetArticleCursor(postgres::Connection& connection);

}  // namespace content::store
