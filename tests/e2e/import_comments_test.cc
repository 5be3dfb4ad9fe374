// Comments from another system through the RPC: what watchers, cached readers and counters make of
// them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"

namespace content::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Content = v1::ContentService::Stub;
using Admin = v1::AdminService::Stub;

class ImportCommentsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    AwaitServing(client_);
    AwaitServing(other_client_);
    ASSERT_TRUE(client_.Publish(MakeArticle("story")).ok());
  }

  template <class Stub, class Request, class Response>
  static Response Ask(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                      Stub& stub, const Request& request) {
    Response response;
    const grpc::Status status = Client::Call(method, stub, request, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  static v1::Article GetArticle(const Client& client, int64_t min_revision = 0) {
    v1::GetArticleRequest request;
    request.set_name("articles/story");
    request.set_min_revision(min_revision);
    return Ask(&Content::GetArticle, client.content(), request).article();
  }

  // Texts on the first page, newest first.
  static std::vector<std::string> FirstPage(const Client& client, int64_t min_revision = 0) {
    v1::ListCommentsRequest request;
    request.set_parent("articles/story");
    request.set_page_size(2);
    request.set_min_revision(min_revision);
    std::vector<std::string> bodies;
    const auto page = Ask(&Content::ListComments, client.content(), request);
    for (const v1::Comment& comment : page.comments()) bodies.push_back(comment.body());
    return bodies;
  }

  // A call with the comments of these numbers, a minute apart. Each but the first replies to that
  // of a tenth of its number; every seventh is hidden.
  static v1::ImportCommentsRequest MakeImport(int first, int last) {
    v1::ImportCommentsRequest request;
    request.set_parent("articles/story");
    request.set_source("disqus:forum");
    for (int i = last; i >= first; --i) {
      v1::ImportedComment& comment = *request.add_comments();
      comment.set_source_id(absl::StrCat(i));
      if (i > 1) comment.set_reply_to_source_id(absl::StrCat(1 + i / 10));
      comment.mutable_author()->set_id(absl::StrCat("user-", i % 9));
      comment.mutable_author()->set_display_name("A Reader");
      comment.set_body(absl::StrCat("comment ", i));
      comment.set_state(i % 7 == 0 ? v1::COMMENT_STATE_HIDDEN : v1::COMMENT_STATE_VISIBLE);
      comment.mutable_create_time()->set_seconds(1'577'836'800 + 60 * i);
    }
    return request;
  }

  v1::ImportCommentsResponse Import(int first, int last) {
    return Ask(&Admin::ImportComments, client_.admin(), MakeImport(first, last));
  }

  static std::map<int, int> Outcomes(const v1::ImportCommentsResponse& response) {
    std::map<int, int> outcomes;
    for (const v1::CommentImportResult& result : response.results()) ++outcomes[result.outcome()];
    return outcomes;
  }

  const std::string url_ = NewDatabase();
  ContentdServer server_{{"--database-url", url_}};
  ContentdServer other_server_{{"--database-url", url_}};
  Client client_{server_.address()};
  Client other_client_{other_server_.address()};
};

TEST_F(ImportCommentsTest, ReachWatchersCachedReadersAndCounters) {
  constexpr int kCount = 1500;
  constexpr int kVisible = kCount - kCount / 7;
  for (const Client* const client : {&client_, &other_client_}) {
    EXPECT_EQ(GetArticle(*client).comment_count(), 0);
    EXPECT_THAT(FirstPage(*client), IsEmpty());
  }
  v1::WatchCommentsRequest watch;
  watch.set_parent("articles/story");
  watch.set_after_revision(GetArticle(client_).revision());
  Stream<v1::WatchCommentsResponse> stream(&Content::WatchComments, other_client_.content(), watch);

  // A watcher gets every comment that is shown, and those that are new after what they reply to.
  std::set<std::string> seen;
  std::set<std::string> visible;
  const auto read_until = [&](int64_t revision, bool all_are_new) {
    int64_t reached = 0;
    while (reached < revision) {
      const auto message = stream.Read();
      ASSERT_TRUE(message) << stream.Finish().error_message();
      EXPECT_GE(message->article_revision(), reached);
      reached = message->article_revision();
      for (const v1::Comment& comment : message->comments()) {
        seen.insert(comment.name());
        if (comment.state() == v1::COMMENT_STATE_VISIBLE) visible.insert(comment.name());
        if (comment.reply_to().empty() || !all_are_new) continue;
        EXPECT_TRUE(seen.contains(comment.reply_to())) << comment.DebugString();
      }
    }
  };

  const v1::ImportCommentsResponse first = Import(1, 1000);
  EXPECT_EQ(Outcomes(first), (std::map<int, int>{{v1::COMMENT_IMPORT_OUTCOME_CREATED, 1000}}));
  ASSERT_NO_FATAL_FAILURE(read_until(first.article_revision(), /*all_are_new=*/true));
  const v1::ImportCommentsResponse answer = Import(801, kCount);
  EXPECT_EQ(Outcomes(answer), (std::map<int, int>{{v1::COMMENT_IMPORT_OUTCOME_CREATED, 500},
                                                  {v1::COMMENT_IMPORT_OUTCOME_UNCHANGED, 200}}));
  EXPECT_EQ(answer.comment_count(), kVisible);

  // The server of the import shows them at once, the other one with this revision.
  EXPECT_EQ(GetArticle(client_).comment_count(), kVisible);
  EXPECT_EQ(GetArticle(other_client_, answer.article_revision()).comment_count(), kVisible);
  EXPECT_THAT(FirstPage(client_), ElementsAre("comment 1500", "comment 1499"));
  EXPECT_THAT(FirstPage(other_client_, answer.article_revision()),
              ElementsAre("comment 1500", "comment 1499"));

  ASSERT_NO_FATAL_FAILURE(read_until(answer.article_revision(), /*all_are_new=*/false));
  stream.Cancel();
  EXPECT_EQ(visible.size(), kVisible);

  Stream<v1::VerifyCountersResponse> verification(&Admin::VerifyCounters, client_.admin(), {});
  while (const auto verified = verification.Read()) {
    EXPECT_THAT(verified->drifts(), IsEmpty()) << verified->DebugString();
  }
  EXPECT_TRUE(verification.Finish().ok());
}

TEST_F(ImportCommentsTest, AreRefusedOneByOne) {
  v1::ImportCommentsRequest request = MakeImport(1, 3);
  request.mutable_comments(0)->clear_body();
  request.mutable_comments(1)->mutable_create_time()->set_seconds(-1);
  const v1::ImportCommentsResponse answer = Ask(&Admin::ImportComments, client_.admin(), request);
  EXPECT_EQ(Outcomes(answer), (std::map<int, int>{{v1::COMMENT_IMPORT_OUTCOME_CREATED, 1},
                                                  {v1::COMMENT_IMPORT_OUTCOME_REFUSED, 2}}));
  EXPECT_EQ(answer.results(0).problems(0).field(), "body");
  EXPECT_EQ(answer.results(1).problems(0).description(), "is before 1970");
}

}  // namespace
}  // namespace content::testing
