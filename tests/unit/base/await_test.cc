#include "base/await.h"

#include <gtest/gtest.h>

#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

#include "support/fake_clock.h"

namespace content {
namespace {

using testing::FakeClock;

constexpr absl::Duration kTimeout = absl::Seconds(10);

TEST(Await, ReturnsAnAnswerGivenAtOnce) {
  const absl::StatusOr<int> answer = Await<int>([](Callback<int> done) { std::move(done)(7); });
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(*answer, 7);
  EXPECT_EQ(Await<int>([](Callback<int> done) { std::move(done)(Contention()); }).status(),
            Contention());
  EXPECT_TRUE(Await<void>([](Callback<void> done) { std::move(done)(absl::OkStatus()); }).ok());
}

TEST(Await, ReturnsAnAnswerFromAnotherThread) {
  std::jthread thread;
  const absl::StatusOr<int> answer = Await<int>([&](Callback<int> done) {
    thread = std::jthread([done = std::move(done)]() mutable { std::move(done)(7); });
  });
  EXPECT_EQ(answer.value_or(0), 7);
}

TEST(Await, GivesUpAfterItsTimeout) {
  FakeClock clock;
  std::optional<Callback<int>> late;
  const std::jthread advance([&] {
    clock.AwaitWaiters(1);
    clock.Advance(kTimeout);
  });
  const auto start = [&](Callback<int> done) { late = std::move(done); };
  EXPECT_EQ(Await<int>(start, kTimeout, {}, clock).status(), DeadlineExceeded());
  std::move (*late)(7);  // is dropped
}

TEST(Await, CountsTheTimeThatTheStartTakes) {
  FakeClock clock;
  std::optional<Callback<int>> late;
  const auto start = [&](Callback<int> done) {
    late = std::move(done);
    clock.Advance(kTimeout);
  };
  EXPECT_EQ(Await<int>(start, kTimeout, {}, clock).status(), DeadlineExceeded());
}

TEST(Await, GivesUpWhenItIsStopped) {
  FakeClock clock;
  std::stop_source stop;
  std::optional<Callback<int>> late;
  const std::jthread stopper([&] {
    clock.AwaitWaiters(1);
    stop.request_stop();
  });
  const auto start = [&](Callback<int> done) { late = std::move(done); };
  EXPECT_EQ(Await<int>(start, kTimeout, stop.get_token(), clock).status(), Cancelled());
}

TEST(Await, ReturnsAnErrorIfTheCallIsDropped) {
  const absl::StatusOr<int> answer = Await<int>([](Callback<int>) {});
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace content
