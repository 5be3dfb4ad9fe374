// When the source is asked whether anything has happened.

#include "unit/watch/feed_fixture.h"

namespace content::watch {
namespace {

using ::testing::ElementsAre;

class FeedPollsTest : public FeedTest {
 protected:
  // Wakes the feed when it may poll again.
  void Wake() {
    Advance(options_.poll_pause);
    feed_->Wake();
  }
};

TEST_F(FeedPollsTest, PollsAtAnIntervalWhileSomebodyWaits) {
  const auto watcher = CaughtUp("a", 1);
  Answer answer = Ask(*watcher);
  for (int polls = 1; polls <= 20; ++polls) {
    Advance(options_.poll_interval);
    Settle();
    EXPECT_EQ(source_->poll_count(), polls);
  }
  source_->SetEvents("a", 2);
  Advance(options_.poll_interval);
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("a:2"));
}

TEST_F(FeedPollsTest, DoesNotPollWhileNobodyWaits) {
  const auto watcher = CaughtUp("a", 1);
  for (int i = 0; i < 10; ++i) Advance(options_.poll_interval);
  Wake();
  Settle();
  EXPECT_EQ(source_->poll_count(), 0);
}

TEST_F(FeedPollsTest, PollsOnceForAllAndReadsOnlyWhatHasNews) {
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (const char* key : {"a", "b", "c"}) watchers.push_back(CaughtUp(key, 1));
  const int reads_before = source_->read_count();
  Answer a = Ask(*watchers[0]);
  Answer b = Ask(*watchers[1]);
  Answer c = Ask(*watchers[2]);
  source_->SetEvents("b", 2);
  Advance(options_.poll_interval);
  EXPECT_THAT(Texts(std::move(b)), ElementsAre("b:2"));
  EXPECT_EQ(source_->poll_count(), 1);
  EXPECT_EQ(source_->read_count() - reads_before, 1);
  source_->SetEvents("a", 2);
  source_->SetEvents("c", 2);
  Advance(options_.poll_interval);
  EXPECT_THAT(Texts(std::move(a)), ElementsAre("a:2"));
  EXPECT_THAT(Texts(std::move(c)), ElementsAre("c:2"));
  EXPECT_EQ(source_->poll_count(), 2);
}

TEST_F(FeedPollsTest, PollsAtOnceWhenItIsWoken) {
  const auto watcher = CaughtUp("a", 1);
  for (int event = 2; event <= 4; ++event) {
    Answer answer = Ask(*watcher);
    source_->SetEvents("a", event);
    Wake();
    EXPECT_THAT(Texts(std::move(answer)), ElementsAre(absl::StrCat("a:", event)));
  }
}

TEST_F(FeedPollsTest, PausesBetweenPollsHoweverOftenItIsWoken) {
  const auto watcher = CaughtUp("a", 1);
  Answer answer = Ask(*watcher);
  Wake();
  Settle();
  EXPECT_EQ(source_->poll_count(), 1);
  for (int i = 0; i < 1000; ++i) feed_->Wake();
  Advance(options_.poll_pause - absl::Nanoseconds(1));
  Settle();
  EXPECT_EQ(source_->poll_count(), 1);
  source_->SetEvents("a", 2);
  Advance(absl::Nanoseconds(1));
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("a:2"));
  EXPECT_EQ(source_->poll_count(), 2);
}

TEST_F(FeedPollsTest, LeavesASlowSourceAloneForLonger) {
  const auto watcher = CaughtUp("a", 1);
  Answer answer = Ask(*watcher);
  source_->Hold();
  Wake();
  auto poll = source_->AwaitPoll();
  const absl::Duration duration = absl::Milliseconds(30);
  Advance(duration);
  std::move(poll)(std::vector<bool>{false});
  feed_->Wake();
  Advance(4 * duration - absl::Nanoseconds(1));
  Settle();
  EXPECT_EQ(source_->poll_count(), 1);
  Advance(absl::Nanoseconds(1));
  std::move(source_->AwaitPoll())(std::vector<bool>{true});
  std::move(source_->AwaitReads(1).front())(OneMessage());
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("message"));
}

TEST_F(FeedPollsTest, AVerySlowSourceIsPolledAtTheInterval) {
  const auto watcher = CaughtUp("a", 1);
  Answer answer = Ask(*watcher);
  source_->Hold();
  Wake();
  auto poll = source_->AwaitPoll();
  Advance(absl::Seconds(5));
  std::move(poll)(std::vector<bool>{false});
  Advance(options_.poll_interval);
  std::move(source_->AwaitPoll())(std::vector<bool>{true});
  std::move(source_->AwaitReads(1).front())(OneMessage());
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("message"));
}

TEST_F(FeedPollsTest, PollsOnceMoreAfterWakesDuringAPoll) {
  const auto watcher = CaughtUp("a", 1);
  Answer answer = Ask(*watcher);
  source_->Hold();
  Wake();
  auto poll = source_->AwaitPoll();
  for (int i = 0; i < 1000; ++i) feed_->Wake();
  std::move(poll)(std::vector<bool>{false});
  Advance(options_.poll_pause);
  auto second = source_->AwaitPoll();
  std::move(second)(std::vector<bool>{false});
  Advance(options_.poll_pause);
  Settle();
  EXPECT_EQ(source_->poll_count(), 2);
  feed_->Stop();
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("SERVER_STOPPING"));
}

TEST_F(FeedPollsTest, FindsWhatHappenedWhileAWatcherWasAway) {
  const auto away = CaughtUp("a", 1);
  const auto here = CaughtUp("b", 1);
  Answer waiting = Ask(*here);
  source_->SetEvents("a", 2);
  Wake();
  Settle();
  EXPECT_EQ(source_->poll_count(), 1);
  Answer answer = Ask(*away);
  Advance(options_.poll_pause);  // less than the interval
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("a:2"));
  feed_->Stop();
  EXPECT_THAT(Texts(std::move(waiting)), ElementsAre("SERVER_STOPPING"));
}

TEST_F(FeedPollsTest, FindsWhatHappenedDuringARead) {
  source_->Hold();
  Watcher watcher(*feed_, {"a", "0"});
  Answer answer = Ask(watcher);
  auto read = source_->AwaitReads(1);
  Wake();
  Settle();
  std::move(read.front())(OneMessage());
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("message"));
  Answer next = Ask(watcher);
  Advance(options_.poll_pause);  // less than the interval
  std::move(source_->AwaitPoll())(std::vector<bool>{true});
  std::move(source_->AwaitReads(1).front())(OneMessage());
  EXPECT_THAT(Texts(std::move(next)), ElementsAre("message"));
}

}  // namespace
}  // namespace content::watch
