#pragma once

#include <atomic>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "content/upkeep.h"
#include "postgres/connection.h"

namespace content::store {

/// Forgets requests, whose table has a partition for each day (UTC), and makes those of the next
/// days. All writes wait while a partition is made or dropped, so this gives up after 50 ms for
/// each lock that others hold (of the table, the partition and the default partition); it then
/// leaves the partitions alone for five minutes, and for a day if it may not change them. Requests
/// for whose day there is no partition are deleted.
///
/// Thread-safe.
class RequestDays {
 public:
  /// See Upkeep::ForgetRequests. Throws like postgres::Connection.
  absl::StatusOr<ForgottenRequests> Forget(postgres::Connection& connection,
                                           absl::Duration retention);

 private:
  std::atomic<SteadyTime> pause_end_ = SteadyTime::InfinitePast();
};

}  // namespace content::store
