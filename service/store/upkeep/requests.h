#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "content/upkeep.h"
#include "postgres/connection.h"

namespace content::store {

/// See Upkeep::ForgetRequests.
absl::StatusOr<ForgottenRequests> ForgetRequests(postgres::Connection& connection,
                                                 absl::Duration retention);

}  // namespace content::store
