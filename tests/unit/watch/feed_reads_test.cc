// What watchers are sent, and how many reads that costs.

#include "unit/watch/feed_fixture.h"

namespace content::watch {
namespace {

using ::testing::ElementsAre;

TEST_F(FeedTest, SendsWhatThereIsAtOnceAndThenWhatHappens) {
  source_->SetEvents("a", 5);
  Watcher watcher(*feed_, {"a", "0"});
  EXPECT_THAT(Texts(Ask(watcher)), ElementsAre("a:1", "a:2"));
  EXPECT_THAT(Texts(Ask(watcher)), ElementsAre("a:3", "a:4"));
  EXPECT_THAT(Texts(Ask(watcher)), ElementsAre("a:5"));
  EXPECT_EQ(source_->read_count(), 3);
  Answer next = Ask(watcher);
  Advance(options_.poll_interval);
  Settle();
  EXPECT_TRUE(IsPending(next));
  EXPECT_EQ(source_->read_count(), 3);
  source_->SetEvents("a", 6);
  Advance(options_.poll_interval);
  EXPECT_THAT(Texts(std::move(next)), ElementsAre("a:6"));
}

TEST_F(FeedTest, SendsANewWatcherAHeartbeatIfThereIsNothing) {
  source_->SetEvents("a", 3);
  Watcher watcher(*feed_, {"a", "3"});
  EXPECT_THAT(Texts(Ask(watcher)), ElementsAre("heartbeat at 3"));
}

TEST_F(FeedTest, AThousandWatchersCostOneReadPerChange) {
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (int i = 0; i < 1000; ++i) watchers.push_back(CaughtUp("a", 1));
  for (int event = 2; event <= 4; ++event) {
    const int reads_before = source_->read_count();
    std::vector<Answer> answers;
    answers.reserve(watchers.size());
    for (const auto& watcher : watchers) answers.push_back(Ask(*watcher));
    source_->SetEvents("a", event);
    Advance(options_.poll_interval);
    std::vector<Message> first;
    for (Answer& answer : answers) {
      const auto messages = answer.get();
      ASSERT_TRUE(messages.ok());
      if (first.empty()) first = *messages;
      EXPECT_EQ(*messages, first);  // the same object, not only the same text
    }
    EXPECT_EQ(*first.front(), absl::StrCat("a:", event));
    EXPECT_EQ(source_->read_count() - reads_before, 1);
  }
}

TEST_F(FeedTest, AWatcherThatIsBehindReadsAloneUntilItHasCaughtUp) {
  const auto ahead = CaughtUp("a", 9);
  Answer waiting = Ask(*ahead);
  Watcher behind(*feed_, {"a", "6"});
  EXPECT_THAT(Texts(Ask(behind)), ElementsAre("a:7", "a:8"));
  EXPECT_THAT(Texts(Ask(behind)), ElementsAre("a:9"));
  Answer caught_up = Ask(behind);
  source_->SetEvents("a", 10);
  const int reads_before = source_->read_count();
  Advance(options_.poll_interval);
  EXPECT_THAT(Texts(std::move(waiting)), ElementsAre("a:10"));
  EXPECT_THAT(Texts(std::move(caught_up)), ElementsAre("a:10"));
  EXPECT_EQ(source_->read_count() - reads_before, 1);
}

TEST_F(FeedTest, WatchersThatBeginAtTheSamePositionShareARead) {
  source_->Hold();
  Watcher one(*feed_, {"a", "0"});
  Watcher other(*feed_, {"a", "0"});
  Watcher elsewhere(*feed_, {"b", "0"});
  Answer first = Ask(one);
  Answer second = Ask(other);
  Answer third = Ask(elsewhere);
  auto reads = source_->AwaitReads(2);
  ASSERT_EQ(reads.size(), 2);
  for (Callback<Batch>& done : reads) std::move(done)(OneMessage());
  EXPECT_EQ(first.get()->front(), second.get()->front());
  EXPECT_THAT(Texts(std::move(third)), ElementsAre("message"));
}

TEST_F(FeedTest, ReadsOnAfterABatchWithoutMessages) {
  source_->Hold();
  Watcher watcher(*feed_, {"a", "0"});
  Answer answer = Ask(watcher);
  const Message heartbeat = OneMessage().heartbeat;
  std::move(source_->AwaitReads(1).front())(
      Batch{.messages = {}, .cursor = "5", .heartbeat = heartbeat, .complete = false});
  std::move(source_->AwaitReads(1).front())(OneMessage());
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("message"));
}

TEST_F(FeedTest, BoundsTheReadsUnderWay) {
  source_->Hold();
  std::vector<std::unique_ptr<Watcher>> watchers;
  std::vector<Answer> answers;
  for (int i = 0; i < 100; ++i) {
    watchers.push_back(std::make_unique<Watcher>(*feed_, Position{absl::StrCat(i), "0"}));
    answers.push_back(Ask(*watchers.back()));
  }
  for (size_t reads = 0; reads < answers.size();) {
    auto under_way = source_->AwaitReads(1);
    EXPECT_LE(under_way.size(), 8);
    reads += under_way.size();
    for (Callback<Batch>& done : under_way) std::move(done)(OneMessage());
  }
  for (Answer& answer : answers) EXPECT_THAT(Texts(std::move(answer)), ElementsAre("message"));
}

TEST_F(FeedTest, ReadsNothingWhileTooMuchIsUntaken) {
  Feed::Options options = MakeOptions();
  options.max_untaken_bytes = 6;
  Open(options);
  source_->SetEvents("a", 2);
  source_->SetEvents("b", 2);
  Watcher slow(*feed_, {"a", "0"});
  absl::StatusOr<std::vector<Message>> untaken = Ask(slow).get();
  ASSERT_TRUE(untaken.ok());
  ASSERT_EQ(untaken->size(), 2);  // of three bytes each
  Watcher other(*feed_, {"b", "0"});
  Answer answer = Ask(other);
  untaken->pop_back();
  // When this wait has ended, the feed has seen the one before.
  Watcher last(*feed_, {"c", "0"});
  Answer cancelled = Ask(last, {.cancelled = [] { return true; }});
  clock_.AwaitWaiters(1);
  clock_.Advance(options_.poll_interval);
  EXPECT_THAT(Texts(std::move(cancelled)), ElementsAre("CANCELLED"));
  EXPECT_EQ(source_->read_count(), 1);
  EXPECT_TRUE(IsPending(answer));
  untaken->clear();
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("b:1", "b:2"));
}

// The source is well, and the watcher must not be told otherwise.
TEST_F(FeedTest, AReadThatCannotBeginIsOverload) {
  Feed::Options options = MakeOptions();
  options.max_untaken_bytes = 1;
  Open(options);
  source_->SetEvents("a", 2);
  Watcher slow(*feed_, {"a", "0"});
  absl::StatusOr<std::vector<Message>> untaken = Ask(slow).get();
  ASSERT_TRUE(untaken.ok());
  Watcher other(*feed_, {"b", "0"});
  Answer answer = Ask(other);
  clock_.AwaitWaiters(1);
  clock_.Advance(options.read_timeout + options.heartbeat_interval);
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("OVERLOADED"));
  // Nobody waits for that read any more.
  source_->SetEvents("c", 1);
  Watcher last(*feed_, {"c", "0"});
  Answer next = Ask(last);
  untaken->clear();
  EXPECT_THAT(Texts(std::move(next)), ElementsAre("c:1"));
  EXPECT_EQ(source_->read_count(), 2);
}

}  // namespace
}  // namespace content::watch
