#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "base/call.h"
#include "content/upkeep.h"
#include "postgres/connection.h"
#include "store/change_notifier.h"
#include "store/names.h"

namespace content::store {

/// A repair that an attempt was about to commit. Its outcome may be unknown.
struct RepairAttempt {
  ArticleKey article_key;
  /// The answer if it was committed.
  VerifiedCounters verified;
};

/// See Upkeep::VerifyCounters. A repair also corrects which comments readers see, which is derived
/// from the same rows. Throws like postgres::Connection.
///
/// A call repairs at most one article, in the transaction that verifies it. `attempt` belongs to
/// the call and is empty at first. Each attempt checks whether the article that the previous one
/// repaired is now correct; if so, it answers as that one would have. `caller` may be nullptr
/// (CallContext::caller).
absl::StatusOr<VerifiedCounters> VerifyCounters(postgres::Connection& connection,
                                                ArticleNames& names, const Caller* caller,
                                                const VerifyQuery& query,
                                                std::optional<RepairAttempt>& attempt,
                                                const Announce& announce);

}  // namespace content::store
