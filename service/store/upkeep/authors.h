#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "content/page.h"
#include "content/upkeep.h"
#include "content/v1/comment.pb.h"
#include "postgres/connection.h"
#include "store/change_notifier.h"
#include "store/comments/comment_tree.h"

// All comments of one author: content/upkeep.h says what these do. They throw like
// postgres::Connection.
namespace content::store {

absl::StatusOr<Page<v1::Comment>> ExportAuthor(postgres::Connection& connection,
                                               const std::string& author_id,
                                               const std::string& after_key);

/// What an attempt to erase was about to commit. Its outcome may be unknown.
struct ErasureAttempt {
  /// What to answer if it was committed.
  ErasedComments erased;
  /// One of the comments, as the attempt left it. The attempt was committed if the comment is so.
  StoredKey key;
  v1::Comment tombstone;
};

/// Erases comments of one article, in one transaction. `attempt` lives as long as the call and is
/// empty at first. Each attempt looks whether the one before it was committed after all, in which
/// case it answers and announces what that one has done.
absl::StatusOr<ErasedComments> EraseAuthor(postgres::Connection& connection,
                                           const std::string& author_id,
                                           std::optional<ErasureAttempt>& attempt,
                                           const Announce& announce);

}  // namespace content::store
