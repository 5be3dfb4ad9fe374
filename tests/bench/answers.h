#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// What is asked for and what a right answer is. Answers are read off the wire field by field: to
// parse them would cost the driver more than the server takes to send them.
namespace content::bench {

/// What is known of an article from the database itself.
struct Article {
  std::string name = {};  ///< Without `articles/`.
  size_t body_bytes = 0;
  std::string beginning = {};  ///< Of the body.
};

/// Reads a file of lines NAME TAB BODY-BYTES TAB BEGINNING, the most popular article first.
absl::StatusOr<std::vector<Article>> ReadArticles(const std::string& file);

/// A GetArticleRequest for the FULL view.
std::string GetArticleRequest(const Article& article);

/// A CreateCommentRequest of the reader of this number. `text` tells this comment from every other.
std::string CreateCommentRequest(const Article& article, uint64_t reader, absl::string_view text);

/// Whether a GetArticleResponse holds this very article with its whole body.
absl::Status CheckArticle(const Article& article, absl::string_view answer);

/// The name of the comment in a CreateCommentResponse, if it is a comment of this article that says
/// at which revision it was added.
absl::StatusOr<std::string> CheckComment(const Article& article, absl::string_view answer);

}  // namespace content::bench
