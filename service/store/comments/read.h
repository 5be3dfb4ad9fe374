#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "content/comment.h"
#include "content/comment_reads.h"
#include "content/names.h"
#include "content/v1/comment.pb.h"
#include "postgres/connection.h"
#include "postgres/read_policy.h"
#include "store/names.h"

// Reads of comments; see content/comment_reads.h. Functions throw like postgres::Connection.
namespace content::store {

/// A name of the article and the id of the comment.
using CommentKey = std::pair<std::string, std::string>;

/// The comment that readers see under a CommentKey.
struct FoundComment {
  /// nullopt if readers see no article of that name.
  std::optional<int64_t> article_revision = {};
  std::optional<v1::Comment> comment = {};
};

/// Looks up comments by their keys, which must be distinct.
postgres::Answers<FoundComment> FindComments(postgres::Connection& connection, ArticleNames& names,
                                             const std::vector<CommentKey>& keys);

/// Returns the comment in `found`, or the error that says why there is none.
absl::StatusOr<v1::Comment> CommentOf(FoundComment found, const CommentRef& comment,
                                      int64_t min_revision);

absl::StatusOr<CommentPage> ListComments(postgres::Connection& connection, ArticleNames& names,
                                         const CommentQuery& query);

}  // namespace content::store
