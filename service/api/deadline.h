#pragma once

#include <grpc/support/time.h>

#include "absl/time/time.h"
#include "base/clock.h"

// gRPC's deadlines on the steady clock. gRPC also gives and takes them as dates, but then a call
// whose deadline is read just after the system clock was set gets a wrong one: absl::Now() follows
// such a step only after up to two seconds.
namespace content::api {

/// The deadline of a call, as raw_deadline() of its context gives it.
inline SteadyTime ToSteadyTime(gpr_timespec deadline) {
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) {
    return SteadyTime::InfiniteFuture();
  }
  const gpr_timespec left = gpr_convert_clock_type(deadline, GPR_TIMESPAN);
  return SteadyNow() + absl::Seconds(left.tv_sec) + absl::Nanoseconds(left.tv_nsec);
}

/// A deadline for gRPC, `duration` from now.
inline gpr_timespec DeadlineAfter(absl::Duration duration) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_nanos(absl::ToInt64Nanoseconds(duration), GPR_TIMESPAN));
}

}  // namespace content::api
