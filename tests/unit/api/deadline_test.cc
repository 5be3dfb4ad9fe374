#include "api/deadline.h"

#include <gtest/gtest.h>

namespace content::api {
namespace {

TEST(Deadline, IsTheSameOnBothClocks) {
  for (const absl::Duration duration :
       {absl::ZeroDuration(), absl::Milliseconds(1500), absl::Hours(48), -absl::Seconds(3)}) {
    const SteadyTime before = SteadyNow();
    const SteadyTime deadline = ToSteadyTime(DeadlineAfter(duration));
    const SteadyTime after = SteadyNow();
    // Both clocks were read in between, perhaps with a pause from one to the other.
    const absl::Duration tolerance = after - before + absl::Milliseconds(1);
    EXPECT_GE(deadline, before + duration - tolerance);
    EXPECT_LE(deadline, before + duration + tolerance);
  }
}

TEST(Deadline, MayBeMissing) {
  for (const gpr_clock_type clock : {GPR_CLOCK_MONOTONIC, GPR_CLOCK_REALTIME}) {
    EXPECT_EQ(ToSteadyTime(gpr_inf_future(clock)), SteadyTime::InfiniteFuture());
  }
}

}  // namespace
}  // namespace content::api
