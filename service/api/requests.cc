#include "api/requests.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/digest.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/page_token.h"
#include "content/rules.h"
#include "content/text.h"
#include "content/uuid.h"
#include "google/protobuf/field_mask.pb.h"
#include "google/protobuf/util/time_util.h"
#include "watch/sources.h"

namespace content::api {
namespace {

struct PageSizes {
  int unset;
  int most;
};

constexpr PageSizes kArticlePageSizes = {.unset = 25, .most = 100};
constexpr PageSizes kCommentPageSizes = {.unset = 25, .most = 200};
constexpr PageSizes kSearchPageSizes = {.unset = 10, .most = 50};
constexpr int kMaxBatchSize = 100;
constexpr size_t kMaxQueryCharacters = 300;

// Paths of the update mask of a comment.
constexpr char kBody[] = "body";
constexpr char kDisplayName[] = "author.display_name";

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

CommentRef CheckCommentName(absl::string_view name, absl::string_view field,
                            Violations& violations) {
  std::optional<CommentRef> reference = ParseCommentName(name);
  if (!reference) violations.Add(field, name.empty() ? "is required" : kCommentNameRule);
  return std::move(reference).value_or(CommentRef());
}

// Only the comment's id: its article may be named otherwise than in the rest of the request, by a
// former name.
std::string CheckReplyTo(absl::string_view name, absl::string_view field, Violations& violations) {
  return name.empty() ? "" : CheckCommentName(name, field, violations).comment_id;
}

v1::ArticleView CheckView(v1::ArticleView view, v1::ArticleView unset, Violations& violations) {
  if (!v1::ArticleView_IsValid(view)) violations.Add("view", "is not a value of ArticleView");
  return view == v1::ARTICLE_VIEW_UNSPECIFIED ? unset : view;
}

v1::CommentOrder CheckOrder(v1::CommentOrder order, absl::string_view field,
                            Violations& violations) {
  if (!v1::CommentOrder_IsValid(order)) violations.Add(field, "is not a value of CommentOrder");
  return order == v1::COMMENT_ORDER_UNSPECIFIED ? v1::COMMENT_ORDER_NEWEST : order;
}

int CheckPageSize(int page_size, PageSizes sizes, absl::string_view field, Violations& violations) {
  if (page_size < 0) violations.Add(field, "is negative");
  return page_size == 0 ? sizes.unset : std::min(page_size, sizes.most);
}

void CheckMinRevision(int64_t min_revision, Violations& violations) {
  if (min_revision < 0) violations.Add("min_revision", "is negative");
}

void CheckFilter(absl::string_view value, absl::string_view field, Violations& violations) {
  if (HasForbiddenCharacter(value, /*one_line=*/true)) {
    violations.Add(field, "has a control character or a line break");
  }
}

// Empties the fields of these names that the message has.
void Clear(const std::vector<std::string>& fields, google::protobuf::Message& message) {
  for (const std::string& name : fields) {
    if (const auto* field = message.GetDescriptor()->FindFieldByName(name)) {
      message.GetReflection()->ClearField(&message, field);
    }
  }
}

// The request as text, without these fields.
std::string IdentityWithout(const std::vector<std::string>& fields,
                            const google::protobuf::Message& request) {
  const std::unique_ptr<google::protobuf::Message> identity(request.New());
  identity->CopyFrom(request);
  Clear(fields, *identity);
  return absl::StrCat(identity->GetTypeName(), "/", identity->SerializeAsString());
}

template <class Request>
RequestKey CheckRequestId(const Request& request, Violations& violations) {
  if (request.request_id().empty()) return {};
  std::string id = absl::AsciiStrToLower(request.request_id());
  if (!IsUuid(id)) violations.Add("request_id", "is not a UUID");
  const std::string identity = IdentityWithout({"request_id", "validate_only"}, request);
  return {.id = std::move(id), .fingerprint = absl::BytesToHexString(Digest({identity}))};
}

// Paths of an update mask as a list of fields, each among `changeable`: of an empty mask those that
// `is_set` says are set, of `*` all.
template <class IsSet>
std::vector<std::string> CheckMask(const google::protobuf::FieldMask& mask,
                                   const std::vector<std::string>& changeable, IsSet is_set,
                                   Violations& violations) {
  std::vector<std::string> paths(mask.paths().begin(), mask.paths().end());
  if (paths == std::vector<std::string>{"*"}) return changeable;
  if (paths.empty()) {
    std::copy_if(changeable.begin(), changeable.end(), std::back_inserter(paths), is_set);
  }
  if (paths.empty()) violations.Add("update_mask", "names no field, and none is set");
  for (const std::string& path : paths) {
    if (std::find(changeable.begin(), changeable.end(), path) == changeable.end()) {
      violations.Add("update_mask",
                     absl::StrCat("has a path that is none of ", absl::StrJoin(changeable, ", ")));
      break;
    }
  }
  return paths;
}

// Export and erasure ask for the same.
template <class Request>
absl::StatusOr<std::string> ValidateAuthor(const Request& request) {
  Violations violations;
  CheckCommentAuthorId(request.author_id(), "author_id", violations);
  if (!violations.empty()) return violations.ToStatus();
  return request.author_id();
}

template <class Request>
std::string CheckPageToken(const Request& request, Violations& violations) {
  if (request.page_token().empty()) return "";  // the first page, which is asked for most
  std::optional<std::string> key = ReadPageToken(QueryIdentity(request), request.page_token());
  if (!key) violations.Add("page_token", kPageTokenRule);
  return std::move(key).value_or("");
}

}  // namespace

absl::StatusOr<ArticleLookup> Validate(const v1::GetArticleRequest& request) {
  Violations violations;
  ArticleLookup lookup{CheckArticleName(request.name(), "name", violations),
                       CheckView(request.view(), v1::ARTICLE_VIEW_FULL, violations)};
  CheckMinRevision(request.min_revision(), violations);
  if (!violations.empty()) return violations.ToStatus();
  return lookup;
}

absl::StatusOr<ArticleLookups> Validate(const v1::BatchGetArticlesRequest& request) {
  Violations violations;
  ArticleLookups lookup;
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
  query.page_size = CheckPageSize(request.page_size(), kArticlePageSizes, "page_size", violations);
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

absl::StatusOr<SearchQuery> Validate(const v1::SearchArticlesRequest& request) {
  Violations violations;
  SearchQuery query;
  if (request.query().empty()) violations.Add("query", "is required");
  if (CountCharacters(request.query()) > kMaxQueryCharacters) {
    violations.Add("query", absl::StrCat("has more than ", kMaxQueryCharacters, " characters"));
  }
  CheckFilter(request.query(), "query", violations);
  CheckLanguage(request.language_code(), "language_code", violations);
  query.text = request.query();
  query.language = absl::AsciiStrToLower(
      std::string(request.language_code(), 0, request.language_code().find('-')));
  query.page_size = CheckPageSize(request.page_size(), kSearchPageSizes, "page_size", violations);
  query.after_key = CheckPageToken(request, violations);
  if (!violations.empty()) return violations.ToStatus();
  return query;
}

absl::StatusOr<ArticlePageQuery> Validate(const v1::GetArticlePageRequest& request) {
  Violations violations;
  ArticlePageQuery query;
  query.view = CheckView(request.view(), v1::ARTICLE_VIEW_FULL, violations);
  query.comments.article_id = CheckArticleName(request.name(), "name", violations);
  query.comments.page_size = CheckPageSize(request.comment_page_size(), kCommentPageSizes,
                                           "comment_page_size", violations);
  query.comments.order = CheckOrder(request.comment_order(), "comment_order", violations);
  CheckMinRevision(request.min_revision(), violations);
  query.comments.min_revision = request.min_revision();
  if (!violations.empty()) return violations.ToStatus();
  return query;
}

absl::StatusOr<CommentRef> Validate(const v1::GetCommentRequest& request) {
  Violations violations;
  CommentRef reference = CheckCommentName(request.name(), "name", violations);
  CheckMinRevision(request.min_revision(), violations);
  if (!violations.empty()) return violations.ToStatus();
  return reference;
}

absl::StatusOr<CommentQuery> Validate(const v1::ListCommentsRequest& request) {
  Violations violations;
  CommentQuery query;
  query.article_id = CheckArticleName(request.parent(), "parent", violations);
  query.reply_to_id = CheckReplyTo(request.reply_to(), "reply_to", violations);
  query.order = CheckOrder(request.order(), "order", violations);
  query.page_size = CheckPageSize(request.page_size(), kCommentPageSizes, "page_size", violations);
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
  comment.reply_to_id = CheckReplyTo(request.comment().reply_to(), "comment.reply_to", violations);
  comment.request = CheckRequestId(request, violations);
  if (!violations.empty()) return violations.ToStatus();
  comment.create_time = absl::Now();
  comment.comment_id = NewUuid(comment.create_time);
  comment.author = request.comment().author();
  comment.body = request.comment().body();
  comment.validate_only = request.validate_only();
  return comment;
}

absl::StatusOr<CommentEdit> Validate(const v1::UpdateCommentRequest& request) {
  Violations violations;
  CommentEdit edit;
  const v1::Comment& comment = request.comment();
  edit.comment = CheckCommentName(comment.name(), "comment.name", violations);
  const auto is_set = [&comment](const std::string& path) {
    return !(path == kBody ? comment.body() : comment.author().display_name()).empty();
  };
  for (const std::string& path :
       CheckMask(request.update_mask(), {kBody, kDisplayName}, is_set, violations)) {
    if (path == kBody) {
      CheckCommentBody(comment.body(), "comment.body", violations);
      edit.body = comment.body();
    } else {
      CheckDisplayName(comment.author().display_name(), "comment.author.display_name", violations);
      edit.author_display_name = comment.author().display_name();
    }
  }
  edit.etag = comment.etag();
  edit.request = CheckRequestId(request, violations);
  edit.validate_only = request.validate_only();
  if (!violations.empty()) return violations.ToStatus();
  return edit;
}

absl::StatusOr<CommentDeletion> Validate(const v1::DeleteCommentRequest& request) {
  Violations violations;
  CommentDeletion deletion{.comment = CheckCommentName(request.name(), "name", violations),
                           .etag = request.etag(),
                           .allow_missing = request.allow_missing(),
                           .request = CheckRequestId(request, violations)};
  if (!violations.empty()) return violations.ToStatus();
  return deletion;
}

absl::StatusOr<Publication> Validate(const v1::PublishArticleRequest& request) {
  Violations violations;
  Publication publication{.article = request.article(),
                          .options = {.may_replace = !request.article().name().empty(),
                                      .validate_only = request.validate_only(),
                                      .request = CheckRequestId(request, violations)}};
  CheckArticle(request.article(), "article", violations);
  if (!violations.empty()) return violations.ToStatus();
  if (absl::Status status = CompleteArticle("article", publication.article); !status.ok()) {
    return status;
  }
  return publication;
}

absl::StatusOr<ArticleEdit> Validate(const v1::UpdateArticleRequest& request) {
  Violations violations;
  const v1::Article& article = request.article();
  const auto is_set = [&article](const std::string& path) {
    const auto* const field = v1::Article::GetDescriptor()->FindFieldByName(path);
    const auto* const reflection = v1::Article::GetReflection();
    return field->is_repeated() ? reflection->FieldSize(article, field) > 0
                                : reflection->HasField(article, field);
  };
  ArticleEdit edit{
      .id = CheckArticleName(article.name(), "article.name", violations),
      .article = article,
      .paths = CheckMask(request.update_mask(), ChangeableArticleFields(), is_set, violations),
      .request = CheckRequestId(request, violations),
      .validate_only = request.validate_only()};
  if (!violations.empty()) return violations.ToStatus();
  return edit;
}

absl::StatusOr<ArticleRenaming> Validate(const v1::RenameArticleRequest& request) {
  Violations violations;
  ArticleRenaming renaming{.id = CheckArticleName(request.name(), "name", violations),
                           .new_id = CheckArticleName(request.new_name(), "new_name", violations),
                           .etag = request.etag(),
                           .request = CheckRequestId(request, violations)};
  if (!violations.empty()) return violations.ToStatus();
  return renaming;
}

absl::StatusOr<ArticleRetraction> Validate(const v1::RetractArticleRequest& request) {
  Violations violations;
  ArticleRetraction retraction{.id = CheckArticleName(request.name(), "name", violations),
                               .etag = request.etag(),
                               .request = CheckRequestId(request, violations)};
  if (!violations.empty()) return violations.ToStatus();
  return retraction;
}

absl::StatusOr<std::string> Validate(const v1::InspectArticleRequest& request) {
  Violations violations;
  std::string id = CheckArticleName(request.name(), "name", violations);
  if (!violations.empty()) return violations.ToStatus();
  return id;
}

absl::StatusOr<CommentModeration> Validate(const v1::ModerateCommentRequest& request) {
  Violations violations;
  CommentModeration moderation{.comment = CheckCommentName(request.name(), "name", violations),
                               .state = request.state(),
                               .etag = request.etag(),
                               .request = CheckRequestId(request, violations)};
  switch (request.state()) {
    case v1::COMMENT_STATE_VISIBLE:
    case v1::COMMENT_STATE_HIDDEN:
    case v1::COMMENT_STATE_PENDING:
      break;
    case v1::COMMENT_STATE_UNSPECIFIED:
      violations.Add("state", "is required");
      break;
    default:
      violations.Add("state", "is none of VISIBLE, HIDDEN and PENDING");
  }
  if (!violations.empty()) return violations.ToStatus();
  return moderation;
}

absl::StatusOr<ModerationQuery> Validate(const v1::ListModerationQueueRequest& request) {
  Violations violations;
  ModerationQuery query;
  query.page_size = CheckPageSize(request.page_size(), kCommentPageSizes, "page_size", violations);
  if (request.state() == v1::COMMENT_STATE_HIDDEN) {
    query.state = request.state();
  } else if (request.state() != v1::COMMENT_STATE_PENDING &&
             request.state() != v1::COMMENT_STATE_UNSPECIFIED) {
    violations.Add("state", "is neither PENDING nor HIDDEN");
  }
  query.after_key = CheckPageToken(request, violations);
  if (!violations.empty()) return violations.ToStatus();
  return query;
}

absl::StatusOr<watch::Position> Validate(const v1::WatchCommentsRequest& request) {
  Violations violations;
  std::string id = CheckArticleName(request.parent(), "parent", violations);
  if (request.after_revision() < 0) violations.Add("after_revision", "is negative");
  if (!violations.empty()) return violations.ToStatus();
  return watch::CommentPosition(std::move(id), request.after_revision());
}

absl::StatusOr<watch::Position> Validate(const v1::WatchArticlesRequest& request) {
  if (request.resume_token().empty()) return watch::FirstArticlePosition(request.skip_existing());
  Violations violations;
  std::optional<watch::Position> resumed = watch::ResumedArticlePosition(request.resume_token());
  if (!resumed) violations.Add("resume_token", "is not a resume_token of this service");
  if (request.skip_existing()) violations.Add("skip_existing", "is not for a resumed stream");
  if (!violations.empty()) return violations.ToStatus();
  return *std::move(resumed);
}

absl::StatusOr<std::string> Validate(const v1::ExportAuthorRequest& request) {
  return ValidateAuthor(request);
}

absl::StatusOr<std::string> Validate(const v1::EraseAuthorRequest& request) {
  return ValidateAuthor(request);
}

absl::StatusOr<VerifyQuery> Validate(const v1::VerifyCountersRequest& request) {
  Violations violations;
  VerifyQuery query{.repair = request.repair()};
  if (!request.name().empty()) {
    query.article_id = CheckArticleName(request.name(), "name", violations);
  }
  if (!violations.empty()) return violations.ToStatus();
  return query;
}

std::string QueryIdentity(const google::protobuf::Message& request) {
  return IdentityWithout({"page_size", "page_token", "min_revision"}, request);
}

std::string QueryIdentity(const v1::GetArticlePageRequest& request) {
  v1::ListCommentsRequest next;
  next.set_parent(request.name());
  next.set_order(request.comment_order());
  return QueryIdentity(next);
}

}  // namespace content::api
