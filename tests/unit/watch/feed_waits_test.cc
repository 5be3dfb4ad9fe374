// How waits end: with a heartbeat, at a deadline, by cancellation, or because the source fails or
// does not answer.

#include <atomic>

#include "unit/watch/feed_fixture.h"

namespace content::watch {
namespace {

using ::testing::ElementsAre;

// ---- Heartbeats, deadlines and cancellation ----

TEST_F(FeedTest, SendsHeartbeatsWhileNothingHappens) {
  const auto watcher = CaughtUp("a", 1);
  for (int i = 0; i < 10; ++i) {
    Answer answer = Ask(*watcher);
    Advance(options_.heartbeat_interval - absl::Nanoseconds(1));
    Settle();
    EXPECT_TRUE(IsPending(answer));
    Advance(options_.poll_interval);  // the next round
    EXPECT_THAT(Texts(std::move(answer)), ElementsAre("heartbeat at 1"));
  }
}

TEST_F(FeedTest, ACancelledWaitEndsSoonAndLeavesTheOthers) {
  const auto one = CaughtUp("a", 1);
  const auto other = CaughtUp("a", 1);
  std::atomic<bool> is_cancelled = false;
  Answer ended = Ask(*one, {.cancelled = [&] { return is_cancelled.load(); }});
  Answer waiting = Ask(*other);
  Advance(options_.poll_interval);
  Settle();
  EXPECT_TRUE(IsPending(ended));
  is_cancelled = true;
  Advance(options_.poll_interval);
  EXPECT_THAT(Texts(std::move(ended)), ElementsAre("CANCELLED"));
  EXPECT_TRUE(IsPending(waiting));
  source_->SetEvents("a", 2);
  Advance(options_.poll_interval);
  EXPECT_THAT(Texts(std::move(waiting)), ElementsAre("a:2"));
}

TEST_F(FeedTest, AWaitEndsSoonAfterItsDeadline) {
  const auto watcher = CaughtUp("a", 1);
  const absl::Duration timeout = 2 * options_.poll_interval;
  Answer answer = Ask(*watcher, {.deadline = clock_.Now() + timeout});
  Advance(timeout - absl::Nanoseconds(1));
  Settle();
  EXPECT_TRUE(IsPending(answer));
  Advance(options_.poll_interval);
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("DEADLINE_EXCEEDED"));
}

// ---- A source that fails ----

TEST_F(FeedTest, WatchersWaitOutAFailureThatPasses) {
  const auto watcher = CaughtUp("a", 1);
  Answer answer = Ask(*watcher);
  for (const absl::Status& failure :
       {StoreUnavailable(), Overloaded(absl::Seconds(1)), DeadlineExceeded()}) {
    source_->SetFailure(failure);
    Advance(options_.poll_interval);
    Settle();
  }
  EXPECT_TRUE(IsPending(answer));
  source_->SetEvents("a", 2);
  source_->SetFailure(absl::OkStatus());
  Advance(options_.poll_interval);
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("a:2"));
}

TEST_F(FeedTest, AFailureThatLastsEndsTheWaitInPlaceOfAHeartbeat) {
  const auto watcher = CaughtUp("a", 1);
  source_->SetFailure(StoreUnavailable());
  Answer answer = Ask(*watcher);
  Advance(options_.poll_interval);
  Advance(options_.heartbeat_interval);
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("STORE_UNAVAILABLE"));
}

TEST_F(FeedTest, TheTimeoutOfAPollIsNotTheWatchersDeadline) {
  const auto watcher = CaughtUp("a", 1);
  source_->SetFailure(DeadlineExceeded());
  Answer answer = Ask(*watcher);
  Advance(options_.poll_interval);
  Advance(options_.heartbeat_interval);
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("STORE_UNAVAILABLE"));
}

TEST_F(FeedTest, AWatcherThatIsCatchingUpWaitsOutAFailureToo) {
  source_->SetEvents("a", 3);
  Watcher watcher(*feed_, {"a", "0"});
  EXPECT_THAT(Texts(Ask(watcher)), ElementsAre("a:1", "a:2"));
  source_->SetFailure(StoreUnavailable());
  Answer answer = Ask(watcher);
  Advance(options_.poll_interval);
  Settle();
  EXPECT_TRUE(IsPending(answer));
  source_->SetFailure(absl::OkStatus());
  Advance(options_.poll_interval);
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("a:3"));
}

TEST_F(FeedTest, ANewWatcherIsToldOfAFailureAtOnce) {
  source_->SetFailure(StoreUnavailable());
  Watcher watcher(*feed_, {"a", "0"});
  EXPECT_THAT(Texts(Ask(watcher)), ElementsAre("STORE_UNAVAILABLE"));
}

TEST_F(FeedTest, AFailureThatDoesNotPassEndsTheWait) {
  const auto watcher = CaughtUp("a", 1);
  Answer answer = Ask(*watcher);
  source_->Remove("a");
  Advance(options_.poll_interval);
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("ARTICLE_NOT_FOUND"));
  Watcher late(*feed_, {"a", "0"});
  EXPECT_THAT(Texts(Ask(late)), ElementsAre("ARTICLE_NOT_FOUND"));
}

// ---- A source that does not answer ----

TEST_F(FeedTest, ASlowReadEndsNoWaitBeforeItsTimeout) {
  const auto watcher = CaughtUp("a", 1);
  Answer answer = Ask(*watcher);
  Advance(options_.heartbeat_interval - options_.poll_interval);
  Settle();
  source_->Hold();
  source_->SetEvents("a", 2);
  feed_->Wake();
  Advance(options_.poll_pause);
  std::move(source_->AwaitPoll())(std::vector<bool>{true});
  auto read = source_->AwaitReads(1);
  Advance(options_.poll_interval);  // the heartbeat is due
  Settle();
  EXPECT_TRUE(IsPending(answer));
  std::move(read.front())(OneMessage());
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("message"));
}

TEST_F(FeedTest, AReadThatHangsEndsTheWaitAfterItsTimeout) {
  source_->Hold();
  Watcher watcher(*feed_, {"a", "0"});
  Answer answer = Ask(watcher);
  auto read = source_->AwaitReads(1);
  Advance(options_.read_timeout);
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("STORE_UNAVAILABLE"));
  std::move(read.front())(OneMessage());  // is dropped
  Settle();
}

TEST_F(FeedTest, APollThatHangsEndsTheWaitAfterItsTimeout) {
  const auto watcher = CaughtUp("a", 1);
  source_->Hold();
  Answer answer = Ask(*watcher);
  Advance(options_.poll_interval);
  const auto poll = source_->AwaitPoll();
  Advance(options_.read_timeout);
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("STORE_UNAVAILABLE"));
}

TEST_F(FeedTest, ACancelledWaitForAReadThatHangsEndsSoon) {
  source_->Hold();
  Watcher watcher(*feed_, {"a", "0"});
  Answer answer = Ask(watcher, {.cancelled = [] { return true; }});
  const auto read = source_->AwaitReads(1);
  Advance(options_.poll_interval);
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("CANCELLED"));
}

}  // namespace
}  // namespace content::watch
