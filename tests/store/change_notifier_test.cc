#include "store/change_notifier.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "postgres/known_database.h"
#include "store/store_fixture.h"
#include "support/await_that.h"

namespace content::store {
namespace {

using testing::AwaitThat;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::chrono::seconds kPatience{30};

constexpr char kSessions[] =
    "FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '% "
    "notifications' "
    "AND wait_event = 'ClientRead'";

std::string Describe(const ChangeNotice& notice) {
  return absl::StrCat(notice.state.article_id, "@", notice.state.revision, " version ",
                      notice.state.version, " with ", notice.state.comment_count, " as ",
                      notice.name);
}

// Records the notices that a listener gets.
class Recorder {
 public:
  ChangeListener Listener() {
    return [this](const ChangeNotice& notice) {
      const std::lock_guard lock(mutex_);
      all_.push_back(Describe(notice));
      ChangeNotice& latest = latest_[notice.state.article_id];
      if (IsOlder(latest.state, notice.state)) latest = notice;
      changed_.notify_all();
    };
  }

  // The latest notice of an article, once it has reached this revision.
  std::string Await(const std::string& article_id, int64_t revision) {
    std::unique_lock lock(mutex_);
    const bool came = changed_.wait_for(
        lock, kPatience, [&] { return latest_[article_id].state.revision >= revision; });
    EXPECT_TRUE(came) << article_id << " is at " << Describe(latest_[article_id]);
    return Describe(latest_[article_id]);
  }

  std::vector<std::string> all() {
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> all_;
  std::map<std::string, ChangeNotice> latest_;
};

class ChangeNotifierTest : public StoreTest {
 protected:
  ChangeNotifierTest() { AwaitSessions("2"); }

  // Waits until this number of sessions listen and are idle.
  void AwaitSessions(const std::string& count) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    testing::Session session(url_);
    while (session.Run(absl::StrCat("SELECT count(*) ", kSessions)) != count) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "there are not " << count << " sessions";
      std::this_thread::yield();
    }
  }

  absl::StatusOr<v1::Comment> EditBody(const std::string& name, const std::string& body) {
    return Update({.comment = *ParseCommentName(name), .body = body});
  }

  Recorder own_heard_;
  Recorder other_heard_;
  std::unique_ptr<Store> other_ = *Open(url_);
  std::unique_ptr<Subscription> own_subscription_ = store_->Subscribe(own_heard_.Listener());
  std::unique_ptr<Subscription> other_subscription_ = other_->Subscribe(other_heard_.Listener());
};

TEST_F(ChangeNotifierTest, PublishingReachesOtherServersWithTheNewState) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  EXPECT_EQ(other_heard_.Await("post", 1), "post@1 version 1 with 0 as post");
  ASSERT_TRUE(Publish(MakeArticle("post", "Other text.")).ok());
  EXPECT_EQ(other_heard_.Await("post", 2), "post@2 version 2 with 0 as post");
  v1::Article title;
  title.set_title("Another title");
  ASSERT_TRUE(Edit({.id = "post", .article = title, .paths = {"title"}}).ok());
  EXPECT_EQ(other_heard_.Await("post", 3), "post@3 version 3 with 0 as post");
  ASSERT_TRUE(Rename({.id = "post", .new_id = "page"}).ok());
  EXPECT_EQ(other_heard_.Await("post", 4), "post@4 version 4 with 0 as page");
  ASSERT_TRUE(Retract("page").ok());
  EXPECT_EQ(other_heard_.Await("post", 5), "post@5 version 5 with 0 as page");
}

TEST_F(ChangeNotifierTest, CommentsReachOtherServersWithTheNewState) {
  ASSERT_TRUE(Publish(MakeArticle("other")).ok());
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  const std::string first = Add("post", "first");
  EXPECT_EQ(other_heard_.Await("post", 2), "post@2 version 2 with 1 as post");
  const std::string reply = Add("post", "reply", first);
  EXPECT_EQ(other_heard_.Await("post", 3), "post@3 version 2 with 2 as post");
  ASSERT_TRUE(EditBody(reply, "edited").ok());
  EXPECT_EQ(other_heard_.Await("post", 4), "post@4 version 2 with 2 as post");
  ASSERT_TRUE(Moderate(reply, v1::COMMENT_STATE_HIDDEN).ok());
  EXPECT_EQ(other_heard_.Await("post", 5), "post@5 version 2 with 1 as post");
  ASSERT_TRUE(Delete(first).ok());
  EXPECT_EQ(other_heard_.Await("post", 6), "post@6 version 2 with 0 as post");
  ASSERT_TRUE(Publish(MakeArticle("post", "Other text.")).ok());
  EXPECT_EQ(other_heard_.Await("post", 7), "post@7 version 3 with 0 as post");
}

TEST_F(ChangeNotifierTest, ErasuresAndRepairsReachOtherServers) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  Add("post", "first");
  Add("post", "second");
  ASSERT_TRUE(Erase("user-1").ok());
  EXPECT_EQ(other_heard_.Await("post", 5), "post@5 version 1 with 0 as post");
  Sql("UPDATE article_state SET comment_count = 7");
  ASSERT_TRUE(Verify({.article_id = "post", .repair = true}).ok());
  EXPECT_EQ(other_heard_.Await("post", 6), "post@6 version 1 with 0 as post");
}

TEST_F(ChangeNotifierTest, SubscribersHearOfAWriteBeforeItsCallerIsAnswered) {
  const auto has_heard = [this](const std::string& last) {
    const auto all = own_heard_.all();
    return std::find(all.begin(), all.end(), last) != all.end();
  };
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  EXPECT_TRUE(has_heard("post@1 version 1 with 0 as post"));
  const std::string comment = Add("post", "first");
  EXPECT_TRUE(has_heard("post@2 version 1 with 1 as post"));
  ASSERT_TRUE(EditBody(comment, "edited").ok());
  EXPECT_TRUE(has_heard("post@3 version 1 with 1 as post"));
  ASSERT_TRUE(Delete(comment).ok());
  EXPECT_TRUE(has_heard("post@4 version 1 with 0 as post"));
  ASSERT_TRUE(Rename({.id = "post", .new_id = "page"}).ok());
  EXPECT_TRUE(has_heard("post@5 version 2 with 0 as page"));
  ASSERT_TRUE(Retract("page").ok());
  EXPECT_TRUE(has_heard("post@6 version 3 with 0 as page"));
}

TEST_F(ChangeNotifierTest, AServerHearsItsOwnChangesOnlyOnce) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  other_heard_.Await("post", 1);
  // The other server's notice is sent after this server's would be.
  ASSERT_TRUE(Await<PublishedArticle>([&](auto done) {
                other_->PublishArticle({}, MakeArticle("answer"), {}, std::move(done));
              }).ok());
  own_heard_.Await("answer", 1);
  EXPECT_THAT(own_heard_.all(), ElementsAre("post@1 version 1 with 0 as post",
                                            "answer@1 version 2 with 0 as answer"));
}

TEST_F(ChangeNotifierTest, ARepeatedWriteIsAnnouncedAgain) {
  const PublishOptions options{.request = {.id = NewUuid(), .fingerprint = "00"}};
  ASSERT_TRUE(Publish(MakeArticle("post"), options).ok());
  Add("post", "first");
  ASSERT_TRUE(Publish(MakeArticle("post"), options).ok());
  EXPECT_EQ(own_heard_.all().back(), "post@2 version 1 with 1 as post");
}

TEST_F(ChangeNotifierTest, RecoversWhenItsConnectionIsLost) {
  for (int round = 1; round <= 2; ++round) {
    const std::string pids = absl::StrCat("SELECT string_agg(pid::text, ' ') ", kSessions);
    const std::string before = Sql(pids);
    Sql(absl::StrCat("SELECT count(pg_terminate_backend(pid, 10000)) ", kSessions));
    AwaitSessions("2");
    EXPECT_NE(Sql(pids), before);
    ASSERT_TRUE(Publish(MakeArticle("post", absl::StrCat("Text ", round))).ok());
    EXPECT_EQ(other_heard_.Await("post", round),
              absl::StrCat("post@", round, " version ", round, " with 0 as post"));
  }
}

TEST_F(ChangeNotifierTest, ForeignNotificationsAreIgnored) {
  testing::Session session(url_);
  for (const char* garbage :
       {"", "hello", "1 2 3 post", "1 2 3 post post 4", "x 2 3 post post", "1 2 3 Post post",
        "1 2 3 post po/st", "99999999999999999999 2 3 post post", "\n\n", "{\"revision\": 1}",
        "1 2 3  post", "\xf0\x9f\x8e\x89"}) {
    session.Run(absl::StrCat("SELECT pg_notify('content_articles', '", garbage, "')"));
  }
  session.Run("SELECT pg_notify('other_channel', '1 2 3 post post')");
  session.Run("SELECT pg_notify('content_articles', E'nonsense\\n7 5 3 good better\\nnonsense')");
  EXPECT_EQ(other_heard_.Await("good", 7), "good@7 version 3 with 5 as better");
  EXPECT_THAT(other_heard_.all(), ElementsAre("good@7 version 3 with 5 as better"));
}

TEST_F(ChangeNotifierTest, NoticesAreHeardWhetherOrNotTheyNameTheirSender) {
  testing::Session session(url_);
  session.Run("SELECT pg_notify('content_articles', '7 5 3 older older')");
  EXPECT_EQ(other_heard_.Await("older", 7), "older@7 version 3 with 5 as older");
  session.Run("SELECT pg_notify('content_articles', E'from another\\n7 5 3 newer newer')");
  EXPECT_EQ(other_heard_.Await("newer", 7), "newer@7 version 3 with 5 as newer");
}

// The longest possible names, and more than fit in one notification.
TEST_F(ChangeNotifierTest, ManyArticlesAreAnnouncedAtOnce) {
  const auto database = std::make_shared<postgres::KnownDatabase>(url_);
  ChangeNotifier sender(database, /*notifications=*/true);
  AwaitThat([&] { return database->id().timeline != 0; });
  std::vector<ChangeNotice> notices;
  for (int64_t i = 0; i < 3000; ++i) {
    std::string id = absl::StrCat("a", i);
    id.resize(kMaxArticleIdLength, 'x');
    notices.push_back({.state = {.article_id = id, .revision = INT64_MAX - i}, .name = id});
  }
  sender.Announce(notices, database->id());
  for (const ChangeNotice& item : notices) {
    EXPECT_EQ(other_heard_.Await(item.state.article_id, item.state.revision), Describe(item));
  }
}

// As when a scheduled article is released.
TEST_F(ChangeNotifierTest, OfNoticesAtOneRevisionTheLatestVersionIsSent) {
  const auto database = std::make_shared<postgres::KnownDatabase>(url_);
  ChangeNotifier sender(database, /*notifications=*/true);
  AwaitThat([&] { return database->id().timeline != 0; });
  ChangeNotice older{.state = {.article_id = "post", .revision = 3, .version = 7}, .name = "post"};
  ChangeNotice newer = older;
  newer.state.version = 8;
  sender.Announce({older, newer, older}, database->id());
  ChangeNotice last{.state = {.article_id = "last", .revision = 1}, .name = "last"};
  sender.Announce({last}, database->id());
  other_heard_.Await("last", 1);
  EXPECT_EQ(other_heard_.Await("post", 3), "post@3 version 8 with 0 as post");
}

// A commit of an old primary may return after the failover.
TEST_F(ChangeNotifierTest, NobodyHearsOfChangesOnAnOldPrimaryAfterTheFailover) {
  const auto database = std::make_shared<postgres::KnownDatabase>(url_);
  ChangeNotifier sender(database, /*notifications=*/true);
  AwaitThat([&] { return database->id().timeline != 0; });
  Recorder heard;
  const auto subscription = sender.Subscribe(heard.Listener());
  postgres::DatabaseId old = database->id();
  --old.timeline;
  const ChangeNotice lost{.state = {.article_id = "lost", .revision = 1}, .name = "lost"};
  const ChangeNotice last{.state = {.article_id = "last", .revision = 1}, .name = "last"};
  sender.Announce({lost}, old);
  sender.Announce({last}, database->id());
  other_heard_.Await("last", 1);
  EXPECT_THAT(heard.all(), ElementsAre(Describe(last)));
  EXPECT_THAT(other_heard_.all(), ElementsAre(Describe(last)));
}

TEST_F(ChangeNotifierTest, AThousandWritesSendFarFewerNotifications) {
  constexpr int kWriters = 8;
  constexpr int kWrites = 125;
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  other_heard_.Await("post", 1);
  std::vector<std::jthread> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([this] {
      for (int n = 0; n < kWrites; ++n) Add("post", "text");
    });
  }
  writers.clear();
  EXPECT_EQ(other_heard_.Await("post", 1 + kWriters * kWrites),
            "post@1001 version 1 with 1000 as post");
  EXPECT_LT(other_heard_.all().size(), kWriters * kWrites / 4);
}

TEST_F(ChangeNotifierTest, ADryRunIsNotAnnounced) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  const std::string comment = Add("post", "text");
  const size_t heard = own_heard_.all().size();
  NewComment added = MakeComment("post", "text");
  added.validate_only = true;
  ASSERT_TRUE(Create(added).ok());
  ASSERT_TRUE(
      Update({.comment = *ParseCommentName(comment), .body = "other", .validate_only = true}).ok());
  EXPECT_EQ(own_heard_.all().size(), heard);
}

TEST_F(ChangeNotifierTest, AListenerIsNotCalledAfterItsSubscriptionEnds) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  other_heard_.Await("post", 1);
  std::jthread writer([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) Add("post", "text");
  });
  for (int round = 0; round < 100; ++round) {
    auto recorder = std::make_unique<Recorder>();
    auto own = store_->Subscribe(recorder->Listener());
    auto others = other_->Subscribe(recorder->Listener());
    if (round % 10 == 0) recorder->Await("post", 1);
    own.reset();
    others.reset();
    recorder.reset();  // a call from here on would use a destroyed object
  }
}

TEST_F(ChangeNotifierTest, WithoutNotificationsAServerHearsOnlyItsOwnChanges) {
  Recorder alone;
  std::unique_ptr<Store> apart = *NewPostgresStore({.url = url_, .notifications = false});
  const auto subscription = apart->Subscribe(alone.Listener());
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  other_heard_.Await("post", 1);
  ASSERT_TRUE(Await<PublishedArticle>([&](auto done) {
                apart->PublishArticle({}, MakeArticle("quiet"), {}, std::move(done));
              }).ok());
  EXPECT_THAT(alone.all(), ElementsAre("quiet@1 version 2 with 0 as quiet"));
  ASSERT_TRUE(Publish(MakeArticle("loud")).ok());
  EXPECT_EQ(other_heard_.Await("loud", 1), "loud@1 version 3 with 0 as loud");
  EXPECT_THAT(other_heard_.all(), Not(::testing::Contains("quiet@1 version 2 with 0 as quiet")));
  EXPECT_EQ(Sql(absl::StrCat("SELECT count(*) ", kSessions)), "2");
}

TEST_F(ChangeNotifierTest, IsDestroyedWithoutDelay) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(Open(url_).ok());
  const testing::Outage outage(url_);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(Open(url_).ok());
  other_subscription_.reset();
  other_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  other_ = *Open(url_);
}

}  // namespace
}  // namespace content::store
