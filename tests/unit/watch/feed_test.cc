// The feed on a source that does what the test says: what the store answers is for store and e2e.

#include "watch/feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "content/errors.h"
#include "content/store.h"
#include "watch/sources.h"

namespace content::watch {
namespace {

using ::testing::ElementsAre;

constexpr absl::Duration kLong = absl::Hours(1);
constexpr absl::Duration kShort = absl::Milliseconds(100);

// Keys have numbered events, one message each, "KEY:NUMBER"; the cursor is the number of the last.
// Every answer is given on the spot.
class ScriptedSource final : public Source {
 public:
  static constexpr int kBatchSize = 2;

  void Poll(CallContext, std::vector<Position> positions,
            Callback<std::vector<bool>> done) override {
    const std::unique_lock lock(mutex_);
    ++polls_;
    changed_.notify_all();
    if (hangs_) return;
    if (!failure_.ok()) return std::move(done)(failure_);
    std::vector<bool> news;
    for (const Position& position : positions) {
      news.push_back(events_[position.key] != Number(position));
    }
    std::move(done)(std::move(news));
  }

  void Read(CallContext, Position position, absl::Time, Callback<Batch> done) override {
    const std::unique_lock lock(mutex_);
    ++reads_;
    if (hangs_) return;
    if (position.key == slow_key_) {
      slow_reads_.emplace_back(std::move(position), std::move(done));
      return;
    }
    if (!failure_.ok()) return std::move(done)(failure_);
    if (events_[position.key] < 0) return std::move(done)(ArticleNotFound(position.key));
    const int from = Number(position);
    const int to = std::min(from + kBatchSize, events_[position.key]);
    Batch batch{.messages = {},
                .cursor = absl::StrCat(to),
                .heartbeat = Text(absl::StrCat("heartbeat at ", to)),
                .complete = to == events_[position.key]};
    for (int i = from + 1; i <= to; ++i) {
      batch.messages.push_back(Text(absl::StrCat(position.key, ":", i)));
    }
    std::move(done)(std::move(batch));
  }

  void SetEvents(const std::string& key, int number) {
    const std::lock_guard lock(mutex_);
    events_[key] = number;
  }

  // That it is gone.
  void Remove(const std::string& key) { SetEvents(key, -1); }

  // What everything fails with from now on.
  void SetFailure(absl::Status failure) {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(failure);
  }

  // That reads of this key are answered only when it is hurried.
  void SlowDown(const std::string& key) {
    const std::lock_guard lock(mutex_);
    slow_key_ = key;
  }

  void Hurry() {
    SlowDown("");
    for (auto& [position, done] : slow_reads_) {
      Read({}, std::move(position), absl::Now(), std::move(done));
    }
  }

  // That it answers nothing any more.
  void Hang() {
    const std::lock_guard lock(mutex_);
    hangs_ = true;
  }

  int reads() {
    const std::lock_guard lock(mutex_);
    return reads_;
  }

  int polls() {
    const std::lock_guard lock(mutex_);
    return polls_;
  }

  // Returns after so many more polls.
  void AwaitPolls(int count) { AwaitPollsInAll(polls() + count); }

  void AwaitPollsInAll(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return polls_ >= count; });
  }

 private:
  static int Number(const Position& position) {
    int number = 0;
    EXPECT_TRUE(absl::SimpleAtoi(position.cursor, &number)) << position.cursor;
    return number;
  }

  static Message Text(std::string text) {
    return std::make_shared<const std::string>(std::move(text));
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, int> events_;
  absl::Status failure_;
  bool hangs_ = false;
  std::string slow_key_;
  std::vector<std::pair<Position, Callback<Batch>>> slow_reads_;
  int reads_ = 0;
  int polls_ = 0;
};

using Answer = std::future<absl::StatusOr<std::vector<Message>>>;

Answer Ask(Watcher& watcher, CallContext call = {}) {
  auto answer = std::make_shared<std::promise<absl::StatusOr<std::vector<Message>>>>();
  watcher.Next(std::move(call), [answer](absl::StatusOr<std::vector<Message>> messages) {
    answer->set_value(std::move(messages));
  });
  return answer->get_future();
}

std::vector<std::string> Texts(Answer answer) {
  const absl::StatusOr<std::vector<Message>> messages = answer.get();
  if (!messages.ok()) return {ReasonOf(messages.status())};
  std::vector<std::string> texts;
  for (const Message& message : *messages) texts.push_back(*message);
  return texts;
}

class FeedTest : public ::testing::Test {
 protected:
  void Open(absl::Duration heartbeat_interval, absl::Duration read_timeout = kLong) {
    auto source = std::make_unique<ScriptedSource>();
    source_ = source.get();
    feed_.emplace(std::move(source), Feed::Options{.heartbeat_interval = heartbeat_interval,
                                                   .poll_interval = absl::Milliseconds(10),
                                                   .poll_pause = absl::ZeroDuration(),
                                                   .read_timeout = read_timeout});
  }

  // A watcher that has been told that there is nothing after `number`.
  std::unique_ptr<Watcher> Caught(const std::string& key, int number) {
    source_->SetEvents(key, number);
    auto watcher = std::make_unique<Watcher>(*feed_, Position{key, absl::StrCat(number)});
    EXPECT_THAT(Texts(Ask(*watcher)), ElementsAre(absl::StrCat("heartbeat at ", number)));
    return watcher;
  }

  std::optional<Feed> feed_;
  ScriptedSource* source_ = nullptr;
};

TEST_F(FeedTest, GivesWhatThereIsAtOnceAndThenWhatComes) {
  Open(kLong);
  source_->SetEvents("a", 5);
  Watcher watcher(*feed_, {"a", "0"});
  EXPECT_THAT(Texts(Ask(watcher)), ElementsAre("a:1", "a:2"));
  EXPECT_THAT(Texts(Ask(watcher)), ElementsAre("a:3", "a:4"));
  EXPECT_THAT(Texts(Ask(watcher)), ElementsAre("a:5"));
  EXPECT_EQ(source_->reads(), 3);
  Answer live = Ask(watcher);
  source_->AwaitPolls(1);
  EXPECT_EQ(source_->reads(), 3);
  source_->SetEvents("a", 6);
  EXPECT_THAT(Texts(std::move(live)), ElementsAre("a:6"));
}

TEST_F(FeedTest, GreetsAWatcherForWhomThereIsNothing) {
  Open(kLong);
  source_->SetEvents("a", 3);
  Watcher watcher(*feed_, {"a", "3"});
  EXPECT_THAT(Texts(Ask(watcher)), ElementsAre("heartbeat at 3"));
}

TEST_F(FeedTest, AThousandWatchersCostOneReadForAChange) {
  Open(kLong);
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (int i = 0; i < 1000; ++i) watchers.push_back(Caught("a", 1));
  for (int event = 2; event <= 4; ++event) {
    const int reads_before = source_->reads();
    std::vector<Answer> answers;
    answers.reserve(watchers.size());
    for (const auto& watcher : watchers) answers.push_back(Ask(*watcher));
    source_->AwaitPolls(2);  // the second of which finds all of them waiting
    source_->SetEvents("a", event);
    std::vector<Message> first;
    for (Answer& answer : answers) {
      const auto messages = answer.get();
      ASSERT_TRUE(messages.ok());
      if (first.empty()) first = *messages;
      EXPECT_EQ(*messages, first);  // the very same message, not another with its text
    }
    EXPECT_EQ(*first.front(), absl::StrCat("a:", event));
    EXPECT_EQ(source_->reads() - reads_before, 1);
  }
}

TEST_F(FeedTest, PollsOnceForAllAndReadsOnlyWhatHasNews) {
  Open(kLong);
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (const char* key : {"a", "b", "c"}) watchers.push_back(Caught(key, 1));
  const int reads_before = source_->reads();
  Answer a = Ask(*watchers[0]);
  Answer b = Ask(*watchers[1]);
  Answer c = Ask(*watchers[2]);
  source_->AwaitPolls(2);
  source_->SetEvents("b", 2);
  EXPECT_THAT(Texts(std::move(b)), ElementsAre("b:2"));
  EXPECT_EQ(source_->reads() - reads_before, 1);
  source_->SetEvents("a", 2);
  source_->SetEvents("c", 2);
  EXPECT_THAT(Texts(std::move(a)), ElementsAre("a:2"));
  EXPECT_THAT(Texts(std::move(c)), ElementsAre("c:2"));
}

TEST_F(FeedTest, WhoIsBehindReadsAloneUntilCaughtUp) {
  Open(kLong);
  const auto ahead = Caught("a", 9);
  Answer waiting = Ask(*ahead);
  Watcher behind(*feed_, {"a", "6"});
  EXPECT_THAT(Texts(Ask(behind)), ElementsAre("a:7", "a:8"));
  EXPECT_THAT(Texts(Ask(behind)), ElementsAre("a:9"));
  Answer caught_up = Ask(behind);
  source_->SetEvents("a", 10);
  EXPECT_THAT(Texts(std::move(waiting)), ElementsAre("a:10"));
  EXPECT_THAT(Texts(std::move(caught_up)), ElementsAre("a:10"));
}

TEST_F(FeedTest, DoesNotPollWhileNobodyWaits) {
  Open(kLong);
  const auto watcher = Caught("a", 1);
  Watcher other(*feed_, {"b", "0"});
  source_->SetEvents("b", 1);
  EXPECT_THAT(Texts(Ask(other)), ElementsAre("b:1"));
  EXPECT_EQ(source_->polls(), 0);
}

TEST_F(FeedTest, SendsHeartbeatsWhileThereIsNothing) {
  Open(kShort);
  const auto watcher = Caught("a", 1);
  const absl::Time begin = absl::Now();
  EXPECT_THAT(Texts(Ask(*watcher)), ElementsAre("heartbeat at 1"));
  EXPECT_THAT(Texts(Ask(*watcher)), ElementsAre("heartbeat at 1"));
  EXPECT_GE(absl::Now() - begin, 2 * kShort);
}

TEST_F(FeedTest, WatchersSurviveAFailureThatPasses) {
  Open(kLong);
  const auto watcher = Caught("a", 1);
  Answer answer = Ask(*watcher);
  for (const absl::Status& failure :
       {StoreUnavailable(), Overloaded(absl::Seconds(1)), DeadlineExceeded()}) {
    source_->SetFailure(failure);
    source_->AwaitPolls(2);
  }
  source_->SetEvents("a", 2);
  source_->SetFailure(absl::OkStatus());
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("a:2"));
}

TEST_F(FeedTest, AFailureThatLastsEndsTheWaitWhenAHeartbeatIsDue) {
  Open(kShort);
  const auto watcher = Caught("a", 1);
  source_->SetFailure(StoreUnavailable());
  EXPECT_THAT(Texts(Ask(*watcher)), ElementsAre("STORE_UNAVAILABLE"));
}

TEST_F(FeedTest, TheTimeoutOfAReadIsNotTheWatchersDeadline) {
  Open(kShort);
  const auto watcher = Caught("a", 1);
  source_->SetFailure(DeadlineExceeded());
  EXPECT_THAT(Texts(Ask(*watcher)), ElementsAre("STORE_UNAVAILABLE"));
}

TEST_F(FeedTest, WhoIsCatchingUpWaitsOutAFailureToo) {
  Open(kLong);
  source_->SetEvents("a", 3);
  Watcher watcher(*feed_, {"a", "0"});
  EXPECT_THAT(Texts(Ask(watcher)), ElementsAre("a:1", "a:2"));
  source_->SetFailure(StoreUnavailable());
  Answer answer = Ask(watcher);
  source_->AwaitPolls(2);
  source_->SetFailure(absl::OkStatus());
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("a:3"));
}

TEST_F(FeedTest, ANewWatcherIsToldOfAFailureAtOnce) {
  Open(kLong);
  source_->SetFailure(StoreUnavailable());
  Watcher watcher(*feed_, {"a", "0"});
  EXPECT_THAT(Texts(Ask(watcher)), ElementsAre("STORE_UNAVAILABLE"));
}

TEST_F(FeedTest, OtherErrorsEndTheWait) {
  Open(kLong);
  const auto watcher = Caught("a", 1);
  Answer answer = Ask(*watcher);
  source_->Remove("a");
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("ARTICLE_NOT_FOUND"));
  Watcher late(*feed_, {"a", "0"});
  EXPECT_THAT(Texts(Ask(late)), ElementsAre("ARTICLE_NOT_FOUND"));
}

TEST_F(FeedTest, AReadThatTakesItsTimeEndsNoWait) {
  Open(kShort);
  const auto watcher = Caught("a", 1);
  const auto clock = Caught("b", 1);
  source_->SlowDown("a");
  source_->SetEvents("a", 2);
  Answer answer = Ask(*watcher);
  for (int i = 0; i < 3; ++i) EXPECT_THAT(Texts(Ask(*clock)), ElementsAre("heartbeat at 1"));
  source_->Hurry();
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("a:2"));
}

TEST_F(FeedTest, ASourceThatHangsIsNoReasonForAHeartbeat) {
  Open(kShort, /*read_timeout=*/kShort / 2);
  const auto parked = Caught("a", 1);
  source_->Hang();
  EXPECT_THAT(Texts(Ask(*parked)), ElementsAre("STORE_UNAVAILABLE"));
  Watcher reading(*feed_, {"a", "0"});
  EXPECT_THAT(Texts(Ask(reading)), ElementsAre("STORE_UNAVAILABLE"));
}

TEST_F(FeedTest, ACancelledWaitForAReadThatHangsEndsSoon) {
  Open(kLong);
  source_->Hang();
  Watcher watcher(*feed_, {"a", "0"});
  EXPECT_THAT(Texts(Ask(watcher, {.deadline = SteadyTime::InfiniteFuture(),
                                  .cancelled = [] { return true; }})),
              ElementsAre("CANCELLED"));
}

TEST_F(FeedTest, ACancelledWaitEndsSoonAndLeavesTheOthers) {
  Open(kLong);
  const auto one = Caught("a", 1);
  const auto other = Caught("a", 1);
  std::atomic<bool> cancelled = false;
  Answer ended = Ask(*one, {.deadline = SteadyTime::InfiniteFuture(),
                            .cancelled = [&] { return cancelled.load(); }});
  Answer waiting = Ask(*other);
  source_->AwaitPolls(2);
  cancelled = true;
  EXPECT_THAT(Texts(std::move(ended)), ElementsAre("CANCELLED"));
  source_->SetEvents("a", 2);
  EXPECT_THAT(Texts(std::move(waiting)), ElementsAre("a:2"));
}

TEST_F(FeedTest, AWaitEndsAtItsDeadline) {
  Open(kLong);
  const auto watcher = Caught("a", 1);
  EXPECT_THAT(Texts(Ask(*watcher, {.deadline = SteadyNow() + kShort, .cancelled = nullptr})),
              ElementsAre("DEADLINE_EXCEEDED"));
}

TEST_F(FeedTest, StoppingEndsEveryWait) {
  Open(kLong);
  const auto watcher = Caught("a", 1);
  Answer waiting = Ask(*watcher);
  feed_->Stop();
  EXPECT_THAT(Texts(std::move(waiting)), ElementsAre("SERVER_STOPPING"));
  EXPECT_THAT(Texts(Ask(*watcher)), ElementsAre("SERVER_STOPPING"));
  Watcher late(*feed_, {"a", "0"});
  EXPECT_THAT(Texts(Ask(late)), ElementsAre("SERVER_STOPPING"));
}

TEST_F(FeedTest, CountsItsWatchers) {
  Open(kLong);
  EXPECT_EQ(feed_->watcher_count(), 0);
  {
    const Watcher one(*feed_, {"a", "0"});
    const Watcher other(*feed_, {"b", "0"});
    EXPECT_EQ(feed_->watcher_count(), 2);
  }
  EXPECT_EQ(feed_->watcher_count(), 0);
}

// ---- Waking ----

class WakeTest : public FeedTest {
 protected:
  // Nothing is found in time but by waking.
  void OpenAsleep(absl::Duration poll_pause = absl::ZeroDuration()) {
    auto source = std::make_unique<ScriptedSource>();
    source_ = source.get();
    feed_.emplace(std::move(source), Feed::Options{.heartbeat_interval = kLong,
                                                   .poll_interval = kLong,
                                                   .poll_pause = poll_pause});
  }
};

TEST_F(WakeTest, AFeedThatIsWokenLooksAtOnce) {
  OpenAsleep();
  const auto watcher = Caught("a", 1);
  for (int event = 2; event <= 4; ++event) {
    Answer answer = Ask(*watcher);
    source_->SetEvents("a", event);
    feed_->Wake();
    EXPECT_THAT(Texts(std::move(answer)), ElementsAre(absl::StrCat("a:", event)));
  }
}

TEST_F(WakeTest, WhatHappenedWhileAWatcherWasAwayIsFoundAtOnceToo) {
  OpenAsleep();
  const auto away = Caught("a", 1);
  const auto here = Caught("b", 1);
  Answer waiting = Ask(*here);
  source_->SetEvents("a", 2);
  feed_->Wake();
  source_->AwaitPollsInAll(1);
  EXPECT_THAT(Texts(Ask(*away)), ElementsAre("a:2"));
  source_->SetEvents("b", 2);
  feed_->Wake();
  EXPECT_THAT(Texts(std::move(waiting)), ElementsAre("b:2"));
}

TEST_F(WakeTest, IsLookedAtNoMoreOftenThanThereIsAPause) {
  OpenAsleep(kShort);
  const auto watcher = Caught("a", 1);
  Answer answer = Ask(*watcher);
  const absl::Time begin = absl::Now();
  while (source_->polls() < 3) feed_->Wake();
  EXPECT_GE(absl::Now() - begin, 2 * kShort);
  source_->SetEvents("a", 2);
  feed_->Wake();
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("a:2"));
}

TEST_F(WakeTest, IsNotLookedAtWhileNobodyWaits) {
  OpenAsleep();
  feed_->Wake();
  const auto watcher = Caught("a", 1);
  for (int i = 0; i < 1000; ++i) feed_->Wake();
  source_->SetEvents("b", 1);
  Watcher other(*feed_, {"b", "0"});
  EXPECT_THAT(Texts(Ask(other)), ElementsAre("b:1"));
  EXPECT_EQ(source_->polls(), 0);
}

TEST_F(WakeTest, NewsOfCommentsWakeTheirFeedAndNewsOfArticlesBoth) {
  OpenAsleep();
  auto owned = std::make_unique<ScriptedSource>();
  ScriptedSource& articles = *owned;
  Feed article_feed(std::move(owned),
                    {.heartbeat_interval = kLong, .poll_interval = kLong, .poll_pause = {}});
  articles.SetEvents("all", 1);
  const auto comment_watcher = Caught("a", 1);
  Watcher article_watcher(article_feed, {"all", "1"});
  EXPECT_THAT(Texts(Ask(article_watcher)), ElementsAre("heartbeat at 1"));
  const ChangeListener sink = WakeFeeds(*feed_, article_feed);
  const auto news = [](int64_t revision, int64_t version) {
    return ChangeNotice{.state = {.article_id = "a", .revision = revision, .version = version}};
  };

  Answer article = Ask(article_watcher);
  Answer comment = Ask(*comment_watcher);
  sink(news(2, 7));
  articles.AwaitPollsInAll(1);
  for (int event = 2; event <= 10; ++event) {
    source_->SetEvents("a", event);
    sink(news(event, 7));
    EXPECT_THAT(Texts(std::exchange(comment, {})), ElementsAre(absl::StrCat("a:", event)));
    comment = Ask(*comment_watcher);
  }
  EXPECT_EQ(articles.polls(), 1);
  articles.SetEvents("all", 2);
  sink(news(11, 8));
  EXPECT_THAT(Texts(std::move(article)), ElementsAre("all:2"));
  feed_->Stop();
  EXPECT_THAT(Texts(std::move(comment)), ElementsAre("SERVER_STOPPING"));
}

// A source whose answers come when the test lets them.
class SlowSource final : public Source {
 public:
  void Poll(CallContext, std::vector<Position>, Callback<std::vector<bool>> done) override {
    const std::lock_guard lock(mutex_);
    polls_.push_back(std::move(done));
    changed_.notify_all();
  }

  void Read(CallContext, Position, absl::Time, Callback<Batch> done) override {
    const std::lock_guard lock(mutex_);
    reads_.push_back(std::move(done));
    changed_.notify_all();
  }

  std::vector<Callback<Batch>> AwaitReads(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return reads_.size() >= count; });
    return std::exchange(reads_, {});
  }

  Callback<std::vector<bool>> AwaitPoll() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !polls_.empty(); });
    EXPECT_EQ(polls_.size(), 1);
    Callback<std::vector<bool>> poll = std::move(polls_.back());
    polls_.pop_back();
    return poll;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Callback<Batch>> reads_;
  std::vector<Callback<std::vector<bool>>> polls_;
};

Batch OneMessage() {
  const auto message = std::make_shared<const std::string>("message");
  return {.messages = {message}, .cursor = "1", .heartbeat = message};
}

void ReadOneMessage(SlowSource& source, Watcher& watcher) {
  Answer answer = Ask(watcher);
  std::move(source.AwaitReads(1).front())(OneMessage());
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("message"));
}

TEST(FeedReads, AFewAreUnderWayAtATimeAndTheOthersFollow) {
  auto owned = std::make_unique<SlowSource>();
  SlowSource& source = *owned;
  Feed feed(std::move(owned), {});
  std::vector<std::unique_ptr<Watcher>> watchers;
  std::vector<Answer> answers;
  for (int i = 0; i < 100; ++i) {
    watchers.push_back(std::make_unique<Watcher>(feed, Position{absl::StrCat(i), "0"}));
    answers.push_back(Ask(*watchers.back()));
  }
  size_t reads = 0;
  while (reads < answers.size()) {
    auto under_way = source.AwaitReads(1);
    EXPECT_LE(under_way.size(), 32);
    reads += under_way.size();
    for (Callback<Batch>& done : under_way) std::move(done)(OneMessage());
  }
  for (Answer& answer : answers) EXPECT_THAT(Texts(std::move(answer)), ElementsAre("message"));
}

TEST(FeedReads, ThoseWhoBeginAtTheSamePositionShareARead) {
  auto owned = std::make_unique<SlowSource>();
  SlowSource& source = *owned;
  Feed feed(std::move(owned), {});
  Watcher one(feed, {"a", "0"});
  Watcher other(feed, {"a", "0"});
  Watcher elsewhere(feed, {"b", "0"});
  Answer first = Ask(one);
  Answer second = Ask(other);
  Answer third = Ask(elsewhere);
  auto reads = source.AwaitReads(2);
  ASSERT_EQ(reads.size(), 2);
  for (Callback<Batch>& done : reads) std::move(done)(OneMessage());
  EXPECT_EQ(first.get()->front(), second.get()->front());
  EXPECT_THAT(Texts(std::move(third)), ElementsAre("message"));
}

TEST(FeedReads, AnAnswerThatComesAfterTheEndIsDropped) {
  auto owned = std::make_unique<SlowSource>();
  SlowSource& source = *owned;
  std::vector<Callback<Batch>> reads;
  {
    Feed feed(std::move(owned), {});
    Watcher watcher(feed, {"a", "0"});
    Answer answer = Ask(watcher);
    reads = source.AwaitReads(1);
    feed.Stop();
    EXPECT_THAT(Texts(std::move(answer)), ElementsAre("SERVER_STOPPING"));
  }
  std::move(reads.front())(OneMessage());
}

constexpr Feed::Options kAsleep{
    .heartbeat_interval = kLong, .poll_interval = kLong, .poll_pause = absl::ZeroDuration()};

TEST(FeedReads, WhatHappensDuringAReadIsLookedForAfterIt) {
  auto owned = std::make_unique<SlowSource>();
  SlowSource& source = *owned;
  Feed feed(std::move(owned), kAsleep);
  Watcher watcher(feed, {"a", "0"});
  Answer answer = Ask(watcher);
  auto reads = source.AwaitReads(1);
  feed.Wake();
  Watcher other(feed, {"b", "0"});  // by the time that it is read, the feed has been woken
  Answer others = Ask(other);
  std::move(source.AwaitReads(1).front())(OneMessage());
  EXPECT_THAT(Texts(std::move(others)), ElementsAre("message"));
  std::move(reads.front())(OneMessage());
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("message"));
  Answer next = Ask(watcher);
  std::move(source.AwaitPoll())(std::vector<bool>{true});
  std::move(source.AwaitReads(1).front())(OneMessage());
  EXPECT_THAT(Texts(std::move(next)), ElementsAre("message"));
}

TEST(FeedReads, ASourceThatTakesLongIsLeftAloneForLonger) {
  auto owned = std::make_unique<SlowSource>();
  SlowSource& source = *owned;
  Feed feed(std::move(owned), kAsleep);
  Watcher watcher(feed, {"a", "0"});
  ReadOneMessage(source, watcher);
  Answer answer = Ask(watcher);
  feed.Wake();
  auto poll = source.AwaitPoll();
  const absl::Time asked = absl::Now();
  constexpr absl::Duration kDelay = absl::Milliseconds(20);
  while (absl::Now() < asked + kDelay) std::this_thread::yield();
  std::move(poll)(std::vector<bool>{false});
  feed.Wake();
  source.AwaitPoll();
  EXPECT_GE(absl::Now() - asked, 5 * kDelay);
  feed.Stop();
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("SERVER_STOPPING"));
}

TEST(FeedReads, ManyWakesDuringAPollAreOneMore) {
  auto owned = std::make_unique<SlowSource>();
  SlowSource& source = *owned;
  Feed feed(std::move(owned), kAsleep);
  Watcher watcher(feed, {"a", "0"});
  ReadOneMessage(source, watcher);
  Answer answer = Ask(watcher);
  feed.Wake();
  auto poll = source.AwaitPoll();
  for (int i = 0; i < 1000; ++i) feed.Wake();
  std::move(poll)(std::vector<bool>{false});
  std::move(source.AwaitPoll())(std::vector<bool>{true});
  std::move(source.AwaitReads(1).front())(OneMessage());
  EXPECT_THAT(Texts(std::move(answer)), ElementsAre("message"));
  // Another poll would be found waiting now.
  Answer last = Ask(watcher);
  feed.Wake();
  source.AwaitPoll();
  feed.Stop();
  EXPECT_THAT(Texts(std::move(last)), ElementsAre("SERVER_STOPPING"));
}

}  // namespace
}  // namespace content::watch
