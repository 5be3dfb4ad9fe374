#include "api/publishing.h"

#include <utility>

#include "api/answers.h"
#include "api/checks.h"
#include "content/rules.h"

namespace content::api {
namespace {

// Returns whether a field of an article is set or, if repeated, not empty.
bool IsSet(const v1::Article& article, const std::string& name) {
  const auto* const field = v1::Article::GetDescriptor()->FindFieldByName(name);
  const auto* const reflection = v1::Article::GetReflection();
  return field->is_repeated() ? reflection->FieldSize(article, field) > 0
                              : reflection->HasField(article, field);
}

}  // namespace

// The store completes the article: parsing 1 MiB of Markdown takes too long for gRPC's threads.
absl::StatusOr<Publication> CheckPublishArticle(const v1::PublishArticleRequest& request) {
  Violations violations;
  Publication publication{
      .article = request.article(),
      .options = {.may_replace = !request.article().name().empty(),
                  .validate_only = request.validate_only(),
                  .request = CheckRequestId(request, request.request_id(), violations)}};
  CheckArticle(request.article(), "article", violations);
  if (!violations.empty()) return violations.ToStatus();
  return publication;
}

void PublishArticle(Publishing& publishing, CallContext call, v1::PublishArticleRequest request,
                    Callback<v1::PublishArticleResponse> done) {
  absl::StatusOr<Publication> publication = CheckPublishArticle(request);
  if (!publication.ok()) return std::move(done)(publication.status());
  auto reply = Reply<PublishedArticle>(std::move(done), [](PublishedArticle published) {
    v1::PublishArticleResponse response;
    *response.mutable_article() = std::move(published.article);
    response.set_outcome(published.outcome);
    return response;
  });
  publishing.PublishArticle(std::move(call), std::move(publication->article),
                            std::move(publication->options), std::move(reply));
}

absl::StatusOr<ArticleEdit> CheckUpdateArticle(const v1::UpdateArticleRequest& request) {
  Violations violations;
  const v1::Article& article = request.article();
  const auto is_set = [&article](const std::string& path) { return IsSet(article, path); };
  ArticleEdit edit{.id = CheckArticleName(article.name(), "article.name", violations),
                   .article = article,
                   .paths = CheckUpdateMask(request.update_mask(), ChangeableArticleFields(),
                                            is_set, violations),
                   .request = CheckRequestId(request, request.request_id(), violations),
                   .validate_only = request.validate_only()};
  if (!violations.empty()) return violations.ToStatus();
  return edit;
}

void UpdateArticle(Publishing& publishing, CallContext call, v1::UpdateArticleRequest request,
                   Callback<v1::UpdateArticleResponse> done) {
  absl::StatusOr<ArticleEdit> edit = CheckUpdateArticle(request);
  if (!edit.ok()) return std::move(done)(edit.status());
  publishing.UpdateArticle(std::move(call), *std::move(edit),
                           ReplyWithArticle<v1::UpdateArticleResponse>(std::move(done)));
}

absl::StatusOr<ArticleRenaming> CheckRenameArticle(const v1::RenameArticleRequest& request) {
  Violations violations;
  ArticleRenaming renaming{.id = CheckArticleName(request.name(), "name", violations),
                           .new_id = CheckArticleName(request.new_name(), "new_name", violations),
                           .etag = request.etag(),
                           .request = CheckRequestId(request, request.request_id(), violations)};
  if (!violations.empty()) return violations.ToStatus();
  return renaming;
}

void RenameArticle(Publishing& publishing, CallContext call, v1::RenameArticleRequest request,
                   Callback<v1::RenameArticleResponse> done) {
  absl::StatusOr<ArticleRenaming> renaming = CheckRenameArticle(request);
  if (!renaming.ok()) return std::move(done)(renaming.status());
  publishing.RenameArticle(std::move(call), *std::move(renaming),
                           ReplyWithArticle<v1::RenameArticleResponse>(std::move(done)));
}

absl::StatusOr<ArticleRetraction> CheckRetractArticle(const v1::RetractArticleRequest& request) {
  Violations violations;
  ArticleRetraction retraction{
      .id = CheckArticleName(request.name(), "name", violations),
      .etag = request.etag(),
      .request = CheckRequestId(request, request.request_id(), violations)};
  if (!violations.empty()) return violations.ToStatus();
  return retraction;
}

void RetractArticle(Publishing& publishing, CallContext call, v1::RetractArticleRequest request,
                    Callback<v1::RetractArticleResponse> done) {
  absl::StatusOr<ArticleRetraction> retraction = CheckRetractArticle(request);
  if (!retraction.ok()) return std::move(done)(retraction.status());
  auto reply = Reply<int64_t>(std::move(done), [](int64_t revision) {
    v1::RetractArticleResponse response;
    response.set_revision(revision);
    return response;
  });
  publishing.RetractArticle(std::move(call), *std::move(retraction), std::move(reply));
}

absl::StatusOr<std::string> CheckInspectArticle(const v1::InspectArticleRequest& request) {
  Violations violations;
  std::string id = CheckArticleName(request.name(), "name", violations);
  if (!violations.empty()) return violations.ToStatus();
  return id;
}

void InspectArticle(Publishing& publishing, CallContext call, v1::InspectArticleRequest request,
                    Callback<v1::InspectArticleResponse> done) {
  absl::StatusOr<std::string> id = CheckInspectArticle(request);
  if (!id.ok()) return std::move(done)(id.status());
  auto reply = Reply<InspectedArticle>(std::move(done), [](InspectedArticle inspected) {
    v1::InspectArticleResponse response;
    *response.mutable_article() = std::move(inspected.article);
    response.set_retracted(inspected.retracted);
    for (std::string& name : inspected.former_names) response.add_former_names(std::move(name));
    return response;
  });
  publishing.InspectArticle(std::move(call), *std::move(id), std::move(reply));
}

}  // namespace content::api
