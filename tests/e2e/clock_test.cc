// The real binary on a machine whose clock is set.

#include "absl/time/clock.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"
#include "support/await_that.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"

namespace content::testing {
namespace {

using Content = v1::ContentService::Stub;
using CommentStream = Stream<v1::WatchCommentsResponse>;

// More than there are workers in any pool.
constexpr int kCallsAtOnce = 16;

// The system clock of a contentd that is started with its environment (support/clock_shim.cc).
class SystemClock {
 public:
  SystemClock() : file_(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) { Step({}); }
  ~SystemClock() { close(file_); }

  SystemClock(const SystemClock&) = delete;
  SystemClock& operator=(const SystemClock&) = delete;

  std::vector<std::string> Environment() const {
    const char* const asan = std::getenv("ASAN_OPTIONS");
    return {absl::StrCat("CLOCK_SHIM=", path_), absl::StrCat("LD_PRELOAD=", CLOCK_SHIM),
            // AddressSanitizer otherwise refuses to run unless it is loaded first.
            absl::StrCat("ASAN_OPTIONS=verify_asan_link_order=0:", asan == nullptr ? "" : asan)};
  }

  // Sets it ahead of the time of this process.
  void Step(std::chrono::nanoseconds by) {
    const int64_t nanoseconds = by.count();
    ASSERT_EQ(pwrite(file_, &nanoseconds, sizeof nanoseconds, 0), sizeof nanoseconds);
  }

 private:
  static std::string NewPath() {
    static int count = 0;
    return absl::StrCat(ScratchDirectory(), "/clock", ++count);
  }

  const std::string path_ = NewPath();
  const int file_;
};

class ClockTest : public ::testing::Test {
 protected:
  void Publish(const std::string& id) { ASSERT_TRUE(client_.Publish(MakeArticle(id)).ok()); }

  // A read that no cache answers.
  grpc::Status List() {
    v1::ListArticlesResponse response;
    return Client::Call(&Content::ListArticles, client_.content(), v1::ListArticlesRequest(),
                        response);
  }

  grpc::Status Get(const std::string& id) {
    v1::GetArticleRequest request;
    request.set_name("articles/" + id);
    v1::GetArticleResponse response;
    return Client::Call(&Content::GetArticle, client_.content(), request, response);
  }

  grpc::Status Write(const std::string& id) {
    return client_.Create(MakeCommentRequest(id, "text"));
  }

  // Many calls of each kind at once, so that every worker of the server has something to do.
  std::vector<grpc::Status> CallAll() {
    std::vector<std::future<grpc::Status>> calls;
    for (int i = 0; i < kCallsAtOnce; ++i) {
      calls.push_back(std::async(std::launch::async, [this] { return List(); }));
      calls.push_back(std::async(std::launch::async, [this] { return Get("busy"); }));
      calls.push_back(std::async(std::launch::async,
                                 [this, i] { return Write(i % 2 == 0 ? "busy" : "other"); }));
    }
    std::vector<grpc::Status> statuses;
    for (auto& call : calls) statuses.push_back(call.get());
    return statuses;
  }

  // After this, every worker has lost its connection and has failed to get another one.
  void BreakConnections() {
    const Outage outage(url_);
    AwaitHealth(client_, grpc::health::v1::HealthCheckResponse::NOT_SERVING);
    CallAll();
  }

  std::unique_ptr<CommentStream> WatchQuiet() {
    v1::WatchCommentsRequest request;
    request.set_parent("articles/quiet");
    auto stream =
        std::make_unique<CommentStream>(&Content::WatchComments, client_.content(), request);
    EXPECT_TRUE(stream->Read());
    return stream;
  }

  // The watch gets a comment, and then a heartbeat. (While the database was away, it got neither.)
  void ExpectAlive(CommentStream& watch) {
    const int64_t count = ++quiet_comments_;
    EXPECT_TRUE(Write("quiet").ok());
    std::optional<v1::WatchCommentsResponse> message;
    do {
      message = watch.Read();
      ASSERT_TRUE(message) << watch.Finish().error_message();
    } while (message->comment_count() < count);
    EXPECT_EQ(message->comments_size(), 1);
    message = watch.Read();
    ASSERT_TRUE(message) << watch.Finish().error_message();
    EXPECT_EQ(message->comments_size(), 0);
  }

  const std::string url_ = NewDatabase();
  SystemClock clock_;
  ContentdServer server_{{"--database-url", url_}, clock_.Environment()};
  Client client_{server_.address()};
  int64_t quiet_comments_ = 0;
};

TEST_F(ClockTest, SettingTheClockStallsNothing) {
  AwaitServing(client_);
  for (const char* id : {"busy", "other", "quiet"}) Publish(id);
  std::atomic<bool> done = false;
  const std::jthread load([&] {
    while (!done) {
      Get("busy");
      Write("busy");
    }
  });
  BreakConnections();
  AwaitServing(client_);
  for (const std::chrono::seconds step :
       {std::chrono::seconds(std::chrono::minutes(-10)),
        std::chrono::seconds(std::chrono::hours(48)), std::chrono::seconds(0)}) {
    SCOPED_TRACE(absl::StrCat("set by ", step.count(), " s"));
    const auto watch = WatchQuiet();
    clock_.Step(step);
    BreakConnections();
    AwaitServing(client_);
    for (const grpc::Status& status : CallAll()) {
      EXPECT_TRUE(status.ok()) << status.error_message();
    }
    ExpectAlive(*watch);
    if (HasFailure()) break;
  }
  done = true;
}

// ---- Two servers on one database, whose clocks differ ----

constexpr auto kDay = std::chrono::hours(24);

class TwoClocksTest : public ::testing::TestWithParam<std::chrono::nanoseconds> {
 protected:
  TwoClocksTest() { clock_.Step(GetParam()); }

  // The two, each of them first.
  std::vector<std::pair<const Client*, const Client*>> BothWays() const {
    return {{&right_, &wrong_}, {&wrong_, &right_}};
  }

  static v1::PublishArticleResponse Publish(const Client& client, const v1::Article& article) {
    v1::PublishArticleResponse response;
    const grpc::Status status = client.Publish(article, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  static grpc::Status Get(const Client& client, const std::string& id, int64_t min_revision = 0) {
    v1::GetArticleRequest request;
    request.set_name("articles/" + id);
    request.set_min_revision(min_revision);
    v1::GetArticleResponse response;
    return Client::Call(&Content::GetArticle, client.content(), request, response);
  }

  static std::vector<std::string> ListArticles(const Client& client) {
    v1::ListArticlesResponse response;
    EXPECT_TRUE(
        Client::Call(&Content::ListArticles, client.content(), v1::ListArticlesRequest(), response)
            .ok());
    std::vector<std::string> names;
    for (const v1::Article& article : response.articles()) names.push_back(article.name());
    return names;
  }

  static std::vector<std::string> SearchArticles(const Client& client, const std::string& query) {
    v1::SearchArticlesRequest request;
    request.set_query(query);
    v1::SearchArticlesResponse response;
    EXPECT_TRUE(Client::Call(&Content::SearchArticles, client.content(), request, response).ok());
    std::vector<std::string> names;
    for (const auto& result : response.results()) names.push_back(result.article().name());
    return names;
  }

  static v1::Comment Comment(const Client& client, v1::CreateCommentRequest request) {
    v1::CreateCommentResponse response;
    const grpc::Status status = client.Create(request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.comment();
  }

  // Waits until the statement selects 't'. Fails the test if that takes too long.
  void Await(const std::string& condition) {
    AwaitThat([&] { return Query(url_, condition) == "t"; });
  }

  std::string RequestRetention(const Client& client) {
    v1::GetServerInfoResponse info;
    EXPECT_TRUE(Client::Call(&v1::AdminService::Stub::GetServerInfo, client.admin(),
                             v1::GetServerInfoRequest(), info)
                    .ok());
    return google::protobuf::util::TimeUtil::ToString(info.request_retention());
  }

  const std::string url_ = NewDatabase();
  SystemClock clock_;
  const ContentdServer right_server_{{"--database-url", url_}};
  const ContentdServer wrong_server_{{"--database-url", url_, "--request-retention", "1s"},
                                     clock_.Environment()};
  const Client right_{right_server_.address()};
  const Client wrong_{wrong_server_.address()};
};

INSTANTIATE_TEST_SUITE_P(Offsets, TwoClocksTest,
                         ::testing::Values(-2 * kDay, std::chrono::milliseconds(-20),
                                           std::chrono::milliseconds(20), 2 * kDay),
                         [](const auto& offset) {
                           const auto millis =
                               std::chrono::duration_cast<std::chrono::milliseconds>(offset.param);
                           return absl::StrCat(millis.count() < 0 ? "Behind" : "Ahead",
                                               std::abs(millis.count()), "ms");
                         });

TEST_P(TwoClocksTest, AnArticleIsReadableThroughEveryServerAtOnce) {
  int count = 0;
  for (int round = 0; round < 5; ++round) {
    for (const auto& [writer, reader] : BothWays()) {
      const std::string id = absl::StrCat("story-", ++count);
      const int64_t revision = Publish(*writer, MakeArticle(id)).article().revision();
      const grpc::Status read = Get(*reader, id, revision);
      EXPECT_TRUE(read.ok()) << read.error_message();
      EXPECT_THAT(ListArticles(*reader), ::testing::Contains("articles/" + id));
      EXPECT_THAT(SearchArticles(*reader, "about"), ::testing::Contains("articles/" + id));
      const grpc::Status write = reader->Create(MakeCommentRequest(id, "at once"));
      EXPECT_TRUE(write.ok()) << write.error_message();
    }
  }
}

TEST_P(TwoClocksTest, AnArticleStaysWhenAClockIsSet) {
  for (const auto& [writer, reader] : BothWays()) {
    const std::string id = writer == &right_ ? "right" : "wrong";
    Publish(*writer, MakeArticle(id));
  }
  clock_.Step(GetParam() - std::chrono::minutes(5));
  for (const std::string id : {"right", "wrong"}) {
    for (const Client* client : {&right_, &wrong_}) {
      EXPECT_TRUE(Get(*client, id).ok()) << id;
      EXPECT_TRUE(client->Create(MakeCommentRequest(id, "text")).ok()) << id;
      EXPECT_THAT(ListArticles(*client), ::testing::Contains("articles/" + id));
    }
  }
}

TEST_P(TwoClocksTest, AScheduledArticleWaitsForTheClockOfTheDatabase) {
  v1::Article article = MakeArticle("later");
  *article.mutable_publish_time() = google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(
      absl::ToUnixMicros(absl::Now() + absl::Hours(24)));
  Publish(wrong_, article);
  v1::WatchArticlesRequest watch;
  Stream<v1::WatchArticlesResponse> stream(&Content::WatchArticles, wrong_.content(), watch);
  ASSERT_TRUE(stream.Read());
  Publish(right_, MakeArticle("now"));
  const auto first = stream.Read();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->article().name(), "articles/now");
  for (const Client* client : {&right_, &wrong_}) {
    EXPECT_EQ(ReasonOf(Get(*client, "later")), "ARTICLE_NOT_FOUND");
    EXPECT_THAT(ListArticles(*client), ::testing::ElementsAre("articles/now"));
  }
  Query(url_, "UPDATE article_state SET publish_time = now() WHERE scheduled");
  const auto second = stream.Read();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->article().name(), "articles/later");
  // The other server hears of it a moment later.
  for (const Client* client : {&right_, &wrong_}) {
    AwaitThat([&] { return Get(*client, "later").ok(); });
  }
}

// One server keeps requests for a day, the other for a second.
TEST_P(TwoClocksTest, RequestsAreKeptForTheLongestTime) {
  Publish(right_, MakeArticle("story"));
  v1::CreateCommentRequest request = MakeCommentRequest("story", "once");
  request.set_request_id("6d5d1c9e-9a5b-4b2a-8f3e-0c1d2e3f4a5b");
  const std::string name = Comment(right_, request).name();
  v1::CreateCommentRequest other = MakeCommentRequest("story", "once more");
  other.set_request_id("7d5d1c9e-9a5b-4b2a-8f3e-0c1d2e3f4a5b");
  const std::string other_name = Comment(wrong_, other).name();
  Query(url_, "UPDATE request SET create_day = create_day - 1");
  // The janitor with the short time has begun two more rounds, so it has ended one.
  for (int round = 0; round < 2; ++round) {
    Query(url_,
          "UPDATE request_retention SET used_time = now() - interval '1 minute' "
          "WHERE retention = '1 second'");
    Await(
        "SELECT used_time > now() - interval '30 seconds' FROM request_retention "
        "WHERE retention = '1 second'");
  }
  for (const Client* client : {&right_, &wrong_}) {
    EXPECT_EQ(Comment(*client, request).name(), name);
    EXPECT_EQ(Comment(*client, other).name(), other_name);
    EXPECT_EQ(RequestRetention(*client), "86400s");
  }
}

TEST_P(TwoClocksTest, CommentsAreInTheOrderInWhichTheyCame) {
  Publish(right_, MakeArticle("story"));
  std::vector<std::string> names;
  std::string parent;
  for (int i = 0; i < 20; ++i) {
    v1::CreateCommentRequest request = MakeCommentRequest("story", absl::StrCat(i));
    request.mutable_comment()->set_reply_to(parent);
    const v1::Comment comment = Comment(i % 2 == 0 ? right_ : wrong_, request);
    names.push_back(comment.name());
    parent = i % 4 == 3 ? "" : comment.name();
    if (i == 10) clock_.Step(-GetParam());
  }
  for (const Client* client : {&right_, &wrong_}) {
    v1::ListCommentsRequest request;
    request.set_parent("articles/story");
    request.set_order(v1::COMMENT_ORDER_OLDEST);
    v1::ListCommentsResponse response;
    ASSERT_TRUE(Client::Call(&Content::ListComments, client->content(), request, response).ok());
    std::vector<std::string> listed;
    absl::Time last = absl::InfinitePast();
    for (const v1::Comment& comment : response.comments()) {
      listed.push_back(comment.name());
      const absl::Time time = absl::FromUnixMicros(
          google::protobuf::util::TimeUtil::TimestampToMicroseconds(comment.create_time()));
      EXPECT_GE(time, last);
      last = time;
    }
    EXPECT_EQ(listed, names);
  }
}

TEST_P(TwoClocksTest, TimesAreTheDatabases) {
  const absl::Time begin = absl::FromUnixMicros(
      std::stoll(Query(url_, "SELECT (extract(epoch FROM now()) * 1000000)::bigint")));
  const v1::Article article = Publish(wrong_, MakeArticle("story")).article();
  const v1::Comment comment = Comment(wrong_, MakeCommentRequest("story", "text"));
  v1::CreateCommentRequest dry_run = MakeCommentRequest("story", "text");
  dry_run.set_validate_only(true);
  const v1::Comment preview = Comment(wrong_, dry_run);
  v1::UpdateCommentRequest edit;
  edit.mutable_comment()->set_name(comment.name());
  edit.mutable_comment()->set_body("other text");
  v1::UpdateCommentResponse edited;
  ASSERT_TRUE(Client::Call(&Content::UpdateComment, wrong_.content(), edit, edited).ok());
  const absl::Time end = absl::FromUnixMicros(
      std::stoll(Query(url_, "SELECT (extract(epoch FROM now()) * 1000000)::bigint")));
  for (const auto& timestamp :
       {article.publish_time(), article.update_time(), comment.create_time(), comment.update_time(),
        preview.create_time(), edited.comment().update_time()}) {
    const absl::Time time =
        absl::FromUnixMicros(google::protobuf::util::TimeUtil::TimestampToMicroseconds(timestamp));
    EXPECT_GE(time, begin);
    EXPECT_LE(time, end);
  }
  EXPECT_EQ(Query(url_,
                  "SELECT count(*) FROM request WHERE create_day NOT BETWEEN "
                  "(now() AT TIME ZONE 'UTC' - interval '1 hour')::date AND "
                  "(now() AT TIME ZONE 'UTC')::date"),
            "0");
}

}  // namespace
}  // namespace content::testing
