#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "content/article.h"
#include "content/page.h"
#include "content/v1/content_service.pb.h"
#include "postgres/connection.h"
#include "postgres/transaction.h"
#include "store/article_key.h"

// Full-text search of articles. Functions throw like postgres::Connection.
namespace content::store {

/// Makes an article, which is stored, available to searches. If it is scheduled, `publish_time` is
/// InfiniteFuture, and searches do not find it until ShowInSearch. Of `article`, only language,
/// title, summary and body count.
void IndexArticle(postgres::Transaction& transaction, ArticleKey key, absl::Time publish_time,
                  const v1::Article& article);

/// Makes an article that was scheduled available to searches.
void ShowInSearch(postgres::Transaction& transaction, ArticleKey key, absl::Time publish_time);

/// Removes the article from searches.
void UnindexArticle(postgres::Transaction& transaction, ArticleKey key);

/// Indexes the articles that should be available to searches and are not, because a migration has
/// emptied the index. Logs and skips an article that cannot be indexed.
void IndexMissingArticles(postgres::Connection& connection);

/// See ArticleReads::SearchArticles.
absl::StatusOr<Page<v1::SearchResult>> SearchArticles(postgres::Connection& connection,
                                                      const SearchQuery& query);

}  // namespace content::store
