#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "content/store.h"
#include "postgres/connection.h"
#include "store/change_notifier.h"
#include "store/comments/write.h"
#include "store/lock.h"

namespace content::store {

/// What became of a write; nothing if its article was skipped, and the write with it.
using CommentAnswer = std::optional<absl::StatusOr<v1::Comment>>;

/// Does these writes, one after the other, in one transaction, and answers each (WriteComment says
/// how). One that fails does not disturb the others. `wait`: what becomes of those whose article
/// another transaction has locked. `in_doubt`: see postgres::Pool::Work. Throws pqxx exceptions:
/// then none was done, or the outcome of all is not known.
std::vector<CommentAnswer> WriteComments(postgres::Connection& connection,
                                         const std::vector<const CommentChange*>& changes,
                                         LockWait wait, bool in_doubt, const Announce& announce);

}  // namespace content::store
