#include "api/calls_in_flight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>
#include <type_traits>
#include <utility>
#include <vector>

namespace content::api {
namespace {

using ::testing::ElementsAre;

static_assert(!std::is_copy_constructible_v<CallsInFlight::Token>);

// Many, so that a wait that does not block returns before they are destroyed.
std::vector<CallsInFlight::Token> AddMany(CallsInFlight& calls) {
  std::vector<CallsInFlight::Token> tokens;
  for (int i = 0; i < 1000; ++i) tokens.push_back(calls.Add());
  return tokens;
}

// Calls AwaitNone on another thread, and destroys `tokens` meanwhile. Returns how many of them were
// left when it returned.
size_t TokensLeftAfterWait(CallsInFlight& calls, std::vector<CallsInFlight::Token> tokens,
                           absl::Duration timeout) {
  std::atomic<size_t> left = tokens.size();
  std::latch begun(1);
  std::future<size_t> left_after = std::async(std::launch::async, [&] {
    begun.count_down();
    EXPECT_EQ(calls.AwaitNone(timeout), 0);
    return left.load();
  });
  begun.wait();
  while (!tokens.empty()) {
    --left;
    tokens.pop_back();
  }
  return left_after.get();
}

TEST(CallsInFlight, AwaitsTheLast) {
  CallsInFlight calls;
  EXPECT_EQ(calls.AwaitNone(), 0);
  for (const absl::Duration timeout : {absl::Hours(1), absl::InfiniteDuration()}) {
    EXPECT_EQ(TokensLeftAfterWait(calls, AddMany(calls), timeout), 0U);
  }
}

TEST(CallsInFlight, CountACallWhileItsTokenIsMoved) {
  CallsInFlight calls;
  std::vector<CallsInFlight::Token> tokens = AddMany(calls);
  std::vector<CallsInFlight::Token> moved;
  for (CallsInFlight::Token& token : tokens) moved.push_back(std::move(token));
  tokens.clear();
  EXPECT_EQ(TokensLeftAfterWait(calls, std::move(moved), absl::InfiniteDuration()), 0U);
}

TEST(CallsInFlight, AreAwaitedNoLongerThanTheTimeout) {
  CallsInFlight calls;
  const std::vector<CallsInFlight::Token> tokens = AddMany(calls);
  EXPECT_EQ(calls.AwaitNone(absl::Milliseconds(1)), 1000);
}

TEST(CallsInFlight, AreAnsweredAtOnceUnlessAnswersAreHeld) {
  CallsInFlight calls;
  std::vector<int> given;
  const auto answer = [&](int i) {
    calls.Answer([&given, i, token = calls.Add()] { given.push_back(i); });
  };
  answer(1);
  EXPECT_THAT(given, ElementsAre(1));
  calls.HoldAnswers();
  answer(2);
  answer(3);
  EXPECT_THAT(given, ElementsAre(1));
  EXPECT_EQ(calls.AwaitNone(absl::ZeroDuration()), 2);
  calls.ReleaseAnswers();
  EXPECT_THAT(given, ElementsAre(1, 2, 3));
  EXPECT_EQ(calls.AwaitNone(absl::ZeroDuration()), 0);
  answer(4);
  EXPECT_THAT(given, ElementsAre(1, 2, 3, 4));
}

}  // namespace
}  // namespace content::api
