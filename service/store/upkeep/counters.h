#pragma once

#include "absl/status/statusor.h"
#include "content/store.h"
#include "postgres/connection.h"
#include "store/change_notifier.h"

namespace content::store {

/// See Store::VerifyCounters. What is kept besides the counters and follows from the same rows
/// (which comments readers see) is repaired with them. Throws pqxx exceptions.
absl::StatusOr<VerifiedCounters> VerifyCounters(postgres::Connection& connection,
                                                const VerifyQuery& query, const Announce& announce);

}  // namespace content::store
