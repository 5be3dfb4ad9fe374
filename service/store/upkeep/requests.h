#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "postgres/connection.h"

namespace content::store {

/// See Upkeep::ForgetRequests.
absl::StatusOr<int64_t> ForgetRequests(postgres::Connection& connection, absl::Time before);

}  // namespace content::store
