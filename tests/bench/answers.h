#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// The requests, and the checks of the answers. Answers are read field by field in the wire format:
// parsing them would cost the driver more than sending them costs the server.
namespace content::bench {

/// An article as it is in the database.
struct Article {
  std::string name = {};  ///< Without `articles/`.
  size_t body_bytes = 0;
  std::string beginning = {};  ///< The beginning of the body.
};

/// Reads a file of lines NAME TAB BODY-BYTES TAB BEGINNING, the most popular article first.
absl::StatusOr<std::vector<Article>> ReadArticles(const std::string& file);

/// A GetArticleRequest for the FULL view.
std::string GetArticleRequest(const Article& article);

/// A CreateCommentRequest by the reader with this number. `text` must be unique.
std::string CreateCommentRequest(const Article& article, uint64_t reader, absl::string_view text);

/// A PublishArticleRequest for a small article with this name (without `articles/`).
std::string PublishArticleRequest(absl::string_view name);

/// DATA_LOSS unless `answer` is a GetArticleResponse with this article and its whole body.
absl::Status CheckArticle(const Article& article, absl::string_view answer);

/// Returns the comment's name. DATA_LOSS unless `answer` is a CreateCommentResponse with a comment
/// on this article and an article_revision.
absl::StatusOr<std::string> CheckComment(const Article& article, absl::string_view answer);

/// DATA_LOSS unless `answer` is a PublishArticleResponse with this article at its first revision.
absl::Status CheckPublished(absl::string_view name, absl::string_view answer);

}  // namespace content::bench
