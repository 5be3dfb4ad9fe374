#include "access/rate_limits.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "base/clock.h"

namespace content::access {
namespace {

const SteadyTime kStart = SteadyTime() + absl::Hours(1);

// How many of `count` events at this moment are admitted.
int AdmittedOf(RateLimits& limits, int count, int limit, SteadyTime now, uint64_t key = 1) {
  int admitted = 0;
  for (; count > 0; --count) {
    if (limits.Admit(key, limit, now) == absl::ZeroDuration()) ++admitted;
  }
  return admitted;
}

TEST(RateLimits, AdmitAWindowsWorthAtOnce) {
  RateLimits limits(absl::Seconds(1));
  EXPECT_EQ(AdmittedOf(limits, 50, 10, kStart), 10);
  EXPECT_EQ(AdmittedOf(limits, 50, 10, kStart + absl::Milliseconds(99)), 0);
  EXPECT_EQ(AdmittedOf(limits, 50, 10, kStart + absl::Milliseconds(100)), 1);
  EXPECT_EQ(AdmittedOf(limits, 50, 10, kStart + absl::Milliseconds(450)), 3);
  EXPECT_EQ(AdmittedOf(limits, 50, 10, kStart + absl::Hours(1)), 10);
}

TEST(RateLimits, SayWhenTheNextIsDue) {
  RateLimits limits(absl::Minutes(1));
  EXPECT_EQ(AdmittedOf(limits, 2, 2, kStart), 2);
  EXPECT_EQ(limits.Admit(1, 2, kStart), absl::Seconds(30));
  EXPECT_EQ(limits.Admit(1, 2, kStart + absl::Seconds(10)), absl::Seconds(20));
  EXPECT_EQ(limits.Admit(1, 2, kStart + absl::Seconds(30)), absl::ZeroDuration());
}

TEST(RateLimits, AdmitOneAtATimeIfThatIsTheLimit) {
  RateLimits limits(absl::Seconds(1));
  EXPECT_EQ(AdmittedOf(limits, 3, 1, kStart), 1);
  EXPECT_EQ(AdmittedOf(limits, 3, 1, kStart + absl::Seconds(1)), 1);
}

TEST(RateLimits, HoldForOddNumbers) {
  for (const int limit : {3, 7, 999, 100'000}) {
    RateLimits limits(absl::Seconds(1));
    EXPECT_EQ(AdmittedOf(limits, limit + 10, limit, kStart), limit);
    EXPECT_EQ(AdmittedOf(limits, limit + 10, limit, kStart + absl::Seconds(1)), limit);
  }
}

TEST(RateLimits, CountKeysApart) {
  RateLimits limits(absl::Seconds(1));
  EXPECT_EQ(AdmittedOf(limits, 5, 2, kStart, 1), 2);
  EXPECT_EQ(AdmittedOf(limits, 5, 2, kStart, 2), 2);
}

TEST(RateLimits, TakeANewLimitAtOnce) {
  RateLimits limits(absl::Seconds(1));
  EXPECT_EQ(AdmittedOf(limits, 50, 2, kStart), 2);
  EXPECT_EQ(AdmittedOf(limits, 50, 20, kStart + absl::Milliseconds(500)), 10);
  EXPECT_EQ(AdmittedOf(limits, 50, 1, kStart + absl::Milliseconds(501)), 0);
}

TEST(RateLimits, RememberThoseUsedLast) {
  RateLimits limits(absl::Seconds(1));
  EXPECT_EQ(AdmittedOf(limits, 5, 2, kStart, 1), 2);
  for (uint64_t key = 2; key < 60'000; ++key) limits.Admit(key, 2, kStart);
  EXPECT_EQ(AdmittedOf(limits, 5, 2, kStart, 1), 0);
}

TEST(RateLimits, AreSharedByThreads) {
  RateLimits limits(absl::Seconds(1));
  std::atomic<int> admitted = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] { admitted += AdmittedOf(limits, 500, 100, kStart); });
    }
  }
  EXPECT_EQ(admitted, 100);
}

TEST(Recent, RemembersWhatWasUsedLastAndNotTwiceAsMuch) {
  Recent<int, int> recent(10);
  for (int i = 0; i < 100; ++i) recent.Insert(i, i);
  for (int i = 90; i < 100; ++i) {
    ASSERT_NE(recent.Find(i), nullptr) << i;
    EXPECT_EQ(*recent.Find(i), i);
  }
  int remembered = 0;
  for (int i = 0; i < 100; ++i) remembered += recent.Find(i) != nullptr ? 1 : 0;
  EXPECT_LE(remembered, 20);
}

TEST(Recent, KeepsWhatIsUsedWhateverElseComes) {
  Recent<int, int> recent(10);
  recent.Insert(-1, 7);
  for (int i = 0; i < 1'000; ++i) {
    recent.Insert(i, i);
    ASSERT_NE(recent.Find(-1), nullptr) << i;
    EXPECT_EQ(*recent.Find(-1), 7);
  }
}

}  // namespace
}  // namespace content::access
