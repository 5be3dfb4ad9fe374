#include "unit/watch/feed_fixture.h"
#include "watch/sources.h"

namespace content::watch {
namespace {

using ::testing::ElementsAre;

ChangeNotice Notice(int64_t revision, int64_t version) {
  return {.state = {.article_id = "a", .revision = revision, .version = version}};
}

// FeedTest's own feed is that of comments.
TEST_F(FeedTest, CommentsWakeOnlyTheirFeedAndArticlesWakeBoth) {
  auto owned = std::make_unique<ScriptedSource>();
  ScriptedSource& articles = *owned;
  Feed article_feed(std::move(owned), options_);
  articles.SetEvents("all", 1);
  Watcher article_watcher(article_feed, {"all", "1"});
  EXPECT_THAT(Texts(Ask(article_watcher)), ElementsAre("heartbeat at 1"));
  Settle(article_feed);
  const auto comment_watcher = CaughtUp("a", 1);
  const ChangeListener listener = WakeFeeds(*feed_, article_feed).on_change;

  Answer article = Ask(article_watcher);
  articles.Hold();
  Settle(article_feed);
  Advance(options_.poll_pause);
  listener(Notice(2, 7));
  std::move(articles.AwaitPoll())(std::vector<bool>{false});
  Settle(article_feed);  // The longer a poll takes, the later is the next.
  for (int event = 2; event <= 5; ++event) {
    Answer comment = Ask(*comment_watcher);
    source_->SetEvents("a", event);
    Advance(options_.poll_pause);
    listener(Notice(event, 7));
    EXPECT_THAT(Texts(std::move(comment)), ElementsAre(absl::StrCat("a:", event)));
  }
  Settle(article_feed);
  EXPECT_EQ(articles.poll_count(), 1);
  Answer comment = Ask(*comment_watcher);
  source_->SetEvents("a", 6);
  Advance(options_.poll_pause);
  listener(Notice(6, 8));
  EXPECT_THAT(Texts(std::move(comment)), ElementsAre("a:6"));
  std::move(articles.AwaitPoll())(std::vector<bool>{true});
  std::move(articles.AwaitReads(1).front())(OneMessage());
  EXPECT_THAT(Texts(std::move(article)), ElementsAre("message"));
}

// It is woken by a failover, and then by a version that the lost changes had.
TEST_F(FeedTest, AFailoverWakesTheFeedOfArticlesAndForgetsTheNewestVersion) {
  auto owned = std::make_unique<ScriptedSource>();
  ScriptedSource& articles = *owned;
  Feed article_feed(std::move(owned), options_);
  articles.SetEvents("all", 1);
  Watcher watcher(article_feed, {"all", "1"});
  EXPECT_THAT(Texts(Ask(watcher)), ElementsAre("heartbeat at 1"));
  Settle(article_feed);
  const FeedListeners listeners = WakeFeeds(*feed_, article_feed);
  const auto wakes = [&](int event, const auto& wake) {
    Answer article = Ask(watcher);
    Settle(article_feed);
    articles.SetEvents("all", event);
    Advance(options_.poll_pause);
    wake();
    EXPECT_THAT(Texts(std::move(article)), ElementsAre(absl::StrCat("all:", event)));
    Settle(article_feed);
  };
  wakes(2, [&] { listeners.on_change(Notice(2, 7)); });
  wakes(3, [&] { listeners.on_failover(); });
  wakes(4, [&] { listeners.on_change(Notice(2, 7)); });
}

}  // namespace
}  // namespace content::watch
