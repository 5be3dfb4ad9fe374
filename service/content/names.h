#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

// Resource names (https://google.aip.dev/122) and the ids in them.
namespace content {

/// Maximum length of an article id.
inline constexpr size_t kMaxArticleIdLength = 63;

/// Returns whether `id` is 1 to 63 lower-case ASCII letters, digits and hyphens, with no hyphen at
/// either end.
bool IsArticleId(absl::string_view id);

/// Returns the id in `articles/{id}`; nullopt if `name` does not have exactly this form, with a
/// valid id.
std::optional<std::string> ParseArticleName(absl::string_view name);

struct CommentRef {
  std::string article_id;
  std::string comment_id;
};

/// Returns the ids in `articles/{id}/comments/{uuid}`; nullopt if `name` does not have exactly this
/// form, with valid ids.
std::optional<CommentRef> ParseCommentName(absl::string_view name);

/// Return the resource name for valid ids.
std::string ArticleName(absl::string_view article_id);
std::string CommentName(absl::string_view article_id, absl::string_view comment_id);

}  // namespace content
