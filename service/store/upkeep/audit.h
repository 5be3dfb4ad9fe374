#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "postgres/connection.h"

namespace content::store {

/// See Upkeep::ForgetAuditEvents. Throws like postgres::Connection.
absl::StatusOr<int64_t> ForgetAuditEvents(postgres::Connection& connection,
                                          absl::Duration retention);

}  // namespace content::store
