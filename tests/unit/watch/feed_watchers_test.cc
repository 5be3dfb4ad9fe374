// How many watchers there are, and how they and the feed end.

#include <atomic>

#include "base/memory_guard.h"
#include "unit/watch/feed_fixture.h"

namespace content::watch {
namespace {

using ::testing::ElementsAre;

TEST_F(FeedTest, CountsItsWatchers) {
  EXPECT_EQ(feed_->watcher_count(), 0);
  {
    const auto one = CaughtUp("a", 1);
    const auto other = CaughtUp("b", 1);
    EXPECT_EQ(feed_->watcher_count(), 2);
  }
  EXPECT_EQ(feed_->watcher_count(), 0);
}

TEST_F(FeedTest, AccountsShareThePlacesOfWatchers) {
  Feed::Options options = MakeOptions();
  options.max_watchers = 4;
  Open(options);
  source_->SetEvents("a", 1);
  std::vector<std::unique_ptr<Watcher>> watchers;
  const auto watch = [&](Account account) {
    watchers.push_back(std::make_unique<Watcher>(*feed_, Position{"a", "0"}));
    return Ask(*watchers.back(), {.account_of = [account] { return account; }}).get().status();
  };
  EXPECT_TRUE(watch(1).ok());
  EXPECT_TRUE(watch(1).ok());
  const absl::Status refused = watch(1);
  EXPECT_EQ(ReasonOf(refused), "OVERLOADED");
  EXPECT_EQ(refused.message(), "this client has too many watchers");
  EXPECT_TRUE(watch(2).ok());
  watchers.clear();
  EXPECT_TRUE(watch(1).ok());
}

TEST_F(FeedTest, RefusesMoreWatchersThanItsLimit) {
  Feed::Options options = MakeOptions();
  options.max_watchers = 2;
  Open(options);
  source_->SetEvents("a", 1);
  Watcher one(*feed_, {"a", "0"});
  EXPECT_THAT(Texts(Ask(one)), ElementsAre("a:1"));
  {
    Watcher other(*feed_, {"a", "0"});
    Watcher refused(*feed_, {"a", "0"});
    EXPECT_THAT(Texts(Ask(other)), ElementsAre("a:1"));
    const absl::Status status = Ask(refused).get().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(ReasonOf(status), "OVERLOADED");
    EXPECT_EQ(status.message(), "the server has too many watchers");
    EXPECT_EQ(feed_->watcher_count(), 2);
  }
  EXPECT_EQ(feed_->watcher_count(), 1);
  Watcher next(*feed_, {"a", "0"});
  EXPECT_THAT(Texts(Ask(next)), ElementsAre("a:1"));
}

TEST_F(FeedTest, WhileMemoryIsShortItAdmitsNoWatchers) {
  std::atomic<int> used = 1;
  testing::FakeClock memory_clock;
  const MemoryGuard memory(
      {.limit = 1, .read_used = [&used] { return used.load(); }, .clock = &memory_clock});
  memory_clock.AwaitWaiters(1);
  Feed::Options options = MakeOptions();
  options.memory = &memory;
  Open(options);
  const auto admitted = CaughtUp("a", 1);
  Answer next = Ask(*admitted);
  Settle();  // which takes watchers
  used = 2;
  memory_clock.Advance(MemoryGuard::kInterval);
  memory_clock.AwaitWaiters(1);
  Watcher refused(*feed_, {"a", "0"});
  EXPECT_EQ(ReasonOf(Ask(refused).get().status()), "MEMORY_SHORT");
  EXPECT_EQ(feed_->watcher_count(), 1);
  source_->SetEvents("a", 2);
  clock_.Advance(options.poll_interval);
  EXPECT_THAT(Texts(std::move(next)), ElementsAre("a:2"));
}

TEST_F(FeedTest, StoppingEndsEveryWait) {
  const auto watcher = CaughtUp("a", 1);
  Answer waiting = Ask(*watcher);
  source_->Hold();
  Watcher reading(*feed_, {"b", "0"});
  Answer read = Ask(reading);
  const auto held = source_->AwaitReads(1);
  feed_->Stop();
  EXPECT_THAT(Texts(std::move(waiting)), ElementsAre("SERVER_STOPPING"));
  EXPECT_THAT(Texts(std::move(read)), ElementsAre("SERVER_STOPPING"));
  EXPECT_THAT(Texts(Ask(*watcher)), ElementsAre("SERVER_STOPPING"));
  Watcher late(*feed_, {"a", "0"});
  EXPECT_THAT(Texts(Ask(late)), ElementsAre("SERVER_STOPPING"));
}

TEST_F(FeedTest, DropsAnAnswerThatComesAfterItsEnd) {
  source_->Hold();
  std::vector<Callback<Batch>> reads;
  {
    Watcher watcher(*feed_, {"a", "0"});
    Answer answer = Ask(watcher);
    reads = source_->AwaitReads(1);
    feed_->Stop();
    EXPECT_THAT(Texts(std::move(answer)), ElementsAre("SERVER_STOPPING"));
  }
  feed_.reset();
  std::move(reads.front())(OneMessage());
}

}  // namespace
}  // namespace content::watch
