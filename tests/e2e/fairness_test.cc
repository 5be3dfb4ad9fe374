// What a client that has thousands of calls outstanding does to one that makes one after the other.

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "support/await_that.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"
#include "support/locks.h"

namespace content::testing {
namespace {

using Stub = v1::ContentService::Stub;
using Done = std::function<void(grpc::Status)>;

constexpr int kGreedyCalls = 3'000;
constexpr int kModestCalls = 100;
constexpr int kMinAnswered = 95;

// Has many calls outstanding, on a connection of its own.
template <class Request, class Response>
class GreedyClient {
 public:
  using Begin =
      std::function<void(Stub&, grpc::ClientContext&, const Request&, Response&, Done done)>;

  GreedyClient(const std::string& address, Request request, Begin begin)
      : client_(address, OwnConnection()), request_(std::move(request)), begin_(std::move(begin)) {}

  // Waits for the calls that are outstanding.
  ~GreedyClient() {
    persists_ = false;
    std::unique_lock lock(mutex_);
    all_answered_.wait(lock, [this] { return outstanding_ == 0; });
  }

  // If it persists, it makes two more calls whenever one is answered with OK, until it is
  // destroyed: its places stay taken, and further calls are refused.
  void MakeCalls(bool persists) {
    persists_ = persists;
    MakeCalls(kGreedyCalls);
  }

  int answered() const { return answered_; }
  int refused() const { return refused_; }
  int refused_without_retry_info() const { return refused_without_retry_info_; }

 private:
  struct Attempt {
    grpc::ClientContext context;
    Response response;
  };

  void MakeCalls(int count) {
    {
      const std::lock_guard lock(mutex_);
      outstanding_ += count;
    }
    for (int i = 0; i < count; ++i) Call();
  }

  void Call() {
    auto attempt = std::make_shared<Attempt>();
    // The attempt ends first, because it holds the connection: gRPC's own thread must not close it.
    begin_(client_.content(), attempt->context, request_, attempt->response,
           [this, attempt](const grpc::Status& status) mutable {
             attempt.reset();
             OnAnswer(status);
           });
  }

  void OnAnswer(const grpc::Status& status) {
    if (status.ok()) ++answered_;
    if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
      if (!HasRetryInfo(status)) ++refused_without_retry_info_;
      ++refused_;
    }
    if (status.ok() && persists_) MakeCalls(2);
    const std::lock_guard lock(mutex_);
    if (--outstanding_ == 0) all_answered_.notify_all();
  }

  const Client client_;
  const Request request_;
  const Begin begin_;
  std::atomic<bool> persists_ = false;
  std::atomic<int> answered_ = 0;
  std::atomic<int> refused_ = 0;
  std::atomic<int> refused_without_retry_info_ = 0;
  std::mutex mutex_;
  std::condition_variable all_answered_;
  int outstanding_ = 0;  // Guarded by mutex_.
};

using GreedySearcher = GreedyClient<v1::SearchArticlesRequest, v1::SearchArticlesResponse>;
using GreedyWriter = GreedyClient<v1::CreateCommentRequest, v1::CreateCommentResponse>;

class FairnessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(modest_.Publish(MakeArticle("story")).ok());
    ASSERT_TRUE(modest_.Publish(MakeArticle("other")).ok());
  }

  GreedySearcher SearchGreedily(v1::SearchArticlesRequest request) {
    return {server_.address(), std::move(request),
            [](Stub& stub, auto& context, const auto& search, auto& response, Done done) {
              stub.async()->SearchArticles(&context, &search, &response, std::move(done));
            }};
  }

  GreedyWriter WriteGreedily(v1::CreateCommentRequest request) {
    return {server_.address(), std::move(request),
            [](Stub& stub, auto& context, const auto& comment, auto& response, Done done) {
              stub.async()->CreateComment(&context, &comment, &response, std::move(done));
            }};
  }

  // Makes one call after the other. Returns how many are answered with OK.
  template <class Request, class Response>
  int CountAnswered(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request) {
    int answered = 0;
    for (int i = 0; i < kModestCalls; ++i) {
      Response response;
      if (Client::Call(method, modest_.content(), request, response).ok()) ++answered;
    }
    return answered;
  }

  const std::string url_ = NewDatabase();
  ContentdServer server_{{"--database-url", url_, "--statement-timeout", "5m"}};
  const Client modest_{server_.address(), OwnConnection()};
};

TEST_F(FairnessTest, SearchesTakeTurns) {
  v1::SearchArticlesRequest request;
  request.set_query("story");
  GreedySearcher greedy = SearchGreedily(request);
  greedy.MakeCalls(/*persists=*/true);
  AwaitThat([&] { return greedy.refused() > 0; });
  EXPECT_GE(CountAnswered(&Stub::SearchArticles, request), kMinAnswered);
  EXPECT_GT(greedy.answered(), 0);
  EXPECT_EQ(greedy.refused_without_retry_info(), 0);
}

TEST_F(FairnessTest, CommentsOnOneArticleTakeTurns) {
  const v1::CreateCommentRequest request = MakeCommentRequest("story", "text");
  GreedyWriter greedy = WriteGreedily(request);
  greedy.MakeCalls(/*persists=*/true);
  AwaitThat([&] { return greedy.refused() > 0; });
  EXPECT_GE(CountAnswered(&Stub::CreateComment, request), kMinAnswered);
  EXPECT_GT(greedy.answered(), 0);
  EXPECT_EQ(greedy.refused_without_retry_info(), 0);
}

// The greedy client's calls wait for a lock as long as the test likes.
TEST_F(FairnessTest, CallsThatWaitLeaveRoomForThoseOfAnotherClient) {
  GreedyWriter greedy = WriteGreedily(MakeCommentRequest("story", "text"));
  Session session(url_);
  session.Run("BEGIN; " + LockArticles(url_, "first_name = 'story'"));
  greedy.MakeCalls(/*persists=*/false);
  // It may have half of the 1,000 places, and what was taken from the queue before it was full.
  AwaitThat([&] { return greedy.refused() > kGreedyCalls / 2; });
  EXPECT_GE(CountAnswered(&Stub::CreateComment, MakeCommentRequest("other", "text")), kMinAnswered);
  EXPECT_EQ(greedy.answered(), 0);
  EXPECT_EQ(greedy.refused_without_retry_info(), 0);
  session.Run("ROLLBACK");
  AwaitThat([&] { return greedy.answered() + greedy.refused() == kGreedyCalls; });
  EXPECT_GT(greedy.answered(), 0);
}

}  // namespace
}  // namespace content::testing
