#include "content/names.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "content/uuid.h"

namespace content {
namespace {

constexpr absl::string_view kArticles = "articles/";

bool IsLowerOrDigit(char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c); }

}  // namespace

bool IsArticleId(absl::string_view id) {
  return !id.empty() && id.size() <= kMaxArticleIdLength && IsLowerOrDigit(id.front()) &&
         IsLowerOrDigit(id.back()) &&
         std::all_of(id.begin(), id.end(), [](char c) { return IsLowerOrDigit(c) || c == '-'; });
}

std::optional<std::string> ParseArticleName(absl::string_view name) {
  if (!absl::ConsumePrefix(&name, kArticles) || !IsArticleId(name)) return std::nullopt;
  return std::string(name);
}

std::optional<CommentRef> ParseCommentName(absl::string_view name) {
  const std::vector<absl::string_view> parts = absl::StrSplit(name, '/');
  if (parts.size() != 4 || parts[0] != "articles" || !IsArticleId(parts[1]) ||
      parts[2] != "comments" || !IsUuid(parts[3])) {
    return std::nullopt;
  }
  return CommentRef{std::string(parts[1]), std::string(parts[3])};
}

std::string ArticleName(absl::string_view article_id) {
  return absl::StrCat(kArticles, article_id);
}

std::string CommentName(absl::string_view article_id, absl::string_view comment_id) {
  return absl::StrCat(kArticles, article_id, "/comments/", comment_id);
}

}  // namespace content
