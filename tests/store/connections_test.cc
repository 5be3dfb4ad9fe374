#include <csignal>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "store/store_fixture.h"
#include "support/await_that.h"
#include "support/locks.h"
#include "support/pending.h"
#include "support/proxy.h"

namespace content::store {
namespace {

class ConnectionsTest : public StoreTest {};

TEST_F(ConnectionsTest, DoesNotWorkForCallersWhoHaveGivenUp) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  const auto create = [this](CallContext context) {
    return Await<v1::Comment>([&](auto done) {
      store_->CreateComment(std::move(context), MakeComment("post", "late"), std::move(done));
    });
  };
  EXPECT_EQ(
      ReasonOf(create({.deadline = SteadyNow() - absl::Seconds(1), .cancelled = {}}).status()),
      "DEADLINE_EXCEEDED");
  EXPECT_EQ(ReasonOf(create({.cancelled = [] { return true; }}).status()), "CANCELLED");
  EXPECT_EQ(GetOne("post").comment_count(), 0);
}

TEST_F(ConnectionsTest, AStatementEndsWithTheDeadlineOfItsCaller) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  testing::Session session(url_);
  session.Run("BEGIN; " + testing::LockArticles(url_));
  const auto answer = Await<v1::Comment>([&](auto done) {
    store_->CreateComment({.deadline = SteadyNow() + absl::Milliseconds(200), .cancelled = {}},
                          MakeComment("post", "late"), std::move(done));
  });
  EXPECT_EQ(ReasonOf(answer.status()), "DEADLINE_EXCEEDED");
}

TEST_F(ConnectionsTest, AFullQueueRefusesCallsAtOnce) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  std::unique_ptr<Store> narrow =
      *NewPostgresStore({.url = url_, .write_connections = 1, .queue_limit = 1});
  testing::Session session(url_);
  session.Run("BEGIN; " + testing::LockArticles(url_));
  std::mutex mutex;
  std::vector<std::string> reasons;
  std::promise<void> refused;
  for (int i = 0; i < 3; ++i) {  // one runs, one waits, one is too many
    narrow->CreateComment({}, MakeComment("post", "x"), [&](absl::StatusOr<v1::Comment> answer) {
      const std::lock_guard lock(mutex);
      if (ReasonOf(answer.status()) == "OVERLOADED" && reasons.empty()) refused.set_value();
      reasons.push_back(ReasonOf(answer.status()));
    });
    if (i == 0) testing::AwaitWaitersForLocks(url_, 1);
  }
  refused.get_future().wait();
  session.Run("ROLLBACK");
  narrow.reset();
  EXPECT_EQ(reasons.size(), 3);
}

TEST_F(ConnectionsTest, SurvivesTheLossOfItsConnections) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  ASSERT_TRUE(Exists("post"));
  testing::Query(url_,
                 "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                 "WHERE datname = current_database() AND pid <> pg_backend_pid()");
  EXPECT_EQ(GetOne("post").revision(), 1);
  EXPECT_TRUE(Create(MakeComment("post", "still here")).ok());
}

TEST_F(ConnectionsTest, AWriteInDoubtIsNeverReportedAsNotDone) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  for (const auto cut : {testing::Proxy::Cut::kBeforeCommit, testing::Proxy::Cut::kAfterCommit}) {
    testing::Proxy proxy(url_);
    const std::unique_ptr<Store> store = *Open(proxy.url());
    proxy.CutNextCommit(cut, [&proxy] { proxy.Close(); });
    const auto answer = Await<v1::Comment>([&](auto done) {
      store->CreateComment({}, MakeComment("post", "perhaps"), std::move(done));
    });
    EXPECT_EQ(ReasonOf(answer.status()), "OUTCOME_UNKNOWN");
  }
  EXPECT_EQ(GetOne("post").comment_count(), 1) << "the one whose answer was lost";
}

TEST_F(ConnectionsTest, AWriteOnAConnectionThatWasLostWhileIdleIsNotInDoubt) {
  std::unique_ptr<Store> store =
      *NewPostgresStore({.url = url_, .read_connections = 1, .write_connections = 1});
  store_.swap(store);
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  ASSERT_TRUE(Create(MakeComment("post", "one")).ok());
  const std::string name = testing::Query(url_, "SELECT current_database()");
  const std::string other = testing::NewDatabase(/*migrated=*/false);
  testing::Query(other, "ALTER DATABASE " + name + " ALLOW_CONNECTIONS false");
  testing::Query(other,
                 "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '" +
                     name + "'");
  EXPECT_EQ(ReasonOf(Create(MakeComment("post", "two")).status()), "STORE_UNAVAILABLE");
  testing::Query(other, "ALTER DATABASE " + name + " ALLOW_CONNECTIONS true");
}

TEST_F(ConnectionsTest, ADatabaseThatStopsAnsweringIsCutOff) {
  std::unique_ptr<Store> store = *NewPostgresStore(
      {.url = url_, .read_connections = 1, .statement_timeout = absl::Milliseconds(100)});
  store_.swap(store);
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  ASSERT_TRUE(Exists("post"));
  // The backend of the connection for reads: the last that ran a statement on article.
  const std::string pid =
      testing::Query(url_,
                     "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
                     "AND query LIKE '% AS asked %JOIN article a %' AND pid <> pg_backend_pid()");
  ASSERT_NE(pid, "");
  ASSERT_EQ(kill(std::stoi(pid), SIGSTOP), 0);
  EXPECT_TRUE(Exists("post")) << "the connection is cut, and the read done on a new one";
  kill(std::stoi(pid), SIGCONT);
}

TEST_F(ConnectionsTest, AWriteCutOffIsDoneOnce) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  // The connection is killed while the write waits for the lock; its second attempt succeeds.
  testing::Session session(url_);
  session.Run("BEGIN; " + testing::LockArticles(url_));
  testing::Pending<v1::Comment> answer;
  store_->CreateComment({}, MakeComment("post", "once"), answer.callback());
  testing::AwaitThat([&] { return testing::TerminateWaitersForLocks(url_) > 0; });
  session.Run("ROLLBACK");
  EXPECT_TRUE(answer.Get().ok());
  EXPECT_EQ(GetOne("post").comment_count(), 1);
  EXPECT_EQ(ListBodies({.article_id = "post", .page_size = 5}).size(), 1);
}

TEST_F(ConnectionsTest, ChecksThatTheDatabaseTakesWrites) {
  const auto check = [this] {
    return Await<void>([this](Callback<void> done) { store_->Check({}, std::move(done)); });
  };
  EXPECT_TRUE(check().ok());
  testing::Query(url_, "ALTER DATABASE " + testing::Query(url_, "SELECT current_database()") +
                           " SET default_transaction_read_only = on");
  store_ = *Open(url_);
  EXPECT_EQ(ReasonOf(check()), "STORE_UNAVAILABLE");
}

// Whether a check says that the database takes writes, and has a connection for each kind of work.
bool IsHealthy(Store& store) {
  return Await<void>([&](Callback<void> done) { store.Check({}, std::move(done)); }).ok();
}

TEST_F(ConnectionsTest, IsHealthyAgainAfterTheDatabaseWasReadOnly) {
  const std::string database = testing::Query(url_, "SELECT current_database()");
  const auto kill_sessions = [this] {
    testing::Query(url_,
                   "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                   "WHERE datname = current_database() AND pid <> pg_backend_pid()");
  };
  EXPECT_TRUE(IsHealthy(*store_));
  testing::Query(url_, "ALTER DATABASE " + database + " SET default_transaction_read_only = on");
  kill_sessions();
  EXPECT_FALSE(IsHealthy(*store_));
  EXPECT_FALSE(IsHealthy(*store_));
  testing::Query(url_ + " options='-c default_transaction_read_only=off'",
                 "ALTER DATABASE " + database + " RESET default_transaction_read_only");
  EXPECT_TRUE(IsHealthy(*store_));
}

TEST_F(ConnectionsTest, IsHealthyOnlyWithAConnectionForEachKindOfWork) {
  testing::Query(url_, "GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC");
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  // Reads, comments, publishing and checks have a pool each.
  for (int limit = 0; limit <= 5; ++limit) {
    store_ = *NewPostgresStore(
        {.url = testing::UrlOfNewRole(url_, absl::StrCat("CONNECTION LIMIT ", limit)),
         .notifications = false});
    EXPECT_EQ(IsHealthy(*store_), limit >= 4) << limit;
    EXPECT_EQ(IsHealthy(*store_), limit >= 4) << limit;
    if (limit < 4) continue;
    std::vector<testing::Pending<v1::Comment>> comments(20);
    for (auto& comment : comments) {
      store_->CreateComment({}, MakeComment("post", "text"), comment.callback());
      EXPECT_TRUE(Exists("post"));
      EXPECT_TRUE(List({.article_id = "post", .page_size = 5}).ok());
    }
    for (auto& comment : comments) EXPECT_TRUE(comment.Get().ok());
  }
  const std::string url = testing::UrlOfNewRole(url_);
  const std::string role = testing::Query(url, "SELECT current_user");
  testing::Query(url_, absl::StrCat("ALTER ROLE ", role, " CONNECTION LIMIT 3"));
  store_ = *NewPostgresStore({.url = url, .notifications = false});
  EXPECT_FALSE(IsHealthy(*store_));
  testing::Query(url_, absl::StrCat("ALTER ROLE ", role, " CONNECTION LIMIT -1"));
  testing::AwaitThat([&] { return IsHealthy(*store_); });
}

TEST_F(ConnectionsTest, AMissingRightIsInternalAndNotInDoubt) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  testing::Query(url_, "GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC");
  store_ = *Open(testing::UrlOfNewRole(url_));
  ASSERT_TRUE(Create(MakeComment("post", "text")).ok());
  for (const char* right : {"INSERT ON comment", "UPDATE ON article_state"}) {
    testing::Query(url_, absl::StrCat("REVOKE ", right, " FROM PUBLIC"));
    EXPECT_EQ(ReasonOf(Create(MakeComment("post", "text")).status()), "INTERNAL") << right;
    testing::Query(url_, "GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC");
  }
  testing::Query(url_, "REVOKE SELECT ON article FROM PUBLIC");
  EXPECT_EQ(ReasonOf(Read("post").status()), "INTERNAL");
}

TEST_F(ConnectionsTest, AnEmptiedFeedIsInternal) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  testing::Query(url_, "DELETE FROM article_feed");
  EXPECT_EQ(ReasonOf(Publish(MakeArticle("other")).status()), "INTERNAL");
  EXPECT_EQ(ReasonOf(Publish(MakeArticle("post", "Other text.")).status()), "INTERNAL");
  EXPECT_EQ(ReasonOf(Await<ArticleChanges>([this](auto done) {
                       store_->ReadArticleChanges({}, {}, std::move(done));
                     }).status()),
            "INTERNAL");
  EXPECT_EQ(ReasonOf(Await<ArticleCursor>([this](auto done) {
                       store_->GetArticleCursor({}, std::move(done));
                     }).status()),
            "INTERNAL");
  EXPECT_TRUE(Exists("post"));
}

TEST_F(ConnectionsTest, SlowSearchesDoNotHoldUpReadsByKey) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  const std::string comment = Add("post", "text");
  testing::Session session(url_);
  session.Run("BEGIN; LOCK TABLE article_search");
  std::vector<testing::Pending<Page<v1::SearchResult>>> searches(4);
  for (auto& search : searches) {
    store_->SearchArticles({}, {.text = "text", .page_size = 5}, search.callback());
  }
  testing::AwaitWaitersForLocks(url_, 2);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(Exists("post"));
    EXPECT_TRUE(GetComment(comment).ok());
    EXPECT_TRUE(List({.article_id = "post", .page_size = 5}).ok());
  }
  EXPECT_EQ(testing::WaitersForLocks(url_), 2) << "the others wait for a connection";
  session.Run("ROLLBACK");
  for (auto& search : searches) EXPECT_TRUE(search.Get().ok());
}

TEST_F(ConnectionsTest, ASingleConnectionServesSearchesReadsAndWrites) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  store_ = *NewPostgresStore({.url = url_, .read_connections = 1, .write_connections = 1});
  EXPECT_TRUE(Exists("post"));
  EXPECT_TRUE(Search({.text = "text", .page_size = 5}).ok());
  EXPECT_TRUE(Create(MakeComment("post", "text")).ok());
}

TEST(UnreachableStore, IsUnavailable) {
  std::unique_ptr<Store> store =
      *NewPostgresStore({.url = "host=" + testing::ScratchDirectory() + "/nowhere dbname=x"});
  const auto answer = Await<std::optional<EncodedArticle>>(
      [&](auto done) { store->ReadArticle({}, "post", v1::ARTICLE_VIEW_FULL, std::move(done)); });
  EXPECT_EQ(ReasonOf(answer.status()), "STORE_UNAVAILABLE");
  EXPECT_EQ(answer.status().message(), "the database cannot be reached");
}

TEST(UnreachableStore, AnInvalidUrlIsRefusedWithoutShowingIt) {
  const auto store = NewPostgresStore({.url = "postgres://user:secret@[::1/x"});
  EXPECT_EQ(store.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(store.status().message()),
              ::testing::Not(::testing::HasSubstr("secret")));
}

}  // namespace
}  // namespace content::store
