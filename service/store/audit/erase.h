#pragma once

#include <string>

#include "postgres/transaction.h"

namespace content::store {

/// Returns the identity of a caller whose token names the author (Caller::identity).
std::string IdentityOfAuthor(const std::string& author_id);

/// Empties the fields of some events that name the author: the one whom the act was about, the
/// person for whom it was done, and the caller. Returns whether there were any; then there may be
/// more. Throws like postgres::Connection.
bool EraseFromAuditTrail(postgres::Transaction& transaction, const std::string& author_id);

}  // namespace content::store
