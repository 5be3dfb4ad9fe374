#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "api/encoded_answer.h"
#include "base/call.h"
#include "content/article_reads.h"
#include "content/read_cache.h"
#include "content/v1/content_service.pb.h"

// The RPCs that read articles; content_service.proto says what they do. Each consists of a check,
// which turns the request into what is asked of the store or fails with INVALID_ARGUMENT naming all
// bad fields, and of a handler, which checks, asks, and makes the answer. Handlers know nothing of
// gRPC. They do not block, and answer at once or later, on any thread.
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

/// QueryIdentity of the ListCommentsRequests that get the comments after the page's.
std::string IdentityOfNextComments(const v1::GetArticlePageRequest& request);

}  // namespace content::api
