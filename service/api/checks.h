#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "content/names.h"
#include "content/request_key.h"
#include "content/v1/article.pb.h"
#include "content/v1/content_service.pb.h"
#include "google/protobuf/field_mask.pb.h"
#include "google/protobuf/message.h"
#include "google/protobuf/timestamp.pb.h"

// Checks that several requests share; content/rules.h has those of articles and comments. Each adds
// what is wrong with a field to `violations` and returns what the field means. If something is
// wrong, the result is of no use. `field` is the path of the field in the request.
namespace content::api {

/// The id in an article's name, which is required.
std::string CheckArticleName(absl::string_view name, absl::string_view field,
                             Violations& violations);

/// The ids in a comment's name, which is required.
CommentRef CheckCommentName(absl::string_view name, absl::string_view field,
                            Violations& violations);

/// The comment's id in the name of a comment that is replied to; empty if there is none. The
/// article in that name is not compared with the one of the request: each may be a former name.
std::string CheckReplyTo(absl::string_view name, absl::string_view field, Violations& violations);

v1::ArticleView CheckView(v1::ArticleView view, v1::ArticleView default_view,
                          Violations& violations);

v1::CommentOrder CheckOrder(v1::CommentOrder order, absl::string_view field,
                            Violations& violations);

struct PageSizes {
  int default_size;
  int max_size;
};

inline constexpr PageSizes kCommentPageSizes = {.default_size = 25, .max_size = 200};

/// The number of items of a page; more than the maximum is the maximum.
int CheckPageSize(int page_size, PageSizes sizes, absl::string_view field, Violations& violations);

/// The key after which the page begins; empty for the first page. `token` must be one for the list
/// that `request` asks for (QueryIdentity).
std::string CheckPageToken(const google::protobuf::Message& request, absl::string_view token,
                           Violations& violations);

int64_t CheckMinRevision(int64_t min_revision, Violations& violations);

/// A value that articles are filtered by, on one line.
std::string CheckFilter(absl::string_view value, absl::string_view field, Violations& violations);

/// The key that makes `request` idempotent; an empty one if `request_id` is empty.
RequestKey CheckRequestId(const google::protobuf::Message& request, absl::string_view request_id,
                          Violations& violations);

/// The fields to change, each one of `changeable`. If the mask is empty those that `is_set` returns
/// true for, if it is `*` all.
std::vector<std::string> CheckUpdateMask(const google::protobuf::FieldMask& mask,
                                         const std::vector<std::string>& changeable,
                                         absl::FunctionRef<bool(const std::string&)> is_set,
                                         Violations& violations);

/// A valid timestamp (CheckTime) as a time, in microseconds.
absl::Time ToTime(const google::protobuf::Timestamp& timestamp);

}  // namespace content::api
