// How a server stops: which calls it still serves, and what its clients notice.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <future>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"
#include "support/locks.h"

namespace content::testing {
namespace {

using ::testing::IsEmpty;

// That of the contract without its retries, which would hide a call that failed.
constexpr char kServiceConfig[] = R"({
  "loadBalancingConfig": [{"round_robin": {}}],
  "healthCheckConfig": {"serviceName": ""}
})";

// Reads an article and comments on it, on several threads without a pause, until it is destroyed.
// Thread-safe.
class Load {
 public:
  Load(const std::string& target, const grpc::ChannelArguments& arguments)
      : client_(target, arguments) {
    for (size_t i = 0; i < kWorkers; ++i) {
      workers_.emplace_back([this, i](const std::stop_token& stop) { Run(i, stop); });
    }
  }

  // Waits until the server at `address` has answered another call.
  void AwaitCallsTo(const std::string& address) {
    std::unique_lock lock(mutex_);
    streaks_.assign(kWorkers, 0);
    changed_.wait(lock, [&] { return last_peer_ == "ipv4:" + address && streaks_ != kNone; });
  }

  // Waits until every worker has made several calls in a row, and none of them to `address`. The
  // workers take turns among the servers, so by then they avoid that one.
  void AwaitNoCallsTo(const std::string& address) {
    std::unique_lock lock(mutex_);
    avoided_ = "ipv4:" + address;
    streaks_.assign(kWorkers, 0);
    changed_.wait(lock,
                  [this] { return *std::min_element(streaks_.begin(), streaks_.end()) >= 5; });
  }

  // Returns the errors of the calls that failed.
  std::vector<std::string> Failures() {
    const std::lock_guard lock(mutex_);
    return failures_;
  }

 private:
  static constexpr size_t kWorkers = 4;

  void Run(size_t worker, const std::stop_token& stop) {
    for (bool is_write = false; !stop.stop_requested(); is_write = !is_write) {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
      const grpc::Status status = is_write ? Write(context) : Read(context);
      Record(worker, context.peer(), status);
    }
  }

  grpc::Status Read(grpc::ClientContext& context) {
    v1::GetArticleRequest request;
    request.set_name("articles/story");
    v1::GetArticleResponse response;
    return client_.content().GetArticle(&context, request, &response);
  }

  grpc::Status Write(grpc::ClientContext& context) {
    v1::CreateCommentResponse response;
    return client_.content().CreateComment(&context, MakeCommentRequest("story", "text"),
                                           &response);
  }

  void Record(size_t worker, const std::string& peer, const grpc::Status& status) {
    const std::lock_guard lock(mutex_);
    last_peer_ = peer;
    streaks_[worker] = peer == avoided_ ? 0 : streaks_[worker] + 1;
    if (!status.ok()) {
      failures_.push_back(
          absl::StrCat(peer, ": ", status.error_code(), " ", status.error_message()));
    }
    changed_.notify_all();
  }

  const Client client_;
  const std::vector<int> kNone = std::vector<int>(kWorkers);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string last_peer_;              // Guarded by mutex_.
  std::string avoided_;                // Guarded by mutex_.
  std::vector<int> streaks_ = kNone;   // Guarded by mutex_. Of each worker: calls not to avoided_.
  std::vector<std::string> failures_;  // Guarded by mutex_.

  std::vector<std::jthread> workers_;
};

using HealthResponse = grpc::health::v1::HealthCheckResponse;

constexpr char kOneHour[] = "1h";  // Ends only by a signal.

class DrainTest : public ::testing::Test {
 protected:
  std::unique_ptr<ContentdServer> Serve(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--database-url", url_});
    auto server = std::make_unique<ContentdServer>(std::move(arguments));
    AwaitServing(Client(server->address()));
    return server;
  }

  const std::string url_ = NewDatabase();
};

// To be repeated with --gtest_repeat: each run restarts each server once.
TEST_F(DrainTest, NoCallFailsWhenOneOfTwoServersIsRestartedUnderLoad) {
  std::vector<std::unique_ptr<ContentdServer>> servers;
  for (int i = 0; i < 2; ++i) servers.push_back(Serve({"--drain-delay", kOneHour}));
  ASSERT_TRUE(Client(servers[0]->address()).Publish(MakeArticle("story")).ok());
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(kServiceConfig);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 100);
  Load load(absl::StrCat("ipv4:", servers[0]->address(), ",", servers[1]->address()), arguments);
  for (auto& server : servers) {
    const std::string address = server->address();
    load.AwaitCallsTo(address);
    server->Signal(SIGTERM);
    load.AwaitNoCallsTo(address);
    server->Signal(SIGTERM);
    EXPECT_EQ(server->Wait(), 0);
    server = Serve({"--drain-delay", kOneHour, "--listen", address});
    load.AwaitCallsTo(address);
  }
  EXPECT_THAT(load.Failures(), IsEmpty());
}

TEST_F(DrainTest, CallsAreServedDuringTheDelay) {
  const auto server = Serve({"--drain-delay", kOneHour});
  const Client client(server->address());
  ASSERT_TRUE(client.Publish(MakeArticle("story")).ok());
  v1::WatchCommentsRequest request;
  request.set_parent("articles/story");
  Stream<v1::WatchCommentsResponse> watch(&v1::ContentService::Stub::WatchComments,
                                          client.content(), request);
  ASSERT_TRUE(watch.Read());
  server->Signal(SIGTERM);
  AwaitHealth(client, HealthResponse::NOT_SERVING);
  const Client newcomer(server->address());
  EXPECT_TRUE(newcomer.Create(MakeCommentRequest("story", "late")).ok());
  while (true) {
    const auto change = watch.Read();
    ASSERT_TRUE(change);
    if (change->comments_size() > 0) break;
  }
  server->Signal(SIGINT);
  while (watch.Read()) {
  }
  EXPECT_EQ(ReasonOf(watch.Finish()), "SERVER_STOPPING");
  EXPECT_EQ(server->Wait(), 0);
}

// Clients that do not check health move when they get the GOAWAY, while their calls go on.
TEST_F(DrainTest, ClientsMoveWhileACallIsInFlight) {
  auto stopping = Serve({"--drain-timeout", "60s"});
  const auto other = Serve({});
  const Client client(
      absl::StrCat("ipv4:", stopping->address(), ",", other->address()));  // pick_first
  ASSERT_TRUE(client.Publish(MakeArticle("story")).ok());
  Session session(url_);
  session.Run("BEGIN; " + LockArticles(url_));
  auto in_flight = std::async(
      std::launch::async, [&] { return client.Create(MakeCommentRequest("story", "in flight")); });
  AwaitWaitersForLocks(url_, 1);
  stopping->Signal(SIGTERM);
  stopping->WaitForEvent("draining");
  std::string peer;
  while (peer != "ipv4:" + other->address()) {
    grpc::ClientContext context;
    v1::GetServerInfoResponse info;
    client.admin().GetServerInfo(&context, {}, &info);
    peer = context.peer();
  }
  session.Run("ROLLBACK");
  EXPECT_TRUE(in_flight.get().ok());
  EXPECT_EQ(stopping->Wait(), 0);
}

TEST_F(DrainTest, TheTimeoutEndsCallsAndTheServer) {
  const auto server = Serve({"--drain-timeout", "100ms", "--statement-timeout", "1h"});
  const Client client(server->address());
  ASSERT_TRUE(client.Publish(MakeArticle("story")).ok());
  Session session(url_);
  session.Run("BEGIN; " + LockArticles(url_));
  auto in_flight = std::async(std::launch::async, [&] {
    grpc::ClientContext context;  // without a deadline
    v1::CreateCommentResponse response;
    return client.content().CreateComment(&context, MakeCommentRequest("story", "text"), &response);
  });
  AwaitWaitersForLocks(url_, 1);
  server->Signal(SIGTERM);
  EXPECT_FALSE(in_flight.get().ok());
  EXPECT_EQ(server->Wait(), 0);
  server->WaitForEvent("calls cancelled");
  server->WaitForEvent("stopped without waiting for the database");
}

TEST_F(DrainTest, IdleStreamsDoNotDelayTheEnd) {
  const auto server = Serve({"--drain-timeout", "1h"});
  const Client client(server->address());
  grpc::ClientContext health_context;
  const auto health = grpc::health::v1::Health::NewStub(client.channel());
  const auto watch = health->Watch(&health_context, {});
  HealthResponse response;
  ASSERT_TRUE(watch->Read(&response));
  grpc::ClientContext reflection_context;
  const auto reflection = grpc::reflection::v1::ServerReflection::NewStub(client.channel());
  const auto stream = reflection->ServerReflectionInfo(&reflection_context);
  grpc::reflection::v1::ServerReflectionRequest request;
  request.set_list_services("*");
  grpc::reflection::v1::ServerReflectionResponse answer;
  ASSERT_TRUE(stream->Write(request) && stream->Read(&answer));
  server->Signal(SIGTERM);
  EXPECT_EQ(server->Wait(), 0);
}

TEST_F(DrainTest, AnotherSignalDuringTheDrainEndsTheServerAtOnce) {
  const auto server = Serve({"--drain-timeout", "1h"});
  const Client client(server->address());
  ASSERT_TRUE(client.Publish(MakeArticle("story")).ok());
  Session session(url_);
  session.Run("BEGIN; " + LockArticles(url_));
  auto in_flight = std::async(std::launch::async,
                              [&] { return client.Create(MakeCommentRequest("story", "text")); });
  AwaitWaitersForLocks(url_, 1);
  server->Signal(SIGTERM);
  server->WaitForEvent("draining");
  server->Signal(SIGINT);
  EXPECT_EQ(server->Wait(), -SIGINT);
  EXPECT_FALSE(in_flight.get().ok());
}

TEST_F(DrainTest, SighupIsIgnored) {
  const auto server = Serve({"--drain-delay", kOneHour});
  const Client client(server->address());
  server->Signal(SIGHUP);
  server->WaitForEvent("signal ignored");
  EXPECT_TRUE(client.Publish(MakeArticle("story")).ok());
  server->Signal(SIGTERM);
  server->WaitForEvent("stopping");
  server->Signal(SIGHUP);
  server->WaitForEvent("signal ignored");
  EXPECT_TRUE(client.Publish(MakeArticle("another")).ok());
  server->Signal(SIGTERM);
  EXPECT_EQ(server->Wait(), 0);
}

TEST(Start, IsEndedByASignalWhateverItWaitsFor) {
  // A database that accepts connections and never answers.
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener, 8), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string url =
      absl::StrCat("host=127.0.0.1 port=", ntohs(address.sin_port), " dbname=x user=x");
  for (const int signal : {SIGTERM, SIGINT}) {
    ContentdServer server({"--database-url", url}, {}, ContentdServer::Until::kStarted);
    const int connection = accept(listener, nullptr, nullptr);
    server.Signal(SIGHUP);
    server.Signal(signal);
    EXPECT_EQ(server.Wait(), -signal);
    close(connection);
  }
  close(listener);
}

}  // namespace
}  // namespace content::testing
