#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "content/article.h"
#include "content/page.h"
#include "content/v1/content_service.pb.h"
#include "postgres/connection.h"
#include "postgres/transaction.h"

// Full-text search of articles. Functions throw like postgres::Connection.
namespace content::store {

/// Makes the article, with its stored text, available to searches. If it is scheduled,
/// `publish_time` is InfiniteFuture, and searches do not find it until ShowInSearch. `article_id`
/// is the article's key.
void IndexArticle(postgres::Transaction& transaction, const std::string& article_id,
                  absl::Time publish_time);

/// Makes an article that was scheduled available to searches.
void ShowInSearch(postgres::Transaction& transaction, const std::string& article_id,
                  absl::Time publish_time);

/// Removes the article from searches.
void UnindexArticle(postgres::Transaction& transaction, const std::string& article_id);

/// See ArticleReads::SearchArticles.
absl::StatusOr<Page<v1::SearchResult>> SearchArticles(postgres::Connection& connection,
                                                      const SearchQuery& query);

}  // namespace content::store
