#include "api/requests.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/page_token.h"
#include "content/rules.h"
#include "content/text.h"
#include "google/protobuf/util/time_util.h"

namespace content::api {
namespace {

constexpr int kDefaultPageSize = 25;
constexpr int kMaxArticlePageSize = 100;
constexpr int kMaxCommentPageSize = 200;
constexpr int kMaxBatchSize = 100;

absl::Time ToTime(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixMicros(google::protobuf::util::TimeUtil::TimestampToMicroseconds(timestamp));
}

// Each Check function adds what is wrong to the violations, and returns what the field means.

std::string CheckArticleName(absl::string_view name, absl::string_view field,
                             Violations& violations) {
  std::optional<std::string> id = ParseArticleName(name);
  if (!id) violations.Add(field, name.empty() ? "is required" : kArticleNameRule);
  return std::move(id).value_or("");
}

std::string CheckReplyTo(absl::string_view name, absl::string_view article_id,
                         absl::string_view field, Violations& violations) {
  if (name.empty()) return "";
  const std::optional<CommentRef> reference = ParseCommentName(name);
  if (!reference) {
    violations.Add(field, kCommentNameRule);
    return "";
  }
  if (!article_id.empty() && reference->article_id != article_id) {
    violations.Add(field, "is a comment of another article");
  }
  return reference->comment_id;
}

v1::ArticleView CheckView(v1::ArticleView view, v1::ArticleView unset, Violations& violations) {
  if (!v1::ArticleView_IsValid(view)) violations.Add("view", "is not a value of ArticleView");
  return view == v1::ARTICLE_VIEW_UNSPECIFIED ? unset : view;
}

int CheckPageSize(int page_size, int most, Violations& violations) {
  if (page_size < 0) violations.Add("page_size", "is negative");
  return page_size == 0 ? kDefaultPageSize : std::min(page_size, most);
}

void CheckMinRevision(int64_t min_revision, Violations& violations) {
  if (min_revision < 0) violations.Add("min_revision", "is negative");
}

void CheckFilter(absl::string_view value, absl::string_view field, Violations& violations) {
  if (HasForbiddenCharacter(value, /*one_line=*/true)) {
    violations.Add(field, "has a control character or a line break");
  }
}

std::string CheckRequestId(absl::string_view request_id, Violations& violations) {
  std::string lower = absl::AsciiStrToLower(request_id);
  if (!lower.empty() && !IsUuid(lower)) violations.Add("request_id", "is not a UUID");
  return lower;
}

template <class Request>
std::string CheckPageToken(const Request& request, Violations& violations) {
  std::optional<std::string> key = ReadPageToken(QueryIdentity(request), request.page_token());
  if (!key) violations.Add("page_token", kPageTokenRule);
  return std::move(key).value_or("");
}

}  // namespace

absl::StatusOr<ArticleLookup> Validate(const v1::GetArticleRequest& request) {
  Violations violations;
  ArticleLookup lookup{{CheckArticleName(request.name(), "name", violations)},
                       CheckView(request.view(), v1::ARTICLE_VIEW_FULL, violations)};
  CheckMinRevision(request.min_revision(), violations);
  if (!violations.empty()) return violations.ToStatus();
  return lookup;
}

absl::StatusOr<ArticleLookup> Validate(const v1::BatchGetArticlesRequest& request) {
  Violations violations;
  ArticleLookup lookup;
  lookup.view = CheckView(request.view(), v1::ARTICLE_VIEW_BASIC, violations);
  if (request.names().empty()) violations.Add("names", "is required");
  if (request.names_size() > kMaxBatchSize) {
    violations.Add("names", absl::StrCat("has more than ", kMaxBatchSize));
  } else {
    for (int i = 0; i < request.names_size(); ++i) {
      lookup.ids.push_back(
          CheckArticleName(request.names(i), absl::StrCat("names[", i, "]"), violations));
    }
  }
  if (!violations.empty()) return violations.ToStatus();
  return lookup;
}

absl::StatusOr<ArticleQuery> Validate(const v1::ListArticlesRequest& request) {
  Violations violations;
  ArticleQuery query;
  query.view = CheckView(request.view(), v1::ARTICLE_VIEW_BASIC, violations);
  if (!v1::ArticleOrder_IsValid(request.order())) {
    violations.Add("order", "is not a value of ArticleOrder");
  }
  if (request.order() != v1::ARTICLE_ORDER_UNSPECIFIED) query.order = request.order();
  query.page_size = CheckPageSize(request.page_size(), kMaxArticlePageSize, violations);
  CheckFilter(request.author(), "author", violations);
  CheckFilter(request.tag(), "tag", violations);
  query.author = request.author();
  query.tag = request.tag();
  CheckTime(request.published_after(), "published_after", violations);
  CheckTime(request.published_before(), "published_before", violations);
  query.after_key = CheckPageToken(request, violations);
  if (!violations.empty()) return violations.ToStatus();
  if (request.has_published_after()) query.published_after = ToTime(request.published_after());
  if (request.has_published_before()) query.published_before = ToTime(request.published_before());
  return query;
}

absl::StatusOr<CommentRef> Validate(const v1::GetCommentRequest& request) {
  Violations violations;
  std::optional<CommentRef> reference = ParseCommentName(request.name());
  if (!reference) violations.Add("name", request.name().empty() ? "is required" : kCommentNameRule);
  CheckMinRevision(request.min_revision(), violations);
  if (!violations.empty()) return violations.ToStatus();
  return *std::move(reference);
}

absl::StatusOr<CommentQuery> Validate(const v1::ListCommentsRequest& request) {
  Violations violations;
  CommentQuery query;
  query.article_id = CheckArticleName(request.parent(), "parent", violations);
  query.reply_to_id = CheckReplyTo(request.reply_to(), query.article_id, "reply_to", violations);
  if (!v1::CommentOrder_IsValid(request.order())) {
    violations.Add("order", "is not a value of CommentOrder");
  }
  if (request.order() != v1::COMMENT_ORDER_UNSPECIFIED) query.order = request.order();
  query.page_size = CheckPageSize(request.page_size(), kMaxCommentPageSize, violations);
  CheckMinRevision(request.min_revision(), violations);
  query.min_revision = request.min_revision();
  query.after_key = CheckPageToken(request, violations);
  if (!violations.empty()) return violations.ToStatus();
  return query;
}

absl::StatusOr<NewComment> Validate(const v1::CreateCommentRequest& request) {
  Violations violations;
  NewComment comment;
  comment.article_id = CheckArticleName(request.parent(), "parent", violations);
  CheckComment(request.comment(), "comment", violations);
  comment.reply_to_id = CheckReplyTo(request.comment().reply_to(), comment.article_id,
                                     "comment.reply_to", violations);
  comment.request_id = CheckRequestId(request.request_id(), violations);
  if (!violations.empty()) return violations.ToStatus();
  comment.create_time = absl::Now();
  comment.comment_id = NewCommentId(comment.create_time);
  comment.author = request.comment().author();
  comment.body = request.comment().body();
  comment.validate_only = request.validate_only();
  return comment;
}

absl::StatusOr<v1::Article> Validate(const v1::PublishArticleRequest& request) {
  Violations violations;
  CheckArticle(request.article(), "article", violations);
  if (!violations.empty()) return violations.ToStatus();
  v1::Article article = request.article();
  if (absl::Status status = CompleteArticle("article", article); !status.ok()) return status;
  return article;
}

absl::StatusOr<std::string> Validate(const v1::RetractArticleRequest& request) {
  Violations violations;
  std::string id = CheckArticleName(request.name(), "name", violations);
  if (!violations.empty()) return violations.ToStatus();
  return id;
}

std::string QueryIdentity(const v1::ListArticlesRequest& request) {
  v1::ListArticlesRequest identity = request;
  identity.clear_page_size();
  identity.clear_page_token();
  return absl::StrCat(identity.GetTypeName(), "/", identity.SerializeAsString());
}

std::string QueryIdentity(const v1::ListCommentsRequest& request) {
  v1::ListCommentsRequest identity = request;
  identity.clear_page_size();
  identity.clear_page_token();
  identity.clear_min_revision();
  return absl::StrCat(identity.GetTypeName(), "/", identity.SerializeAsString());
}

}  // namespace content::api
