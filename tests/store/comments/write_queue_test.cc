// What becomes of writes that wait for a connection, whatever is done with them there.

#include "store/comments/write_queue.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <utility>
#include <vector>

#include "postgres/hold.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

using ::testing::UnorderedElementsAre;

using Answer = std::future<absl::StatusOr<v1::Comment>>;
using Changes = std::vector<const CommentChange*>;

class WriteQueueTest : public StoreTest {
 protected:
  void SetUp() override {
    for (const char* id : {"post", "other"}) ASSERT_TRUE(Publish(MakeArticle(id)).ok());
  }

  // The queue does `work`.
  void UseWork(WriteQueue::Work work) { queue_.emplace(*pool_, std::move(work)); }

  Answer Add(const std::string& article, const std::string& body, CallContext context = {}) {
    auto promise = std::make_shared<std::promise<absl::StatusOr<v1::Comment>>>();
    queue_->Add(
        std::move(context), MakeComment(article, body),
        [promise](absl::StatusOr<v1::Comment> comment) { promise->set_value(std::move(comment)); });
    return promise->get_future();
  }

  // Takes the article's lock, so that what writes to it waits until Unlock.
  void Lock(const std::string& article) {
    session_.Run(absl::StrCat("BEGIN; SELECT FROM article_state WHERE article_id = '", article,
                              "' FOR UPDATE"));
  }
  void Unlock() { session_.Run("ROLLBACK"); }

  static std::vector<CommentAnswer> Write(postgres::Connection& connection, const Changes& changes,
                                          LockWait wait, bool in_doubt) {
    return WriteComments(connection, changes, wait, in_doubt, [](const auto&) {});
  }

  static bool IsReady(const Answer& answer) {
    return answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }

  testing::Session session_{url_};
  std::optional<WriteQueue> queue_;  // outlives the pool
  std::optional<postgres::Pool> pool_{postgres::Pool::Options{.name = "test", .url = url_}};
};

// Makes the first attempt of a batch fail that has a write to an article that is locked, and one to
// another.
class RetryTest : public WriteQueueTest {
 protected:
  void ExpectOtherGoesOn(const std::function<void()>& fail) {
    std::atomic<bool> fails = true;
    UseWork([&](postgres::Connection& connection, const Changes& changes, LockWait wait,
                bool in_doubt) {
      if (fails.exchange(false)) fail();
      return Write(connection, changes, wait, in_doubt);
    });
    Lock("post");
    Answer waits;
    Answer goes_on;
    {
      const postgres::Hold hold(*pool_);
      waits = Add("post", "waits");
      goes_on = Add("other", "goes on");
    }
    const auto comment = goes_on.get();
    EXPECT_TRUE(comment.ok()) << comment.status();
    EXPECT_FALSE(fails);
    EXPECT_FALSE(IsReady(waits));
    Unlock();
    EXPECT_TRUE(waits.get().ok());
    EXPECT_EQ(Sql("SELECT sum(comment_count) FROM article_state"), "2");
  }
};

TEST_F(RetryTest, AfterACollisionIsNotHeldUpByALockedArticle) {
  ExpectOtherGoesOn([] { throw pqxx::transaction_rollback("made up"); });
}

TEST_F(RetryTest, AfterTheLossOfAConnectionIsNotHeldUpByALockedArticle) {
  ExpectOtherGoesOn([] { throw pqxx::broken_connection("made up"); });
}

TEST_F(WriteQueueTest, WhatMadeABatchFailStaysAloneWhenItsArticleIsLocked) {
  std::mutex mutex;
  std::vector<std::string> batches;
  Answer late;
  UseWork([&](postgres::Connection&, const Changes& changes, LockWait wait, bool) {
    std::string bodies;
    for (const CommentChange* change : changes) bodies += std::get<NewComment>(*change).body;
    const std::lock_guard lock(mutex);
    batches.push_back(bodies);
    if (bodies == "ab") throw pqxx::data_exception("made up", "", "22021");
    if (bodies == "a" && wait == LockWait::kSkip) {
      late = Add("post", "c");
      return std::vector<CommentAnswer>{std::nullopt};
    }
    return std::vector<CommentAnswer>(changes.size(), v1::Comment());
  });
  Answer first;
  Answer second;
  {
    const postgres::Hold hold(*pool_);
    first = Add("post", "a");
    second = Add("other", "b");
  }
  EXPECT_TRUE(first.get().ok());
  EXPECT_TRUE(second.get().ok());
  EXPECT_TRUE(late.get().ok());
  pool_.reset();
  EXPECT_THAT(batches, UnorderedElementsAre("ab", "a", "a", "b", "c"));
}

TEST_F(WriteQueueTest, EveryWriteIsAnsweredWhenThePoolEnds) {
  UseWork(Write);
  Lock("post");
  const Answer runs =
      Add("post", "runs", {.deadline = SteadyNow() + absl::Seconds(5), .cancelled = {}});
  testing::AwaitWaitersForLocks(url_, 1);
  std::vector<Answer> waiting;
  for (int i = 0; i < 20; ++i) {
    waiting.push_back(Add("post", "waits"));   // for those before it
    waiting.push_back(Add("other", "waits"));  // for a connection
  }
  pool_.reset();
  EXPECT_TRUE(IsReady(runs));
  int done = 0;
  for (Answer& answer : waiting) {
    ASSERT_TRUE(IsReady(answer));
    const auto comment = answer.get();
    if (comment.ok()) {
      ++done;
    } else if (ReasonOf(comment.status()) != "DEADLINE_EXCEEDED") {
      EXPECT_EQ(ReasonOf(comment.status()), "STORE_UNAVAILABLE");
    }  // the others: if the machine was too slow to end the pool in time
  }
  EXPECT_EQ(Sql("SELECT count(*) FROM comment"), absl::StrCat(done));
}

}  // namespace
}  // namespace content::store
