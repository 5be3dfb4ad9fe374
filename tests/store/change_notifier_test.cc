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
#include "store/store_fixture.h"

namespace content::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::chrono::seconds kPatience{30};

constexpr char kSessions[] =
    "FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '% "
    "notifications' "
    "AND wait_event = 'ClientRead'";

std::string Describe(const ChangeNotice& news) {
  return absl::StrCat(news.state.article_id, "@", news.state.revision, " version ",
                      news.state.version, " with ", news.state.comment_count, " as ", news.name);
}

// What a sink was told.
class Heard {
 public:
  ChangeListener Sink() {
    return [this](const ChangeNotice& news) {
      const std::lock_guard lock(mutex_);
      all_.push_back(Describe(news));
      ChangeNotice& latest = latest_[news.state.article_id];
      if (latest.state.revision < news.state.revision) latest = news;
      changed_.notify_all();
    };
  }

  // The latest of an article, once its revision is this or later.
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

class NewsTest : public StoreTest {
 protected:
  NewsTest() { AwaitSessions("2"); }

  // Until so many sessions listen, and have nothing to do.
  void AwaitSessions(const std::string& count) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    testing::Session session(url_);
    while (session.Run(absl::StrCat("SELECT count(*) ", kSessions)) != count) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "there are not " << count << " sessions";
      std::this_thread::yield();
    }
  }

  // What becomes of a comment that the first store has.
  absl::StatusOr<v1::Comment> EditBody(const std::string& name, const std::string& body) {
    return Update({.comment = *ParseCommentName(name), .body = body});
  }

  Heard own_;
  Heard heard_;
  std::unique_ptr<Store> other_ = *Open(url_);
  std::unique_ptr<Subscription> own_news_ = store_->Subscribe(own_.Sink());
  std::unique_ptr<Subscription> others_news_ = other_->Subscribe(heard_.Sink());
};

TEST_F(NewsTest, PublishingReachesTheOtherInstanceWithTheRightState) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  EXPECT_EQ(heard_.Await("post", 1), "post@1 version 1 with 0 as post");
  ASSERT_TRUE(Publish(MakeArticle("post", "Other text.")).ok());
  EXPECT_EQ(heard_.Await("post", 2), "post@2 version 2 with 0 as post");
  v1::Article title;
  title.set_title("Another title");
  ASSERT_TRUE(Edit({.id = "post", .article = title, .paths = {"title"}}).ok());
  EXPECT_EQ(heard_.Await("post", 3), "post@3 version 3 with 0 as post");
  ASSERT_TRUE(Rename({.id = "post", .new_id = "page"}).ok());
  EXPECT_EQ(heard_.Await("post", 4), "post@4 version 4 with 0 as page");
  ASSERT_TRUE(Retract("page").ok());
  EXPECT_EQ(heard_.Await("post", 5), "post@5 version 5 with 0 as page");
}

TEST_F(NewsTest, CommentsReachTheOtherInstanceWithTheRightState) {
  ASSERT_TRUE(Publish(MakeArticle("other")).ok());
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  const std::string first = Add("post", "first");
  EXPECT_EQ(heard_.Await("post", 2), "post@2 version 2 with 1 as post");
  const std::string reply = Add("post", "reply", first);
  EXPECT_EQ(heard_.Await("post", 3), "post@3 version 2 with 2 as post");
  ASSERT_TRUE(EditBody(reply, "edited").ok());
  EXPECT_EQ(heard_.Await("post", 4), "post@4 version 2 with 2 as post");
  ASSERT_TRUE(Moderate(reply, v1::COMMENT_STATE_HIDDEN).ok());
  EXPECT_EQ(heard_.Await("post", 5), "post@5 version 2 with 1 as post");
  ASSERT_TRUE(Delete(first).ok());
  EXPECT_EQ(heard_.Await("post", 6), "post@6 version 2 with 0 as post");
  ASSERT_TRUE(Publish(MakeArticle("post", "Other text.")).ok());
  EXPECT_EQ(heard_.Await("post", 7), "post@7 version 3 with 0 as post");
}

TEST_F(NewsTest, ErasuresAndRepairsReachTheOtherInstance) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  Add("post", "first");
  Add("post", "second");
  ASSERT_TRUE(Erase("user-1").ok());
  EXPECT_EQ(heard_.Await("post", 5), "post@5 version 1 with 0 as post");
  Sql("UPDATE article_state SET comment_count = 7");
  ASSERT_TRUE(Verify({.article_id = "post", .repair = true}).ok());
  EXPECT_EQ(heard_.Await("post", 6), "post@6 version 1 with 0 as post");
}

TEST_F(NewsTest, OwnChangesAreToldBeforeTheirWriterIsAnswered) {
  const auto told = [this](const std::string& last) {
    const auto all = own_.all();
    return std::find(all.begin(), all.end(), last) != all.end();
  };
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  EXPECT_TRUE(told("post@1 version 1 with 0 as post"));
  const std::string comment = Add("post", "first");
  EXPECT_TRUE(told("post@2 version 1 with 1 as post"));
  ASSERT_TRUE(EditBody(comment, "edited").ok());
  EXPECT_TRUE(told("post@3 version 1 with 1 as post"));
  ASSERT_TRUE(Delete(comment).ok());
  EXPECT_TRUE(told("post@4 version 1 with 0 as post"));
  ASSERT_TRUE(Rename({.id = "post", .new_id = "page"}).ok());
  EXPECT_TRUE(told("post@5 version 2 with 0 as page"));
  ASSERT_TRUE(Retract("page").ok());
  EXPECT_TRUE(told("post@6 version 3 with 0 as page"));
}

TEST_F(NewsTest, OwnChangesDoNotComeBack) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  heard_.Await("post", 1);
  // What the other one says comes after what this one said.
  ASSERT_TRUE(Await<PublishedArticle>([&](auto done) {
                other_->PublishArticle({}, MakeArticle("answer"), {}, std::move(done));
              }).ok());
  own_.Await("answer", 1);
  EXPECT_THAT(own_.all(), ElementsAre("post@1 version 1 with 0 as post",
                                      "answer@1 version 2 with 0 as answer"));
}

TEST_F(NewsTest, ARepeatedWriteIsToldAgain) {
  const PublishOptions options{.request = {.id = NewUuid(absl::Now()), .fingerprint = "00"}};
  ASSERT_TRUE(Publish(MakeArticle("post"), options).ok());
  Add("post", "first");
  ASSERT_TRUE(Publish(MakeArticle("post"), options).ok());
  EXPECT_EQ(own_.all().back(), "post@2 version 1 with 1 as post");
}

TEST_F(NewsTest, HearsAgainAfterItsConnectionWasLost) {
  for (int round = 1; round <= 2; ++round) {
    const std::string pids = absl::StrCat("SELECT string_agg(pid::text, ' ') ", kSessions);
    const std::string before = Sql(pids);
    Sql(absl::StrCat("SELECT count(pg_terminate_backend(pid, 10000)) ", kSessions));
    AwaitSessions("2");
    EXPECT_NE(Sql(pids), before);
    ASSERT_TRUE(Publish(MakeArticle("post", absl::StrCat("Text ", round))).ok());
    EXPECT_EQ(heard_.Await("post", round),
              absl::StrCat("post@", round, " version ", round, " with 0 as post"));
  }
}

TEST_F(NewsTest, WhatIsNotOfOursIsIgnored) {
  testing::Session session(url_);
  for (const char* garbage :
       {"", "hello", "1 2 3 post", "1 2 3 post post 4", "x 2 3 post post", "1 2 3 Post post",
        "1 2 3 post po/st", "99999999999999999999 2 3 post post", "\n\n", "{\"revision\": 1}",
        "1 2 3  post", "\xf0\x9f\x8e\x89"}) {
    session.Run(absl::StrCat("SELECT pg_notify('content_articles', '", garbage, "')"));
  }
  session.Run("SELECT pg_notify('other_channel', '1 2 3 post post')");
  session.Run("SELECT pg_notify('content_articles', E'nonsense\\n7 5 3 good better\\nnonsense')");
  EXPECT_EQ(heard_.Await("good", 7), "good@7 version 3 with 5 as better");
  EXPECT_THAT(heard_.all(), ElementsAre("good@7 version 3 with 5 as better"));
}

// The longest names there can be, more of them than one notification holds.
TEST_F(NewsTest, ManyArticlesAreToldOfAtOnce) {
  ChangeNotifier sender(url_, /*notifications=*/true);
  std::vector<ChangeNotice> news;
  for (int64_t i = 0; i < 3000; ++i) {
    std::string id = absl::StrCat("a", i);
    id.resize(kMaxArticleIdLength, 'x');
    news.push_back({.state = {.article_id = id, .revision = INT64_MAX - i}, .name = id});
  }
  sender.Announce(news);
  for (const ChangeNotice& item : news) {
    EXPECT_EQ(heard_.Await(item.state.article_id, item.state.revision), Describe(item));
  }
}

TEST_F(NewsTest, AThousandWritesTakeFarFewerNotifications) {
  constexpr int kWriters = 8;
  constexpr int kWrites = 125;
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  heard_.Await("post", 1);
  std::vector<std::jthread> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([this] {
      for (int n = 0; n < kWrites; ++n) Add("post", "text");
    });
  }
  writers.clear();
  EXPECT_EQ(heard_.Await("post", 1 + kWriters * kWrites), "post@1001 version 1 with 1000 as post");
  EXPECT_LT(heard_.all().size(), kWriters * kWrites / 4);
}

TEST_F(NewsTest, WhoHasUnsubscribedIsNotCalledAnyMore) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  heard_.Await("post", 1);
  std::jthread writer([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) Add("post", "text");
  });
  for (int round = 0; round < 100; ++round) {
    auto told = std::make_unique<Heard>();
    auto own = store_->Subscribe(told->Sink());
    auto others = other_->Subscribe(told->Sink());
    if (round % 10 == 0) told->Await("post", 1);
    own.reset();
    others.reset();
    told.reset();  // a call now would find it gone
  }
}

TEST_F(NewsTest, WithoutNotificationsOnlyOwnChangesAreHeard) {
  Heard alone;
  std::unique_ptr<Store> apart = *NewPostgresStore({.url = url_, .notifications = false});
  const auto subscription = apart->Subscribe(alone.Sink());
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  heard_.Await("post", 1);
  ASSERT_TRUE(Await<PublishedArticle>([&](auto done) {
                apart->PublishArticle({}, MakeArticle("quiet"), {}, std::move(done));
              }).ok());
  EXPECT_THAT(alone.all(), ElementsAre("quiet@1 version 2 with 0 as quiet"));
  ASSERT_TRUE(Publish(MakeArticle("loud")).ok());
  EXPECT_EQ(heard_.Await("loud", 1), "loud@1 version 3 with 0 as loud");
  EXPECT_THAT(heard_.all(), Not(::testing::Contains("quiet@1 version 2 with 0 as quiet")));
  EXPECT_EQ(Sql(absl::StrCat("SELECT count(*) ", kSessions)), "2");
}

TEST_F(NewsTest, EndsAtOnce) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(Open(url_).ok());
  const testing::Outage outage(url_);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(Open(url_).ok());
  others_news_.reset();
  other_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  other_ = *Open(url_);
}

}  // namespace
}  // namespace content::store
