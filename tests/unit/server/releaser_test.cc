#include "server/releaser.h"

#include <gtest/gtest.h>

#include <optional>

#include "absl/time/time.h"
#include "base/errors.h"
#include "support/fake_clock.h"
#include "support/fakes/fake_upkeep.h"

namespace content::server {
namespace {

class ReleaserTest : public ::testing::Test {
 protected:
  void Start() {
    releaser_.emplace(upkeep_, clock_);
    clock_.AwaitWaiters(1);
  }

  // Returns when the releaser has done its work and waits again.
  void Advance(absl::Duration duration) {
    clock_.Advance(duration);
    clock_.AwaitWaiters(1);
  }

  testing::FakeClock clock_;
  testing::FakeUpkeep upkeep_;
  std::optional<Releaser> releaser_;
};

TEST_F(ReleaserTest, ReleasesArticlesUntilNoneIsDue) {
  upkeep_.SetSchedule({absl::ZeroDuration(), absl::ZeroDuration(), absl::Hours(1)});
  Start();
  EXPECT_EQ(upkeep_.release_count(), 3);
}

TEST_F(ReleaserTest, LooksAgainAfterTheInterval) {
  Start();
  Advance(Releaser::kMaxInterval - absl::Nanoseconds(1));
  EXPECT_EQ(upkeep_.release_count(), 1);
  Advance(absl::Nanoseconds(1));
  EXPECT_EQ(upkeep_.release_count(), 2);
}

TEST_F(ReleaserTest, LooksAgainAsSoonAsTheNextArticleIsDue) {
  upkeep_.SetSchedule({absl::Milliseconds(7), absl::ZeroDuration()});
  Start();
  EXPECT_EQ(upkeep_.release_count(), 1);
  Advance(absl::Milliseconds(7));
  EXPECT_EQ(upkeep_.release_count(), 3);
}

TEST_F(ReleaserTest, TriesAgainAfterAFailure) {
  upkeep_.SetStatus(StoreUnavailable());
  Start();
  upkeep_.SetStatus(absl::OkStatus());
  Advance(absl::Seconds(1));
  EXPECT_EQ(upkeep_.release_count(), 2);
}

// Each failure is logged.
TEST_F(ReleaserTest, RarelyRepeatsWhatFailsForAReasonThatStays) {
  upkeep_.SetStatus(absl::InternalError("damaged"));
  Start();
  Advance(absl::Seconds(10) - absl::Nanoseconds(1));
  EXPECT_EQ(upkeep_.release_count(), 1);
  Advance(absl::Nanoseconds(1));
  EXPECT_EQ(upkeep_.release_count(), 2);
}

TEST_F(ReleaserTest, GivesUpOnAStoreThatHangsAndTriesAgain) {
  upkeep_.Hold();
  Start();
  Advance(absl::Seconds(10));
  Advance(absl::Seconds(1));
  EXPECT_EQ(upkeep_.release_count(), 2);
}

TEST_F(ReleaserTest, StopsAtOnceWhateverItWaitsFor) {
  Start();
  releaser_.reset();
  upkeep_.Hold();
  Start();
  releaser_.reset();
}

}  // namespace
}  // namespace content::server
