#include "store/changes.h"

#include "content/errors.h"

namespace content::store {

absl::StatusOr<CommentChanges> ReadCommentChanges(Connection&, const std::string&, int64_t) {
  return Internal();  // HELPER
}

absl::StatusOr<std::vector<std::optional<int64_t>>> GetRevisions(Connection&,
                                                                 const std::vector<std::string>&) {
  return Internal();  // HELPER
}

absl::StatusOr<ArticleChanges> ReadArticleChanges(Connection&, const ArticleCursor&) {
  return Internal();  // HELPER
}

absl::StatusOr<ArticleCursor> GetArticleCursor(Connection&) {
  return Internal();  // HELPER
}

}  // namespace content::store
