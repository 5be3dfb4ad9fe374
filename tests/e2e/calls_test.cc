// What the real binary tells about calls: the access log, the database's view of a trace, and the
// level of its log.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"
#include "support/await_that.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"
#include "support/locks.h"

namespace content::testing {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using Headers = std::vector<std::pair<std::string, std::string>>;

constexpr char kTraceId[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kSampled[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr char kNotSampled[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

// A server, and a caller that says what it likes about its calls.
class CallsTest : public ::testing::Test {
 protected:
  explicit CallsTest(const std::vector<std::string>& arguments = {})
      : server_(With(arguments)), client_(server_.address()) {
    AwaitServing(client_);
    EXPECT_TRUE(client_.Publish(MakeArticle("story")).ok());
  }

  grpc::Status Read(const std::string& id, const Headers& headers = {},
                    std::string* request_id = nullptr) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    for (const auto& [key, value] : headers) context.AddMetadata(key, value);
    v1::GetArticleRequest request;
    request.set_name("articles/" + id);
    v1::GetArticleResponse response;
    const grpc::Status status = client_.content().GetArticle(&context, request, &response);
    const auto& metadata = context.GetServerTrailingMetadata();
    const auto found = metadata.find("x-request-id");
    if (request_id != nullptr && found != metadata.end()) {
      *request_id = std::string(found->second.data(), found->second.size());
    }
    return status;
  }

  grpc::Status Comment(const Headers& headers = {}) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    for (const auto& [key, value] : headers) context.AddMetadata(key, value);
    v1::CreateCommentResponse response;
    return client_.content().CreateComment(&context, MakeCommentRequest("story", "a body"),
                                           &response);
  }

  // Waits for the line of the next call of a method.
  nlohmann::json NextCall(const std::string& method) {
    while (true) {
      nlohmann::json line =
          nlohmann::json::parse(server_.WaitForEvent("call"), nullptr, /*allow_exceptions=*/false);
      if (line.is_discarded() || absl::EndsWith(line.value("method", ""), method)) return line;
    }
  }

  // The number of the server's sessions that work for the trace.
  std::string TracedSessions() {
    return Query(url_, absl::StrCat("SELECT count(*) FROM pg_stat_activity WHERE datname = "
                                    "current_database() AND state = 'active' AND query LIKE "
                                    "'/*trace_id=''",
                                    kTraceId, "''*/ %'"));
  }

  // Whether the call, which waits for a lock, is shown with its trace.
  void ExpectTraced(std::future<grpc::Status> call, const std::string& count, Session& locker) {
    AwaitWaitersForLocks(url_, 1);
    EXPECT_EQ(TracedSessions(), count);
    locker.Run("ROLLBACK");
    const grpc::Status status = call.get();
    EXPECT_TRUE(status.ok()) << status.error_message();
  }

  v1::AdminService::Stub& admin() const { return client_.admin(); }

  const std::string url_ = NewDatabase();
  ContentdServer server_;
  Client client_;

 private:
  std::vector<std::string> With(const std::vector<std::string>& arguments) const {
    std::vector<std::string> all = {"--database-url", url_, "--cache-bytes", "0"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }
};

// ---- The access log ----

class AccessLogTest : public CallsTest {
 protected:
  AccessLogTest() : CallsTest({"--access-log=all"}) {}
};

TEST_F(AccessLogTest, HasALineForEachCall) {
  std::string request_id;
  ASSERT_TRUE(
      Read("story", {{"x-request-id", "mine"}, {"traceparent", kNotSampled}}, &request_id).ok());
  EXPECT_EQ(request_id, "mine");
  const nlohmann::json read = NextCall("/GetArticle");
  EXPECT_EQ(read["level"], "info");
  EXPECT_EQ(read["request_id"], "mine");
  EXPECT_THAT(read["peer"].get<std::string>(), MatchesRegex("ipv4:127.0.0.1:[0-9]+"));
  EXPECT_EQ(read["method"], "content.v1.ContentService/GetArticle");
  EXPECT_EQ(read["code"], "OK");
  EXPECT_FALSE(read.contains("reason"));
  EXPECT_EQ(read["request_bytes"], 16);
  EXPECT_GT(read["response_bytes"], 50);
  EXPECT_TRUE(read.contains("queue_ms"));
  EXPECT_GT(read["database_ms"], 0);
  EXPECT_GE(read["total_ms"], read["database_ms"]);
  EXPECT_GE(read["batch_size"], 1);
  EXPECT_EQ(read["trace_id"], kTraceId);

  ASSERT_TRUE(Comment().ok());
  const nlohmann::json written = NextCall("/CreateComment");
  EXPECT_GT(written["database_ms"], 0);
  EXPECT_FALSE(written.contains("trace_id"));
  EXPECT_THAT(written.dump(), Not(HasSubstr("a body")));

  EXPECT_FALSE(Read("none").ok());
  const nlohmann::json refused = NextCall("/GetArticle");
  EXPECT_EQ(refused["code"], "NOT_FOUND");
  EXPECT_EQ(refused["reason"], "ARTICLE_NOT_FOUND");
}

TEST_F(AccessLogTest, HasALineForEachStreamWhenItEnds) {
  v1::EraseAuthorRequest request;
  request.set_author_id("nobody");
  Stream<v1::EraseAuthorResponse> stream(&v1::AdminService::Stub::EraseAuthor, admin(), request);
  while (stream.Read()) {
  }
  EXPECT_TRUE(stream.Finish().ok());
  const nlohmann::json line = NextCall("/EraseAuthor");
  EXPECT_EQ(line["code"], "OK");
  EXPECT_GT(line["response_bytes"], 0);
  EXPECT_GT(line["database_ms"], 0);
}

class SlowCallsTest : public CallsTest {
 protected:
  SlowCallsTest() : CallsTest({"--access-log=slow", "--slow-call=1h"}) {}
};

TEST_F(SlowCallsTest, AreNotThoseThatAreQuick) {
  std::string request_id;
  ASSERT_TRUE(Read("story", {{"x-request-id", "quick"}}, &request_id).ok());
  EXPECT_EQ(request_id, "");
  EXPECT_FALSE(Read("none", {{"x-request-id", "wrong"}}, &request_id).ok());
  EXPECT_EQ(request_id, "wrong");
  EXPECT_EQ(NextCall("")["request_id"], "wrong");
}

// ---- Traces in the database ----

TEST_F(CallsTest, TheDatabaseShowsTheTraceOfASampledRead) {
  for (const auto& [header, count] : {std::pair(kSampled, "1"), std::pair(kNotSampled, "0")}) {
    Session locker(url_);
    locker.Run("BEGIN; LOCK TABLE article IN ACCESS EXCLUSIVE MODE");
    ExpectTraced(std::async(std::launch::async,
                            [this, header = header] {
                              return Read("story", {{"traceparent", header}});
                            }),
                 count, locker);
  }
  EXPECT_EQ(TracedSessions(), "0") << "after the calls";
}

TEST_F(CallsTest, TheDatabaseShowsTheTraceOfASampledWrite) {
  for (const auto& [header, count] : {std::pair(kSampled, "1"), std::pair(kNotSampled, "0")}) {
    Session locker(url_);
    locker.Run("BEGIN; LOCK TABLE comment IN ACCESS EXCLUSIVE MODE");
    ExpectTraced(std::async(std::launch::async,
                            [this, header = header] {
                              return Comment({{"traceparent", header}});
                            }),
                 count, locker);
  }
  AwaitThat([this] { return TracedSessions() == "0"; });
}

// ---- The level of the log ----

v1::LogInfo LogOf(v1::AdminService::Stub& admin) {
  v1::GetServerInfoResponse info;
  EXPECT_TRUE(
      Client::Call(&v1::AdminService::Stub::GetServerInfo, admin, v1::GetServerInfoRequest(), info)
          .ok());
  return info.log();
}

TEST_F(CallsTest, AnOperatorChangesTheLevelOfTheLogForAWhile) {
  EXPECT_EQ(LogOf(admin()).level(), v1::LOG_LEVEL_INFO);
  EXPECT_FALSE(LogOf(admin()).has_expire_time());

  v1::OverrideLogLevelRequest request;
  request.set_level(v1::LOG_LEVEL_ERROR);
  *request.mutable_ttl() = TimeUtil::SecondsToDuration(3600);
  v1::OverrideLogLevelResponse response;
  ASSERT_TRUE(
      Client::Call(&v1::AdminService::Stub::OverrideLogLevel, admin(), request, response).ok());
  EXPECT_EQ(response.log().level(), v1::LOG_LEVEL_ERROR);
  EXPECT_TRUE(response.log().has_expire_time());
  const auto changed = nlohmann::json::parse(server_.WaitForEvent("log level changed"));
  EXPECT_EQ(changed["to"], "error");
  EXPECT_EQ(changed["ttl"], "1h");

  request.set_level(v1::LOG_LEVEL_DEBUG);
  *request.mutable_ttl() = TimeUtil::SecondsToDuration(1);
  ASSERT_TRUE(
      Client::Call(&v1::AdminService::Stub::OverrideLogLevel, admin(), request, response).ok());
  AwaitThat([this] { return !LogOf(admin()).has_expire_time(); });
  EXPECT_EQ(LogOf(admin()).level(), v1::LOG_LEVEL_INFO);
}

}  // namespace
}  // namespace content::testing
