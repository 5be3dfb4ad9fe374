// What a server does when its memory is short.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "support/await_that.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"
#include "support/locks.h"

namespace content::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Stub = v1::ContentService::Stub;

// Sanitizers keep what was freed.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kKeepsFreedMemory = true;
#else
constexpr bool kKeepsFreedMemory = false;
#endif

constexpr int kBytesPerWrite = 200'000;
constexpr int kBytesOfWrites = 12'000'000;

// A server that has an article in its cache.
class MemoryServer {
 public:
  explicit MemoryServer(const std::string& url, const std::string& memory_limit)
      : server_({"--database-url", url, "--cache-bytes", "4MiB", "--memory-limit", memory_limit,
                 "--statement-timeout", "5m"}),
        client_(server_.address()) {
    EXPECT_TRUE(client_.Publish(MakeArticle("hot")).ok());
    EXPECT_TRUE(Get().ok());
    EXPECT_TRUE(List().ok());
  }

  // A read from the cache.
  grpc::Status Get() const {
    v1::GetArticleRequest request;
    request.set_name("articles/hot");
    v1::GetArticleResponse response;
    return Client::Call(&Stub::GetArticle, client_.content(), request, response);
  }

  // A read from the database.
  grpc::Status List() const {
    v1::ListArticlesResponse response;
    return Client::Call(&Stub::ListArticles, client_.content(), v1::ListArticlesRequest(),
                        response);
  }

  grpc::Status Watch() const {
    v1::WatchArticlesRequest request;
    Stream<v1::WatchArticlesResponse> stream(&Stub::WatchArticles, client_.content(), request);
    EXPECT_FALSE(stream.Read());
    return stream.Finish();
  }

  v1::MemoryInfo Memory() const { return Info().memory(); }

  int64_t CountWaitingWrites() const {
    const v1::GetServerInfoResponse info = Info();
    for (const v1::PoolInfo& pool : info.store().pools()) {
      if (pool.name() == "publishing") return pool.waiting_calls();
    }
    ADD_FAILURE() << "there is no pool for publishing";
    return 0;
  }

  ContentdServer& process() { return server_; }
  const std::string& address() const { return server_.address(); }
  const Client& client() const { return client_; }

 private:
  v1::GetServerInfoResponse Info() const {
    v1::GetServerInfoResponse info;
    EXPECT_TRUE(Client::Call(&v1::AdminService::Stub::GetServerInfo, client_.admin(),
                             v1::GetServerInfoRequest(), info)
                    .ok());
    return info;
  }

  ContentdServer server_;
  const Client client_;
};

// Large writes that wait for a small one to the same article, which is locked. The server holds
// their requests in memory. Given up before they are sent to the database: libpq would keep buffers
// of their size. gRPC keeps such buffers for each connection, so the writes have one of their own,
// which ends with them.
class WaitingWrites {
 public:
  // Adds one write after the other until the server refuses one for lack of memory.
  WaitingWrites(const std::string& url, const MemoryServer& server)
      : session_(url), client_(server.address(), OwnConnection()) {
    session_.Run("BEGIN; " + LockArticles(url));
    Begin(MakeArticle("hot"));
    AwaitWaitersForLocks(url, 1);
    EXPECT_FALSE(LastHasEnded());
    v1::Article large = MakeArticle("hot");
    large.set_body(std::string(kBytesPerWrite, 'x'));
    for (int64_t waiting = 1; !LastHasEnded() && !::testing::Test::HasFailure(); ++waiting) {
      Begin(large);
      AwaitThat([&] { return LastHasEnded() || server.CountWaitingWrites() >= waiting; });
    }
    if (::testing::Test::HasFailure()) return;
    EXPECT_EQ(ReasonOf(writes_.back().get()), "MEMORY_SHORT");
    writes_.pop_back();
  }

  // The small write is given up last: until it ends, no large one is sent.
  ~WaitingWrites() {
    for (size_t i = 1; i < writes_.size(); ++i) contexts_[i].TryCancel();
    for (size_t i = 1; i < writes_.size(); ++i) writes_[i].wait();
    contexts_.front().TryCancel();
    writes_.front().wait();
    session_.Run("ROLLBACK");
  }

 private:
  bool LastHasEnded() const {
    return writes_.back().wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }

  void Begin(const v1::Article& article) {
    grpc::ClientContext& context = contexts_.emplace_back();
    writes_.push_back(std::async(std::launch::async, [this, &context, article] {
      v1::PublishArticleRequest request;
      *request.mutable_article() = article;
      v1::PublishArticleResponse response;
      return client_.admin().PublishArticle(&context, request, &response);
    }));
  }

  Session session_;
  const Client client_;
  std::deque<grpc::ClientContext> contexts_;
  std::vector<std::future<grpc::Status>> writes_;
};

// How much memory a server needs depends on how it was built.
int64_t LimitForAFewWrites(const std::string& url) {
  const MemoryServer server(url, "0");
  const v1::MemoryInfo memory = server.Memory();
  EXPECT_EQ(memory.byte_limit(), 0);
  EXPECT_FALSE(memory.is_short());
  return memory.byte_count() + kBytesOfWrites;
}

TEST(MemoryTest, WhileItIsShortOnlyCachedReadsAreAnswered) {
  if (kKeepsFreedMemory) GTEST_SKIP() << "a sanitizer keeps the memory that the server frees";
  const std::string url = NewDatabase();
  const int64_t limit = LimitForAFewWrites(url);
  MemoryServer server(url, absl::StrCat(limit));
  EXPECT_EQ(server.Memory().byte_limit(), limit);
  EXPECT_FALSE(server.Memory().is_short());
  {
    const WaitingWrites writes(url, server);
    server.process().WaitForEvent("memory is short");
    EXPECT_TRUE(server.Memory().is_short());
    const grpc::Status refused = server.List();
    EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(ReasonOf(refused), "MEMORY_SHORT");
    EXPECT_TRUE(HasRetryInfo(refused));
    EXPECT_EQ(ReasonOf(server.client().Create(MakeCommentRequest("hot", "x"))), "MEMORY_SHORT");
    EXPECT_EQ(ReasonOf(server.Watch()), "MEMORY_SHORT");
    EXPECT_TRUE(server.Get().ok());
    AwaitServing(server.client());
  }
  server.process().WaitForEvent("memory suffices again");
  EXPECT_TRUE(server.List().ok());
}

// An idle server uses more than this.
TEST(MemoryTest, AServerThatIsAboveItsLimitFromTheStartIsHealthyAndRefusesReads) {
  const ContentdServer server({"--database-url", NewDatabase(), "--memory-limit", "1KiB"});
  const Client client(server.address());
  AwaitServing(client);
  v1::GetArticleRequest request;
  request.set_name("articles/none");
  v1::GetArticleResponse response;
  const grpc::Status refused = Client::Call(&Stub::GetArticle, client.content(), request, response);
  EXPECT_EQ(ReasonOf(refused), "MEMORY_SHORT");
  EXPECT_TRUE(HasRetryInfo(refused));
}

TEST(MemoryTest, ALimitThatIsTooLowForTheCacheAndConnectionsIsLogged) {
  const auto log_of_start = [](const std::string& limit) {
    // Ends because there is no database.
    return RunContentd({"serve", "--database-url", "host=/nowhere", "--database-wait", "0s",
                        "--cache-bytes", "100MiB", "--memory-limit", limit})
        .err;
  };
  EXPECT_THAT(log_of_start("611MiB"), HasSubstr("memory limit is low"));
  EXPECT_THAT(log_of_start("612MiB"), Not(HasSubstr("memory limit is low")));
}

}  // namespace
}  // namespace content::testing
