#include "base/clock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "support/fake_clock.h"

namespace content {
namespace {

using testing::FakeClock;

constexpr auto kNever = [] { return false; };

TEST(SteadyTime, IsCountedInDurations) {
  const SteadyTime time = SteadyTime() + absl::Seconds(3);
  EXPECT_EQ(time - SteadyTime(), absl::Seconds(3));
  EXPECT_EQ(time - absl::Seconds(3), SteadyTime());
  EXPECT_LT(SteadyTime(), time);
  EXPECT_LT(time, SteadyTime::InfiniteFuture());
  EXPECT_GT(time, SteadyTime::InfinitePast());
  EXPECT_EQ(SteadyTime::InfiniteFuture() - absl::Hours(1), SteadyTime::InfiniteFuture());
}

// Waits on `clock` for a condition that the test can set.
class Wait {
 public:
  void Until(SteadyClock& clock, SteadyTime time, const std::stop_token& stop = {}) {
    std::unique_lock lock(mutex_);
    clock.WaitUntil(time, lock, changed_, stop, [this] { return is_ready_; });
  }

  void SetReady() {
    const std::lock_guard lock(mutex_);
    is_ready_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool is_ready_ = false;  // Guarded by mutex_.
};

// Properties of every clock. If a clock broke its contract, the wait would last for ever.
class AnyClockTest : public ::testing::TestWithParam<bool> {
 protected:
  SteadyClock& clock() {
    if (GetParam()) return fake_;
    return SteadyClock::System();
  }

 private:
  FakeClock fake_;
};

INSTANTIATE_TEST_SUITE_P(Clocks, AnyClockTest, ::testing::Bool(),
                         [](const auto& clock) { return clock.param ? "Fake" : "System"; });

TEST_P(AnyClockTest, DoesNotWaitForTheNowOrThePast) {
  Wait wait;
  wait.Until(clock(), clock().Now());
  wait.Until(clock(), SteadyTime::InfinitePast());
}

TEST_P(AnyClockTest, AWaitEndsWhenItsConditionHolds) {
  for (const SteadyTime time :
       {SteadyTime::InfiniteFuture(), clock().Now() + absl::Hours(24 * 365)}) {
    Wait wait;
    const std::jthread setter([&] { wait.SetReady(); });
    wait.Until(clock(), time);
  }
}

TEST_P(AnyClockTest, AWaitEndsWhenItIsStopped) {
  Wait wait;
  std::stop_source stop;
  const std::jthread stopper([&] { stop.request_stop(); });
  wait.Until(clock(), SteadyTime::InfiniteFuture(), stop.get_token());
  wait.Until(clock(), SteadyTime::InfiniteFuture(), stop.get_token());
}

TEST_P(AnyClockTest, ASleepEndsWhenItIsStopped) {
  std::stop_source stop;
  const std::jthread stopper([&] { stop.request_stop(); });
  clock().SleepFor(absl::InfiniteDuration(), stop.get_token());
}

TEST(SystemClock, Advances) {
  SteadyClock& clock = SteadyClock::System();
  const SteadyTime begin = clock.Now();
  clock.SleepFor(absl::Milliseconds(1), {});
  EXPECT_GE(clock.Now(), begin + absl::Milliseconds(1));
}

TEST(FakeClock, StandsStillUntilItIsAdvanced) {
  FakeClock clock;
  const SteadyTime begin = clock.Now();
  EXPECT_EQ(clock.Now(), begin);
  clock.Advance(absl::Hours(1));
  EXPECT_EQ(clock.Now(), begin + absl::Hours(1));
}

TEST(FakeClock, WakesAThreadWhenItsTimeHasCome) {
  FakeClock clock;
  std::atomic<bool> woken = false;
  std::jthread sleeper([&] {
    clock.SleepFor(absl::Seconds(10), {});
    woken = true;
  });
  clock.AwaitWaiters(1);
  clock.Advance(absl::Seconds(9));
  clock.AwaitWaiters(1);  // still
  EXPECT_FALSE(woken);
  clock.Advance(absl::Seconds(1));
  sleeper.join();
  EXPECT_TRUE(woken);
}

TEST(FakeClock, DoesNotCountAThreadThatItHasWoken) {
  FakeClock clock;
  std::atomic<int> sleeps = 0;
  const std::jthread sleeper([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      clock.SleepFor(absl::Seconds(1), stop);
      ++sleeps;
    }
  });
  for (int i = 0; i < 1000; ++i) {
    clock.AwaitWaiters(1);
    EXPECT_EQ(sleeps, i);
    clock.Advance(absl::Seconds(1));
  }
}

// Several threads share permits: one whose permit was taken by another must not return.
TEST(FakeClock, ReturnsOnlyWhileTheConditionHolds) {
  FakeClock clock;
  std::mutex mutex;
  std::condition_variable_any changed;
  int permits = 0;
  std::atomic<int> taken = 0;
  constexpr int kThreads = 4;
  constexpr int kPermits = 1000;
  {
    std::vector<std::jthread> takers;
    for (int i = 0; i < kThreads; ++i) {
      takers.emplace_back([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          std::unique_lock lock(mutex);
          clock.WaitUntil(SteadyTime::InfiniteFuture(), lock, changed, stop,
                          [&] { return permits > 0; });
          if (stop.stop_requested()) return;
          EXPECT_GT(permits, 0);
          --permits;
          ++taken;
        }
      });
    }
    for (int i = 0; i < kPermits; ++i) {
      const std::lock_guard lock(mutex);
      ++permits;
      changed.notify_all();
    }
    while (taken < kPermits) std::this_thread::yield();
  }
}

}  // namespace
}  // namespace content
