#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "content/store.h"
#include "postgres/connection.h"
#include "postgres/read_policy.h"

// Reads of comments: content/store.h says what they do. They throw pqxx exceptions.
namespace content::store {

/// Name of an article and id of a comment.
using CommentKey = std::pair<std::string, std::string>;

/// What readers see.
struct FoundComment {
  /// The article's, if there is one of that name.
  std::optional<int64_t> article_revision = {};
  std::optional<v1::Comment> comment = {};
};

/// For each of these what there is.
postgres::Answers<FoundComment> FindComments(postgres::Connection& connection,
                                             const std::vector<CommentKey>& keys);

/// The comment, or why there is none.
absl::StatusOr<v1::Comment> CommentOf(FoundComment found, const CommentRef& comment,
                                      int64_t min_revision);

absl::StatusOr<CommentPage> ListComments(postgres::Connection& connection,
                                         const CommentQuery& query);

}  // namespace content::store
