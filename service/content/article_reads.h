#pragma once

#include "base/call.h"
#include "content/article.h"
#include "content/comment.h"

namespace content {

/// Reads of articles that go to the database every time. content/store.h says what all interfaces
/// have in common.
class ArticleReads {
 public:
  virtual ~ArticleReads() = default;

  virtual void ListArticles(CallContext context, ArticleQuery query,
                            Callback<Page<v1::Article>> done) = 0;

  /// INVALID_ARGUMENT on `query` if it has no word to search for.
  virtual void SearchArticles(CallContext context, SearchQuery query,
                              Callback<Page<v1::SearchResult>> done) = 0;

  /// The article of `comments.article_id` with the first page of its comments.
  virtual void GetArticlePage(CallContext context, v1::ArticleView view, CommentQuery comments,
                              Callback<ArticlePage> done) = 0;
};

}  // namespace content
