#include "api/checks.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/identity.h"
#include "content/page_token.h"
#include "content/rules.h"
#include "content/uuid.h"
#include "google/protobuf/util/time_util.h"

namespace content::api {

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

CommentRef CheckReplyTo(absl::string_view name, absl::string_view field, Violations& violations) {
  return name.empty() ? CommentRef() : CheckCommentName(name, field, violations);
}

v1::ArticleView CheckView(v1::ArticleView view, v1::ArticleView default_view,
                          Violations& violations) {
  if (!v1::ArticleView_IsValid(view)) violations.Add("view", "is not a value of ArticleView");
  return view == v1::ARTICLE_VIEW_UNSPECIFIED ? default_view : view;
}

v1::CommentOrder CheckOrder(v1::CommentOrder order, absl::string_view field,
                            Violations& violations) {
  if (!v1::CommentOrder_IsValid(order)) violations.Add(field, "is not a value of CommentOrder");
  return order == v1::COMMENT_ORDER_UNSPECIFIED ? v1::COMMENT_ORDER_NEWEST : order;
}

int CheckPageSize(int page_size, PageSizes sizes, absl::string_view field, Violations& violations) {
  if (page_size < 0) violations.Add(field, "is negative");
  return page_size == 0 ? sizes.default_size : std::min(page_size, sizes.max_size);
}

std::string CheckPageToken(const google::protobuf::Message& request, absl::string_view token,
                           Violations& violations) {
  if (token.empty()) return "";  // Most calls ask for the first page, which needs no identity.
  std::optional<std::string> key = ReadPageToken(QueryIdentity(request), token);
  if (!key) violations.Add("page_token", kPageTokenRule);
  return std::move(key).value_or("");
}

int64_t CheckMinRevision(int64_t min_revision, Violations& violations) {
  if (min_revision < 0) violations.Add("min_revision", "is negative");
  return min_revision;
}

RequestKey CheckRequestId(const google::protobuf::Message& request, absl::string_view request_id,
                          Violations& violations) {
  if (request_id.empty()) return {};
  std::string id = absl::AsciiStrToLower(request_id);
  if (!IsUuid(id)) violations.Add("request_id", "is not a UUID");
  // Usually a variable that was never set, so many requests would share it.
  if (id == kNilUuid) violations.Add("request_id", "is the nil UUID");
  return {.id = std::move(id), .fingerprint = RequestFingerprint(request)};
}

std::vector<std::string> CheckUpdateMask(const google::protobuf::FieldMask& mask,
                                         const std::vector<std::string>& changeable,
                                         absl::FunctionRef<bool(const std::string&)> is_set,
                                         Violations& violations) {
  const std::set<absl::string_view> paths(mask.paths().begin(), mask.paths().end());
  if (paths == std::set<absl::string_view>{"*"}) return changeable;
  std::vector<std::string> changed;
  std::copy_if(
      changeable.begin(), changeable.end(), std::back_inserter(changed),
      [&](const std::string& path) { return paths.empty() ? is_set(path) : paths.contains(path); });
  if (paths.empty() && changed.empty()) {
    violations.Add("update_mask", "names no fields, and none are set");
  }
  if (changed.size() < paths.size()) {
    violations.Add("update_mask",
                   absl::StrCat("has a path other than ", absl::StrJoin(changeable, ", ")));
    return {};
  }
  return changed;
}

absl::Time ToTime(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixMicros(google::protobuf::util::TimeUtil::TimestampToMicroseconds(timestamp));
}

}  // namespace content::api
