#include "server/health_follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <optional>
#include <vector>

#include "base/errors.h"
#include "support/fake_clock.h"
#include "support/fakes/fake_upkeep.h"

namespace content::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class HealthFollowerTest : public ::testing::Test {
 protected:
  void Start() {
    follower_.emplace(
        upkeep_,
        [this](bool is_healthy) {
          const std::lock_guard lock(mutex_);
          reports_.push_back(is_healthy);
        },
        clock_);
    clock_.AwaitWaiters(1);
  }

  // Returns when the follower has done its work and waits again.
  void Advance(absl::Duration duration) {
    clock_.Advance(duration);
    clock_.AwaitWaiters(1);
  }

  std::vector<bool> reports() {
    const std::lock_guard lock(mutex_);
    return reports_;
  }

  testing::FakeClock clock_;
  testing::FakeUpkeep upkeep_;
  std::mutex mutex_;
  std::vector<bool> reports_;  // Guarded by mutex_.
  std::optional<HealthFollower> follower_;
};

TEST_F(HealthFollowerTest, ReportsEachChangeWithinASecond) {
  Start();
  EXPECT_THAT(reports(), ElementsAre(true));
  Advance(absl::Seconds(1));
  EXPECT_EQ(upkeep_.check_count(), 2);
  EXPECT_THAT(reports(), ElementsAre(true));
  upkeep_.SetStatus(StoreUnavailable());
  Advance(absl::Seconds(1));
  EXPECT_THAT(reports(), ElementsAre(true, false));
  upkeep_.SetStatus(absl::OkStatus());
  Advance(absl::Seconds(1));
  EXPECT_THAT(reports(), ElementsAre(true, false, true));
}

TEST_F(HealthFollowerTest, ReportsNothingUntilTheDatabaseAnswers) {
  upkeep_.SetStatus(StoreUnavailable());
  Start();
  EXPECT_THAT(reports(), IsEmpty());
  upkeep_.SetStatus(absl::OkStatus());
  Advance(absl::Seconds(1));
  EXPECT_THAT(reports(), ElementsAre(true));
}

TEST_F(HealthFollowerTest, ADatabaseThatHangsIsNotHealthy) {
  Start();
  upkeep_.Hold();
  Advance(absl::Seconds(1));
  EXPECT_THAT(reports(), ElementsAre(true));
  Advance(absl::Seconds(3));
  EXPECT_THAT(reports(), ElementsAre(true, false));
}

TEST_F(HealthFollowerTest, StopsAtOnceWhateverItWaitsFor) {
  Start();
  follower_.reset();
  upkeep_.Hold();
  Start();
  follower_.reset();
}

}  // namespace
}  // namespace content::server
