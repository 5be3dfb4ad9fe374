#pragma once

#include <grpc/support/time.h>

#include "absl/time/time.h"
#include "base/clock.h"

// Converts gRPC's deadlines to and from the steady clock. gRPC also offers them as dates. These
// would be wrong just after the system clock was set, because absl::Now() follows such a step only
// after up to two seconds.
namespace content::api {

/// Converts the raw_deadline() of a call's context. `now`: the time, not read again.
inline SteadyTime ToSteadyTime(gpr_timespec deadline, SteadyTime now = SteadyNow()) {
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) {
    return SteadyTime::InfiniteFuture();
  }
  const gpr_timespec left = gpr_convert_clock_type(deadline, GPR_TIMESPAN);
  return now + absl::Seconds(left.tv_sec) + absl::Nanoseconds(left.tv_nsec);
}

/// Returns a deadline for gRPC, `duration` from now.
inline gpr_timespec DeadlineAfter(absl::Duration duration) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_nanos(absl::ToInt64Nanoseconds(duration), GPR_TIMESPAN));
}

}  // namespace content::api
