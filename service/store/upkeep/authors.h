#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "base/call.h"
#include "content/page.h"
#include "content/upkeep.h"
#include "content/v1/comment.pb.h"
#include "postgres/connection.h"
#include "store/change_notifier.h"
#include "store/comments/comment_tree.h"

// All comments by one author; see content/upkeep.h. Functions throw like postgres::Connection.
namespace content::store {

absl::StatusOr<Page<v1::Comment>> ExportAuthor(postgres::Connection& connection,
                                               const std::string& author_id,
                                               const std::string& after_key);

/// An erasure that an attempt was about to commit. Its outcome may be unknown.
struct ErasureAttempt {
  /// The answer if it was committed.
  ErasedComments erased;
  /// One of the comments, as the attempt left it. The attempt was committed if the stored comment
  /// equals this one.
  StoredKey key;
  v1::Comment tombstone;
};

/// Erases comments on one article in one transaction or, if there are none, reports or, if there
/// are none, what the audit trail says. Gives `erasure` an event in the audit trail if it has none
/// and something is erased. `caller` may be nullptr (CallContext::caller).
///
/// `attempt` and `erasure` belong to the call; the former is empty at first. Each attempt checks
/// whether the previous one was committed after all; if so, it answers and announces what that one
/// did.
absl::StatusOr<ErasedComments> EraseAuthor(postgres::Connection& connection, const Caller* caller,
                                           Erasure& erasure, std::optional<ErasureAttempt>& attempt,
                                           const Announce& announce);

}  // namespace content::store
