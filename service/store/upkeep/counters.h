#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "content/upkeep.h"
#include "postgres/connection.h"
#include "store/change_notifier.h"

namespace content::store {

/// A repair that an attempt was about to commit. Its outcome may be unknown.
struct RepairAttempt {
  std::string article_key;
  /// What to answer if it was committed.
  VerifiedCounters verified;
};

/// See Upkeep::VerifyCounters. A repair also corrects which comments readers see, which follows
/// from the same rows. Throws like postgres::Connection.
///
/// At most one article is repaired in a call, in the transaction that verifies. `attempt` lives as
/// long as the call and is empty at first. Each attempt looks whether the article that the one
/// before it repaired is right now, in which case it answers as that one would have.
absl::StatusOr<VerifiedCounters> VerifyCounters(postgres::Connection& connection,
                                                const VerifyQuery& query,
                                                std::optional<RepairAttempt>& attempt,
                                                const Announce& announce);

}  // namespace content::store
