#include "postgres/statement_monitor.h"

#include <stdexcept>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "support/fake_clock.h"

namespace content::postgres {
namespace {

constexpr absl::Duration kLimit = absl::Seconds(10);

class StatementMonitorTest : public ::testing::Test {
 protected:
  testing::FakeClock clock_;
  StatementMonitor monitor_{clock_};
};

TEST_F(StatementMonitorTest, AStatementIsOverdueAfterItsLimitAndTheGrace) {
  const StatementMonitor::Scope scope(monitor_, kLimit);
  clock_.Advance(kLimit + StatementMonitor::kGrace);
  EXPECT_FALSE(monitor_.ClaimOverdue());
  clock_.Advance(absl::Milliseconds(1));
  EXPECT_TRUE(monitor_.ClaimOverdue());
}

TEST_F(StatementMonitorTest, AnOverdueStatementIsClaimedOnce) {
  const StatementMonitor::Scope scope(monitor_, kLimit);
  clock_.Advance(absl::Hours(1));
  EXPECT_TRUE(monitor_.ClaimOverdue());
  EXPECT_FALSE(monitor_.ClaimOverdue());
}

TEST_F(StatementMonitorTest, EveryStatementHasItsOwnLimit) {
  for (int i = 0; i < 100; ++i) {
    const StatementMonitor::Scope scope(monitor_, kLimit);
    clock_.Advance(kLimit);
    EXPECT_FALSE(monitor_.ClaimOverdue());
  }
}

TEST_F(StatementMonitorTest, NothingIsOverdueBetweenStatements) {
  { const StatementMonitor::Scope scope(monitor_, kLimit); }
  clock_.Advance(absl::Hours(1));
  EXPECT_FALSE(monitor_.ClaimOverdue());
}

TEST_F(StatementMonitorTest, AStatementWithoutALimitIsNeverOverdue) {
  const StatementMonitor::Scope scope(monitor_, absl::InfiniteDuration());
  clock_.Advance(absl::Hours(24 * 365));
  EXPECT_FALSE(monitor_.ClaimOverdue());
}

TEST_F(StatementMonitorTest, KnowsHowLongAFailedStatementRan) {
  try {
    const StatementMonitor::Scope scope(monitor_, kLimit);
    clock_.Advance(absl::Seconds(3));
    throw std::runtime_error("made up");
  } catch (const std::exception&) {
  }
  EXPECT_EQ(monitor_.failed_after(), absl::Seconds(3));
}

// Such as the ROLLBACK that the failure of another statement causes.
TEST_F(StatementMonitorTest, AStatementThatRunsBecauseOfAFailureIsNotTheOneThatFailed) {
  struct RunsAtEnd {
    ~RunsAtEnd() {
      const StatementMonitor::Scope scope(monitor, kLimit);
      clock.Advance(absl::Seconds(1));
    }
    StatementMonitor& monitor;
    testing::FakeClock& clock;
  };
  try {
    const RunsAtEnd runs_at_end{monitor_, clock_};
    const StatementMonitor::Scope scope(monitor_, kLimit);
    clock_.Advance(absl::Seconds(3));
    throw std::runtime_error("made up");
  } catch (const std::exception&) {
  }
  EXPECT_EQ(monitor_.failed_after(), absl::Seconds(3));
}

}  // namespace
}  // namespace content::postgres
