#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "content/names.h"
#include "content/store.h"
#include "google/protobuf/message.h"
#include "watch/feed.h"

// Requests -> what the store is asked. Each function checks every field of its request and fails
// with INVALID_ARGUMENT naming all the bad ones.
namespace content::api {

struct ArticleLookup {
  std::string id;
  v1::ArticleView view;
};

struct ArticleLookups {
  std::vector<std::string> ids;
  v1::ArticleView view;
};

struct ArticlePageQuery {
  v1::ArticleView view;
  CommentQuery comments;
};

struct Publication {
  v1::Article article;
  PublishOptions options;
};

absl::StatusOr<ArticleLookup> Validate(const v1::GetArticleRequest& request);
absl::StatusOr<ArticleLookups> Validate(const v1::BatchGetArticlesRequest& request);
absl::StatusOr<ArticleQuery> Validate(const v1::ListArticlesRequest& request);
absl::StatusOr<SearchQuery> Validate(const v1::SearchArticlesRequest& request);
absl::StatusOr<ArticlePageQuery> Validate(const v1::GetArticlePageRequest& request);
absl::StatusOr<CommentRef> Validate(const v1::GetCommentRequest& request);
absl::StatusOr<CommentQuery> Validate(const v1::ListCommentsRequest& request);

/// The new comment gets its id and its time here.
absl::StatusOr<NewComment> Validate(const v1::CreateCommentRequest& request);
absl::StatusOr<CommentEdit> Validate(const v1::UpdateCommentRequest& request);
absl::StatusOr<CommentDeletion> Validate(const v1::DeleteCommentRequest& request);

/// The article is complete.
absl::StatusOr<Publication> Validate(const v1::PublishArticleRequest& request);
absl::StatusOr<ArticleEdit> Validate(const v1::UpdateArticleRequest& request);
absl::StatusOr<ArticleRenaming> Validate(const v1::RenameArticleRequest& request);
absl::StatusOr<ArticleRetraction> Validate(const v1::RetractArticleRequest& request);

/// The article's id.
absl::StatusOr<std::string> Validate(const v1::InspectArticleRequest& request);
absl::StatusOr<CommentModeration> Validate(const v1::ModerateCommentRequest& request);
absl::StatusOr<ModerationQuery> Validate(const v1::ListModerationQueueRequest& request);

/// Where the watcher begins or goes on.
absl::StatusOr<watch::Position> Validate(const v1::WatchCommentsRequest& request);
absl::StatusOr<watch::Position> Validate(const v1::WatchArticlesRequest& request);

/// The author's id.
absl::StatusOr<std::string> Validate(const v1::ExportAuthorRequest& request);
absl::StatusOr<std::string> Validate(const v1::EraseAuthorRequest& request);
absl::StatusOr<VerifyQuery> Validate(const v1::VerifyCountersRequest& request);

/// Everything that the pages of one list have in common, which their tokens are bound to: the
/// request without what may differ from page to page.
std::string QueryIdentity(const google::protobuf::Message& request);

/// That of the ListCommentsRequests that get the comments after the page's.
std::string QueryIdentity(const v1::GetArticlePageRequest& request);

}  // namespace content::api
