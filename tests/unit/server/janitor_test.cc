#include "server/janitor.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "base/errors.h"
#include "support/fake_clock.h"
#include "support/fakes/fake_upkeep.h"

namespace content::server {
namespace {

constexpr absl::Duration kRetention = absl::Hours(24);
constexpr absl::Duration kInterval = absl::Minutes(1);

class JanitorTest : public ::testing::Test {
 protected:
  void Start(Janitor::Retentions retentions = {.requests = kRetention}) {
    janitor_.emplace(upkeep_, retentions, clock_);
    clock_.AwaitWaiters(1);
  }

  // Returns when the janitor has done its work and waits again.
  void Advance(absl::Duration duration) {
    clock_.Advance(duration);
    clock_.AwaitWaiters(1);
  }

  testing::FakeClock clock_;
  testing::FakeUpkeep upkeep_;
  std::optional<Janitor> janitor_;
};

TEST_F(JanitorTest, ForgetsBatchAfterBatchUntilNoneIsLeft) {
  upkeep_.SetOldRequests({1000, 1000, 7});
  Start();
  EXPECT_EQ(upkeep_.retentions().size(), 4);
}

TEST_F(JanitorTest, PassesTheRetentionOn) {
  Start();
  EXPECT_EQ(upkeep_.retentions(), std::vector<absl::Duration>{kRetention});
}

TEST_F(JanitorTest, ForgetsAuditEventsBatchAfterBatch) {
  upkeep_.SetOldEvents({1000, 1000, 7});
  Start({.requests = kRetention, .audit_events = absl::Hours(9600)});
  EXPECT_EQ(upkeep_.audit_retentions(), std::vector<absl::Duration>(4, absl::Hours(9600)));
  Advance(kInterval);
  EXPECT_EQ(upkeep_.audit_retentions().size(), 5);
}

TEST_F(JanitorTest, WorksOnceAMinute) {
  Start();
  for (size_t rounds = 1; rounds <= 10; ++rounds) {
    Advance(kInterval - absl::Nanoseconds(1));
    EXPECT_EQ(upkeep_.retentions().size(), rounds);
    Advance(absl::Nanoseconds(1));
    EXPECT_EQ(upkeep_.retentions().size(), rounds + 1);
  }
}

TEST_F(JanitorTest, WorksMoreOftenIfTheRetentionIsShort) {
  Start({.requests = absl::Seconds(1)});
  Advance(absl::Seconds(1));
  EXPECT_EQ(upkeep_.retentions().size(), 2);
}

TEST_F(JanitorTest, TriesAgainAfterAFailure) {
  upkeep_.SetStatus(StoreUnavailable());
  upkeep_.SetOldRequests({7});
  Start();
  EXPECT_EQ(upkeep_.retentions().size(), 1);
  upkeep_.SetStatus(absl::OkStatus());
  Advance(kInterval);
  EXPECT_EQ(upkeep_.retentions().size(), 3);
}

TEST_F(JanitorTest, GivesUpOnAStoreThatHangsAndTriesAgain) {
  upkeep_.Hold();
  Start();
  Advance(absl::Seconds(10));
  Advance(absl::Seconds(10));
  EXPECT_EQ(upkeep_.retentions().size(), 1);
  Advance(kInterval);
  EXPECT_EQ(upkeep_.audit_retentions().size(), 2);
}

// Other servers learn from the call for how long this one keeps the audit trail.
TEST_F(JanitorTest, ForgetsAuditEventsFirst) {
  upkeep_.Hold();
  Start();
  EXPECT_EQ(upkeep_.audit_retentions().size(), 1);
  EXPECT_EQ(upkeep_.retentions().size(), 0);
}

TEST_F(JanitorTest, StopsAtOnceWhateverItWaitsFor) {
  Start();
  janitor_.reset();
  upkeep_.Hold();
  Start();
  janitor_.reset();
}

}  // namespace
}  // namespace content::server
