#pragma once

#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/call.h"
#include "content/page.h"
#include "content/v1/admin_service.pb.h"
#include "postgres/connection.h"
#include "postgres/transaction.h"

// Blocked authors; see content/author_blocks.h. Functions throw like postgres::Connection.
namespace content::store {

/// Returns those of `author_ids` who are blocked at this moment.
std::set<std::string> FindBlocked(postgres::Transaction& transaction,
                                  const std::set<std::string>& author_ids);

/// `caller` may be nullptr (CallContext::caller).
absl::StatusOr<v1::BlockedAuthor> BlockAuthor(postgres::Connection& connection,
                                              const Caller* caller, const std::string& author_id,
                                              const std::string& reason);

/// `in_doubt`: an earlier attempt may have been committed.
absl::Status UnblockAuthor(postgres::Connection& connection, const Caller* caller,
                           const std::string& author_id, bool allow_missing, bool in_doubt);

absl::StatusOr<Page<v1::BlockedAuthor>> ListBlockedAuthors(postgres::Connection& connection,
                                                           int page_size,
                                                           const std::string& after_key);

}  // namespace content::store
