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

// Checks that several requests share. (content/rules.h has the checks of articles and comments.)
// Each adds the problems of a field to `violations` and returns the parsed value of the field,
// which is unspecified if there is a problem. `field` is the path of the field in the request.
namespace content::api {

/// Returns the id in an article's name, which is required.
std::string CheckArticleName(absl::string_view name, absl::string_view field,
                             Violations& violations);

/// Returns the ids in a comment's name, which is required.
CommentRef CheckCommentName(absl::string_view name, absl::string_view field,
                            Violations& violations);

/// Returns the ids in `name`, the name of the comment that is replied to; empty ids if `name` is
/// empty. Does not compare the article in `name` with the request's, because each may be a former
/// name: the store does.
CommentRef CheckReplyTo(absl::string_view name, absl::string_view field, Violations& violations);

v1::ArticleView CheckView(v1::ArticleView view, v1::ArticleView default_view,
                          Violations& violations);

v1::CommentOrder CheckOrder(v1::CommentOrder order, absl::string_view field,
                            Violations& violations);

struct PageSizes {
  int default_size;
  int max_size;
};

inline constexpr PageSizes kCommentPageSizes = {.default_size = 25, .max_size = 200};

/// Returns the number of items in a page: the default if `page_size` is 0, at most the maximum.
int CheckPageSize(int page_size, PageSizes sizes, absl::string_view field, Violations& violations);

/// Returns the key after which the page begins; empty for the first page. `token` must belong to
/// the list that `request` asks for (QueryIdentity).
std::string CheckPageToken(const google::protobuf::Message& request, absl::string_view token,
                           Violations& violations);

int64_t CheckMinRevision(int64_t min_revision, Violations& violations);

/// Returns the key that makes `request` idempotent; an empty key if `request_id` is empty.
RequestKey CheckRequestId(const google::protobuf::Message& request, absl::string_view request_id,
                          Violations& violations);

/// Returns the fields to change, each once and each one of `changeable`: all of them if the mask is
/// `*`, and those for which `is_set` returns true if the mask is empty. None if there are other
/// paths, which are one violation: the fields are not judged by a mask that is wrong.
std::vector<std::string> CheckUpdateMask(const google::protobuf::FieldMask& mask,
                                         const std::vector<std::string>& changeable,
                                         absl::FunctionRef<bool(const std::string&)> is_set,
                                         Violations& violations);

/// Converts a valid timestamp (CheckTime), truncated to microseconds.
absl::Time ToTime(const google::protobuf::Timestamp& timestamp);

}  // namespace content::api
