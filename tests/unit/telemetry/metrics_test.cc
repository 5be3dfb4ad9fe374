#include "telemetry/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace content::metrics {
namespace {

using ::testing::ElementsAre;

// More than there are shards.
constexpr int kThreads = 20;
constexpr int kTimes = 10'000;

void OnThreads(const std::function<void()>& act) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&act] {
      for (int time = 0; time < kTimes; ++time) act();
    });
  }
}

TEST(Counter, CountsWhatAllThreadsAdd) {
  Counter counter;
  OnThreads([&counter] { counter.Add(3); });
  EXPECT_EQ(counter.Read(), uint64_t{3} * kThreads * kTimes);
}

TEST(Counter, NeverGoesBack) {
  Counter counter;
  std::atomic<bool> done = false;
  std::jthread reader([&] {
    for (uint64_t last = 0; !done;) {
      const uint64_t now = counter.Read();
      EXPECT_GE(now, last);
      last = now;
    }
  });
  OnThreads([&counter] { counter.Add(); });
  done = true;
}

TEST(Counters, CountEachKindApart) {
  enum class Kind { kFirst, kSecond, kThird };
  Counters<Kind, 3> counters;
  counters.Add(Kind::kFirst);
  counters.Add(Kind::kThird, 5);
  EXPECT_EQ(counters.Read(Kind::kFirst), 1);
  EXPECT_EQ(counters.Read(Kind::kSecond), 0);
  EXPECT_EQ(counters.Read(Kind::kThird), 5);
}

TEST(Histogram, CountsAValueInTheFirstBucketThatHasRoomForIt) {
  Histogram histogram{1, 2.5, 10};
  for (const double value : {0.0, 1.0, 1.1, 2.5, 9.0, 10.5, 1e9}) histogram.Observe(value);
  const Histogram::Reading reading = histogram.Read();
  EXPECT_THAT(reading.bounds, ElementsAre(1, 2.5, 10));
  EXPECT_THAT(reading.counts, ElementsAre(2, 2, 1, 2));
  EXPECT_EQ(reading.count(), 7);
  EXPECT_DOUBLE_EQ(reading.sum, 1e9 + 24.1);
}

TEST(Histogram, ObservesTimesInSeconds) {
  Histogram histogram{kSeconds};
  histogram.Observe(absl::Milliseconds(20));
  EXPECT_DOUBLE_EQ(histogram.Read().sum, 0.02);
}

TEST(Histogram, CountsWhatAllThreadsObserve) {
  Histogram histogram{1};
  OnThreads([&histogram] {
    histogram.Observe(0.5);
    histogram.Observe(2);
  });
  EXPECT_THAT(histogram.Read().counts, ElementsAre(kThreads * kTimes, kThreads * kTimes));
  EXPECT_DOUBLE_EQ(histogram.Read().sum, 2.5 * kThreads * kTimes);
}

}  // namespace
}  // namespace content::metrics
