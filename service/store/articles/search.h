#pragma once

#include <string>
#include <vector>

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

/// An article to make available to searches.
struct IndexedArticle {
  ArticleKey key;
  /// InfiniteFuture if the article is scheduled: searches do not find it until ShowInSearch.
  absl::Time publish_time;
  /// Only language, title, summary and body count.
  const v1::Article* article;
};

/// Makes articles, which are stored, available to searches.
void IndexArticles(postgres::Transaction& transaction, const std::vector<IndexedArticle>& articles);

/// Makes an article that was scheduled available to searches.
void ShowInSearch(postgres::Transaction& transaction, ArticleKey key, absl::Time publish_time);

/// Removes articles from searches, at the latest with the commit.
void UnindexArticles(postgres::Transaction& transaction, const std::vector<ArticleKey>& keys);

/// Indexes the articles that should be available to searches and are not, because a migration has
/// emptied the index. Logs and skips an article that cannot be indexed.
void IndexMissingArticles(postgres::Connection& connection);

/// See ArticleReads::SearchArticles.
absl::StatusOr<Page<v1::SearchResult>> SearchArticles(postgres::Connection& connection,
                                                      const SearchQuery& query);

}  // namespace content::store
