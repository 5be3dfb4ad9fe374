#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "content/names.h"
#include "content/store.h"

// Requests -> what the store is asked. Each function checks every field of its request and fails
// with INVALID_ARGUMENT naming all the bad ones.
namespace content::api {

struct ArticleLookup {
  std::vector<std::string> ids;
  v1::ArticleView view;
};

absl::StatusOr<ArticleLookup> Validate(const v1::GetArticleRequest& request);
absl::StatusOr<ArticleLookup> Validate(const v1::BatchGetArticlesRequest& request);
absl::StatusOr<ArticleQuery> Validate(const v1::ListArticlesRequest& request);
absl::StatusOr<CommentRef> Validate(const v1::GetCommentRequest& request);
absl::StatusOr<CommentQuery> Validate(const v1::ListCommentsRequest& request);

/// The new comment gets its id and its time here.
absl::StatusOr<NewComment> Validate(const v1::CreateCommentRequest& request);

/// The article, complete.
absl::StatusOr<v1::Article> Validate(const v1::PublishArticleRequest& request);

/// The article's id.
absl::StatusOr<std::string> Validate(const v1::RetractArticleRequest& request);

/// Everything that the pages of one list have in common, which their tokens are bound to.
std::string QueryIdentity(const v1::ListArticlesRequest& request);
std::string QueryIdentity(const v1::ListCommentsRequest& request);

}  // namespace content::api
