// How writes of comments share connections. See unit/postgres/coalescer_test.cc for tests that need
// no database.

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "postgres/coalescer.h"
#include "postgres/dsn.h"
#include "postgres/hold.h"
#include "postgres/pool.h"
#include "postgres/write_policy.h"
#include "store/comments/batch.h"
#include "store/comments/write.h"
#include "store/store_fixture.h"
#include "support/locks.h"
#include "support/pending.h"

namespace content::store {
namespace {

using testing::Pending;
using Changes = std::vector<Called<CommentChange>*>;

class WriteCoalescingTest : public StoreTest {
 protected:
  using Writes = postgres::Coalescer<postgres::WritePolicy<Called<CommentChange>, v1::Comment>>;

  void SetUp() override {
    for (const char* id : {"post", "other"}) ASSERT_TRUE(Publish(MakeArticle(id)).ok());
  }

  void UseWork(Writes::Policy::Work work) {
    writes_.emplace(*pool_, Writes::Policy(
                                [](const Called<CommentChange>& change) -> const std::string& {
                                  return store::ArticleOf(change.write);
                                },
                                std::move(work)));
  }

  void Add(const std::string& article, const std::string& body, Pending<v1::Comment>& answer,
           CallContext context = {}) {
    writes_->Add(std::move(context), {MakeComment(article, body)}, answer.callback());
  }

  // Takes the article's lock, so that writes to it wait until Unlock.
  void Lock(const std::string& article) {
    session_.Run("BEGIN; " +
                 testing::LockArticles(url_, absl::StrCat("first_name = '", article, "'")));
  }
  void Unlock() { session_.Run("ROLLBACK"); }

  static std::vector<CommentAnswer> Write(postgres::Connection& connection, const Changes& changes,
                                          postgres::WriteMode mode) {
    static ArticleNames names;
    names.Clear();  // another test has another database
    return WriteComments(connection, names, changes, mode, [](const auto&) {});
  }

  // Makes the first attempt of a batch fail by `statement`. The batch has a write to an article
  // that is locked, and one to another.
  void ExpectOtherGoesOn(const std::string& statement) {
    std::atomic<bool> fails = true;
    UseWork(
        [&](postgres::Connection& connection, const Changes& changes, postgres::WriteMode mode) {
          if (fails.exchange(false)) connection.Run(statement);
          return Write(connection, changes, mode);
        });
    Lock("post");
    Pending<v1::Comment> waits, goes_on;
    {
      const postgres::Hold hold(*pool_);
      Add("post", "waits", waits);
      Add("other", "goes on", goes_on);
    }
    const auto comment = goes_on.Get();
    EXPECT_TRUE(comment.ok()) << comment.status();
    EXPECT_FALSE(fails);
    EXPECT_FALSE(waits.is_answered());
    Unlock();
    EXPECT_TRUE(waits.Get().ok());
    EXPECT_EQ(Sql("SELECT sum(comment_count) FROM article_state"), "2");
  }

  testing::Session session_{url_};
  std::optional<Writes> writes_;  // outlives the pool
  std::optional<postgres::Pool> pool_{postgres::Pool::Options{
      .name = "test",
      .database = std::make_shared<postgres::KnownDatabase>(*postgres::CompleteDsn(url_))}};
};

TEST_F(WriteCoalescingTest, AfterACollisionALockedArticleHoldsUpNobody) {
  ExpectOtherGoesOn("DO $$ BEGIN RAISE 'made up' USING ERRCODE = '40001'; END $$");
}

TEST_F(WriteCoalescingTest, AfterTheLossOfAConnectionALockedArticleHoldsUpNobody) {
  ExpectOtherGoesOn("SELECT pg_terminate_backend(pg_backend_pid())");
}

TEST_F(WriteCoalescingTest, EveryWriteIsAnsweredWhenThePoolEnds) {
  UseWork(Write);
  Lock("post");
  Pending<v1::Comment> runs;
  Add("post", "runs", runs, {.deadline = SteadyNow() + absl::Seconds(5), .cancelled = {}});
  testing::AwaitWaitersForLocks(url_, 1);
  std::vector<Pending<v1::Comment>> waiting(40);
  for (size_t i = 0; i < waiting.size(); i += 2) {
    Add("post", "waits", waiting[i]);       // for those before it
    Add("other", "waits", waiting[i + 1]);  // for a connection
  }
  pool_.reset();
  EXPECT_TRUE(runs.is_answered());
  int done = 0;
  for (Pending<v1::Comment>& answer : waiting) {
    ASSERT_TRUE(answer.is_answered());
    const auto comment = answer.Get();
    if (comment.ok()) {
      ++done;
    } else if (ReasonOf(comment.status()) != "DEADLINE_EXCEEDED") {
      EXPECT_EQ(ReasonOf(comment.status()), "STORE_UNAVAILABLE");
    }  // the others: the machine was too slow to end the pool in time
  }
  EXPECT_EQ(Sql("SELECT count(*) FROM comment"), absl::StrCat(done));
}

}  // namespace
}  // namespace content::store
