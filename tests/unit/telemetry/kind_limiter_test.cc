#include "telemetry/kind_limiter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace content::log {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;

class Limiter : public ::testing::Test {
 protected:
  // Returns how many of `count` events at one time are admitted.
  int Admitted(int count, Event event = "e", Level level = Level::kInfo) {
    int admitted = 0;
    for (int i = 0; i < count; ++i) admitted += limiter_.Admit(level, event, now_) ? 1 : 0;
    return admitted;
  }

  KindLimiter limiter_;
  KindLimiter::Time now_{seconds(1000)};
};

TEST_F(Limiter, AdmitsABurstAndThenOneASecond) {
  EXPECT_EQ(Admitted(100), 10);
  for (int second = 0; second < 5; ++second) {
    now_ += seconds(1);
    EXPECT_EQ(Admitted(100), 1);
  }
  now_ += milliseconds(999);
  EXPECT_EQ(Admitted(100), 0);
}

TEST_F(Limiter, AdmitsNoMoreThanABurstAfterALongTime) {
  EXPECT_EQ(Admitted(3), 3);
  now_ += seconds(1000);
  EXPECT_EQ(Admitted(100), 10);
}

TEST_F(Limiter, TellsTheNextEventOfAKindHowManyWereSuppressed) {
  EXPECT_EQ(Admitted(10), 10);
  EXPECT_FALSE(limiter_.HasSuppressed());
  EXPECT_EQ(Admitted(7), 0);
  EXPECT_TRUE(limiter_.HasSuppressed());
  now_ += seconds(2);
  EXPECT_THAT(limiter_.Admit(Level::kInfo, "e", now_), Optional(7));
  EXPECT_FALSE(limiter_.HasSuppressed());
  EXPECT_THAT(limiter_.Admit(Level::kInfo, "e", now_), Optional(0));
}

TEST_F(Limiter, LimitsLevelsNamesAndKindsOnTheirOwn) {
  EXPECT_EQ(Admitted(11), 10);
  EXPECT_EQ(Admitted(11, "e", Level::kError), 10);
  EXPECT_EQ(Admitted(11, "f"), 10);
  EXPECT_EQ(Admitted(11, {"e", "one"}), 10);
  EXPECT_EQ(Admitted(11, {"e", "two"}), 10);
}

TEST_F(Limiter, TellsOfABurstThatNoEventFollows) {
  EXPECT_EQ(Admitted(15, {"e", "one"}, Level::kWarning), 10);
  now_ += milliseconds(1999);  // The next one would tell it.
  EXPECT_THAT(limiter_.TakeUntold(now_), IsEmpty());
  now_ += milliseconds(1);
  const auto untold = limiter_.TakeUntold(now_);
  ASSERT_THAT(untold, SizeIs(1));
  EXPECT_EQ(untold[0].level, Level::kWarning);
  EXPECT_EQ(untold[0].name, "e");
  EXPECT_EQ(untold[0].kind, "one");
  EXPECT_EQ(untold[0].count, 5U);
  EXPECT_FALSE(limiter_.HasSuppressed());
  EXPECT_THAT(limiter_.TakeUntold(KindLimiter::Time::max()), IsEmpty());
}

TEST_F(Limiter, TellsEverythingAtTheEnd) {
  EXPECT_EQ(Admitted(15), 10);
  EXPECT_THAT(limiter_.TakeUntold(KindLimiter::Time::max()), SizeIs(1));
}

}  // namespace
}  // namespace content::log
