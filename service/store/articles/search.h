#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "content/store.h"
#include "postgres/connection.h"
#include "postgres/transaction.h"

// PostgreSQL's full-text search over articles.
namespace content::store {

/// Makes the text of the article, as it is stored, what searches find from `publish_time` on;
/// `article_id` is the storage key.
void IndexArticle(postgres::Transaction& transaction, const std::string& article_id,
                  absl::Time publish_time);

/// Takes it out of what searches find.
void UnindexArticle(postgres::Transaction& transaction, const std::string& article_id);

/// See Store::SearchArticles.
absl::StatusOr<Page<v1::SearchResult>> SearchArticles(postgres::Connection& connection,
                                                      const SearchQuery& query);

}  // namespace content::store
