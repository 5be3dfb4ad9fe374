#pragma once

#include "base/call.h"
#include "content/article.h"
#include "content/comment.h"

namespace content {

/// Reads of articles that are not cached. See content/store.h for what all interfaces have in
/// common.
class ArticleReads {
 public:
  virtual ~ArticleReads() = default;

  /// Answers with one page of articles that readers see.
  virtual void ListArticles(CallContext context, ArticleQuery query,
                            Callback<Page<v1::Article>> done) = 0;

  /// Answers with one page of articles that match. INVALID_ARGUMENT on `query` if it contains no
  /// word to search for.
  virtual void SearchArticles(CallContext context, SearchQuery query,
                              Callback<Page<v1::SearchResult>> done) = 0;

  /// Answers with the article `comments.article_id` and the first page of its comments.
  virtual void GetArticlePage(CallContext context, v1::ArticleView view, CommentQuery comments,
                              Callback<ArticlePage> done) = 0;
};

}  // namespace content
