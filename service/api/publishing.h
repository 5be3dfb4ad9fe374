#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "base/call.h"
#include "content/publishing.h"
#include "content/v1/admin_service.pb.h"

// The RPCs for publishers: a check and a handler for each, as in articles.h.
namespace content::api {

struct Publication {
  v1::Article article;
  PublishOptions options;
};

absl::StatusOr<Publication> CheckPublishArticle(const v1::PublishArticleRequest& request);
void PublishArticle(Publishing& publishing, CallContext call, v1::PublishArticleRequest request,
                    Callback<v1::PublishArticleResponse> done);

absl::StatusOr<ArticleEdit> CheckUpdateArticle(const v1::UpdateArticleRequest& request);
void UpdateArticle(Publishing& publishing, CallContext call, v1::UpdateArticleRequest request,
                   Callback<v1::UpdateArticleResponse> done);

absl::StatusOr<ArticleRenaming> CheckRenameArticle(const v1::RenameArticleRequest& request);
void RenameArticle(Publishing& publishing, CallContext call, v1::RenameArticleRequest request,
                   Callback<v1::RenameArticleResponse> done);

absl::StatusOr<ArticleRetraction> CheckRetractArticle(const v1::RetractArticleRequest& request);
void RetractArticle(Publishing& publishing, CallContext call, v1::RetractArticleRequest request,
                    Callback<v1::RetractArticleResponse> done);

/// Returns the article's id.
absl::StatusOr<std::string> CheckInspectArticle(const v1::InspectArticleRequest& request);
void InspectArticle(Publishing& publishing, CallContext call, v1::InspectArticleRequest request,
                    Callback<v1::InspectArticleResponse> done);

}  // namespace content::api
