// A thread that sleeps while it has no work.

#include "cache/work_signal.h"

#include <gtest/gtest.h>

#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace content::cache {
namespace {

TEST(WorkSignal, ReturnsAtOnceIfThereIsWork) {
  WorkSignal signal;
  signal.AwaitWork(SteadyClock::System(), {}, [] { return true; });
}

TEST(WorkSignal, StopEndsTheSleep) {
  WorkSignal signal;
  std::jthread sleeper([&signal](const std::stop_token& stop) {
    signal.AwaitWork(SteadyClock::System(), stop, [] { return false; });
  });
}

// Hangs if a wake-up is lost.
TEST(WorkSignal, LosesNoWakeUp) {
  constexpr int kAdders = 3;
  constexpr int kRounds = 50'000;
  WorkSignal signal;
  std::mutex mutex;
  int work = 0;  // Guarded by mutex.
  std::vector<std::jthread> adders;
  for (int i = 0; i < kAdders; ++i) {
    adders.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        const std::lock_guard lock(mutex);
        ++work;
        signal.Notify();
      }
    });
  }
  for (int done = 0; done < kAdders * kRounds;) {
    signal.AwaitWork(SteadyClock::System(), {}, [&] {
      const std::lock_guard lock(mutex);
      return work > 0;
    });
    const std::lock_guard lock(mutex);
    done += std::exchange(work, 0);
  }
}

}  // namespace
}  // namespace content::cache
