// A database that hangs: it keeps its connections, and answers nothing.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "support/await_that.h"
#include "support/comment_load.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"
#include "support/locks.h"
#include "support/postgres_server.h"

namespace content::testing {
namespace {

using ::testing::HasSubstr;
using Health = grpc::health::v1::HealthCheckResponse;
using Stub = v1::ContentService::Stub;

// Makes a call that its caller would wait for.
template <class Request, class Response>
grpc::Status CallPatiently(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                        Response*),
                           const Client& client, const Request& request, Response& response,
                           bool* is_stale = nullptr) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  const grpc::Status status = (client.content().*method)(&context, request, &response);
  if (is_stale != nullptr) {
    *is_stale = context.GetServerTrailingMetadata().count("content-stale-seconds") > 0;
  }
  return status;
}

grpc::Status Create(const Client& client, const v1::CreateCommentRequest& request) {
  v1::CreateCommentResponse response;
  return CallPatiently(&Stub::CreateComment, client, request, response);
}

grpc::Status Search(const Client& client) {
  v1::SearchArticlesRequest request;
  request.set_query("story");
  v1::SearchArticlesResponse response;
  return CallPatiently(&Stub::SearchArticles, client, request, response);
}

grpc::Status Read(const Client& client, const std::string& id, bool* is_stale = nullptr) {
  v1::GetArticleRequest request;
  request.set_name("articles/" + id);
  v1::GetArticleResponse response;
  return CallPatiently(&Stub::GetArticle, client, request, response, is_stale);
}

std::vector<v1::CreateCommentRequest> MakeRequests(int count) {
  std::vector<v1::CreateCommentRequest> requests;
  for (int i = 0; i < count; ++i) {
    requests.push_back(MakeCommentRequest("cold", absl::StrCat("comment ", i)));
    requests.back().set_request_id(absl::StrCat("00000000-0000-4000-8000-", 100000000000 + i));
  }
  return requests;
}

void ExpectRefused(const grpc::Status& status) {
  EXPECT_EQ(ReasonOf(status), "STORE_UNAVAILABLE") << status.error_message();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_details(), HasSubstr("google.rpc.RetryInfo"));
}

class HangTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const Finished migrated = RunContentd({"migrate", "--database-url", database_.url()});
    ASSERT_EQ(migrated.status, 0) << migrated.err;
    server_.emplace(std::vector<std::string>{"--database-url", database_.url()});
    client_.emplace(server_->address());
    AwaitServing(*client_);
  }

  std::string Count(const std::string& table) {
    return Query(database_.url(), "SELECT count(*) FROM " + table);
  }

  PostgresServer database_{::testing::UnitTest::GetInstance()->current_test_info()->name()};
  std::optional<ContentdServer> server_;
  std::optional<Client> client_;
};

TEST_F(HangTest, OneCallNoticesAndOthersAreRefusedAtOnce) {
  for (const char* id : {"warm", "cold"}) ASSERT_TRUE(client_->Publish(MakeArticle(id)).ok());
  ASSERT_TRUE(Read(*client_, "warm").ok());
  const std::vector<v1::CreateCommentRequest> requests = MakeRequests(20);
  database_.Freeze();
  std::future<grpc::Status> first =
      std::async(std::launch::async, [&] { return Create(*client_, requests[0]); });
  server_->WaitForEvent("database does not answer");

  // All of this is answered while the database is frozen, and so long before the deadlines.
  AwaitHealth(*client_, Health::NOT_SERVING);
  for (size_t i = 1; i < requests.size(); ++i) ExpectRefused(Create(*client_, requests[i]));
  ExpectRefused(Search(*client_));
  ExpectRefused(Read(*client_, "cold"));
  ExpectRefused(client_->Publish(MakeArticle("new")));
  bool is_stale = false;
  AwaitThat([&] { return Read(*client_, "warm", &is_stale).ok() && is_stale; });

  database_.Thaw();
  server_->WaitForEvent("database answers again");
  AwaitServing(*client_);
  EXPECT_TRUE(first.get().ok()) << "it was under way";
  for (const v1::CreateCommentRequest& request : requests)
    EXPECT_TRUE(Create(*client_, request).ok());
  EXPECT_EQ(Count("comment"), absl::StrCat(requests.size()));
  EXPECT_EQ(Count("article"), "2");
}

TEST_F(HangTest, CallsThatWaitForAConnectionAreRefusedToo) {
  ASSERT_TRUE(client_->Publish(MakeArticle("story")).ok());
  database_.Freeze();
  // More than there are connections, and none of them is prompt.
  std::vector<std::future<grpc::Status>> searches;
  for (int i = 0; i < 12; ++i) {
    searches.push_back(std::async(std::launch::async, [&] { return Search(*client_); }));
  }
  const auto answered = [&] {
    return std::count_if(searches.begin(), searches.end(), [](auto& search) {
      return search.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    });
  };
  AwaitThat([&] { return answered() >= 8; });
  database_.Thaw();
  int ok = 0;
  for (auto& search : searches) {
    const grpc::Status status = search.get();
    ok += status.ok() ? 1 : 0;
    if (!status.ok()) ExpectRefused(status);
  }
  EXPECT_LE(ok, 4);
}

TEST_F(HangTest, ALockThatIsHeldForLongIsNoHang) {
  for (const char* id : {"locked", "free"}) ASSERT_TRUE(client_->Publish(MakeArticle(id)).ok());
  Session holder(database_.url());
  holder.Run("BEGIN; " + LockArticles(database_.url(), "name = 'locked'"));
  std::future<grpc::Status> waiting = std::async(
      std::launch::async, [&] { return Create(*client_, MakeCommentRequest("locked", "late")); });
  // Longer than a breaker without probes would wait.
  AwaitThat([&] {
    return Query(database_.url(),
                 "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                 "AND now() - query_start > interval '4 seconds'") != "0";
  });
  EXPECT_TRUE(Create(*client_, MakeCommentRequest("free", "early")).ok());
  holder.Run("ROLLBACK");
  EXPECT_TRUE(waiting.get().ok());
}

TEST_F(HangTest, NothingIsLostOrDoubled) {
  CommentLoad load(/*writers=*/6, /*articles=*/3);
  load.Start(server_->address());
  for (int round = 0; round < 2; ++round) {
    load.AwaitMore(100);
    database_.Freeze();
    server_->WaitForEvent("database does not answer");
    database_.Thaw();
    server_->WaitForEvent("database answers again");
  }
  load.AwaitMore(100);
  load.Stop();
  const CommentLoad::Outcome outcome = load.Check(server_->address());
  EXPECT_GT(outcome.acknowledged, 0);
  EXPECT_EQ(outcome.lost, 0);
  EXPECT_EQ(outcome.doubled, 0);
  EXPECT_TRUE(outcome.counts_are_right);
}

}  // namespace
}  // namespace content::testing
