#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "api/encoded_answer.h"
#include "base/call.h"
#include "content/article_reads.h"
#include "content/read_cache.h"
#include "content/v1/content_service.pb.h"

// The RPCs that read articles; see content_service.proto. Each has a check and a handler. The check
// turns the request into a query for the store, or fails with INVALID_ARGUMENT naming all invalid
// fields. The handler runs the check, queries the store or the cache, and makes the answer.
// Handlers do not depend on gRPC. They do not block, and answer at once or later, on any thread.
namespace content::api {

struct ArticleLookup {
  std::string id;
  v1::ArticleView view;
};

absl::StatusOr<ArticleLookup> CheckGetArticle(const v1::GetArticleRequest& request);
void GetArticle(ReadCache& cache, CallContext call, v1::GetArticleRequest request,
                Callback<EncodedAnswer> done);

struct ArticleLookups {
  std::vector<std::string> ids;
  v1::ArticleView view;
};

absl::StatusOr<ArticleLookups> CheckBatchGetArticles(const v1::BatchGetArticlesRequest& request);
void BatchGetArticles(ReadCache& cache, CallContext call, v1::BatchGetArticlesRequest request,
                      Callback<EncodedAnswer> done);

absl::StatusOr<ArticleQuery> CheckListArticles(const v1::ListArticlesRequest& request);
void ListArticles(ArticleReads& reads, CallContext call, v1::ListArticlesRequest request,
                  Callback<v1::ListArticlesResponse> done);

absl::StatusOr<SearchQuery> CheckSearchArticles(const v1::SearchArticlesRequest& request);
void SearchArticles(ArticleReads& reads, CallContext call, v1::SearchArticlesRequest request,
                    Callback<v1::SearchArticlesResponse> done);

struct ArticlePageQuery {
  v1::ArticleView view;
  CommentQuery comments;
};

absl::StatusOr<ArticlePageQuery> CheckGetArticlePage(const v1::GetArticlePageRequest& request);
void GetArticlePage(ReadCache& cache, ArticleReads& reads, CallContext call,
                    v1::GetArticlePageRequest request, Callback<EncodedAnswer> done);

/// Returns the QueryIdentity of the ListCommentsRequests for the comments after this page.
std::string IdentityOfNextComments(const v1::GetArticlePageRequest& request);

}  // namespace content::api
