// Streams of the real binary, over real gRPC.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <functional>
#include <future>
#include <latch>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "content/page_token.h"
#include "google/protobuf/util/time_util.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"

namespace content::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Clock = std::chrono::steady_clock;
using Content = v1::ContentService::Stub;
using Admin = v1::AdminService::Stub;
using CommentStream = Stream<v1::WatchCommentsResponse>;
using ArticleStream = Stream<v1::WatchArticlesResponse>;

std::unique_ptr<CommentStream> WatchComments(const Client& client, const std::string& id,
                                             int64_t after_revision = 0) {
  v1::WatchCommentsRequest request;
  request.set_parent("articles/" + id);
  request.set_after_revision(after_revision);
  return std::make_unique<CommentStream>(&Content::WatchComments, client.content(), request);
}

std::unique_ptr<ArticleStream> WatchArticles(const Client& client,
                                             const std::string& resume_token = "",
                                             bool skip_existing = false) {
  v1::WatchArticlesRequest request;
  request.set_resume_token(resume_token);
  request.set_skip_existing(skip_existing);
  return std::make_unique<ArticleStream>(&Content::WatchArticles, client.content(), request);
}

// The next message that is not a heartbeat.
v1::WatchCommentsResponse NextChange(CommentStream& stream) {
  while (std::optional<v1::WatchCommentsResponse> response = stream.Read()) {
    if (response->comments_size() > 0) return *response;
  }
  ADD_FAILURE() << "the stream ended: " << stream.Finish().error_message();
  return {};
}

v1::WatchArticlesResponse NextChange(ArticleStream& stream) {
  while (std::optional<v1::WatchArticlesResponse> response = stream.Read()) {
    if (response->change() != v1::ARTICLE_CHANGE_UNSPECIFIED) return *response;
  }
  ADD_FAILURE() << "the stream ended: " << stream.Finish().error_message();
  return {};
}

// Reads the stream to its end and returns its status.
template <class Response>
grpc::Status End(Stream<Response>& stream) {
  while (stream.Read()) {
  }
  return stream.Finish();
}

std::string Describe(const v1::WatchArticlesResponse& response) {
  return absl::StrCat(v1::ArticleChange_Name(response.change()), " ", response.article().name());
}

class WatchTest : public ::testing::Test {
 protected:
  WatchTest() { AwaitServing(client_); }

  std::vector<std::string> Arguments() const {
    return {"--database-url", url_, "--drain-timeout", "60s", "--watch-write-timeout", "1s"};
  }

  template <class Stub, class Request, class Response>
  Response Do(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
              Stub& stub, const Request& request) {
    Response response;
    const grpc::Status status = Client::Call(method, stub, request, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  void Publish(const v1::Article& article) { EXPECT_TRUE(client_.Publish(article).ok()); }

  v1::Comment Write(const std::string& id, const std::string& body,
                    const std::string& reply_to = "") {
    v1::CreateCommentRequest request = MakeCommentRequest(id, body);
    request.mutable_comment()->set_reply_to(reply_to);
    return Do(&Content::CreateComment, client_.content(), request).comment();
  }

  v1::Comment Edit(const std::string& name, const std::string& body) {
    v1::UpdateCommentRequest request;
    request.mutable_comment()->set_name(name);
    request.mutable_comment()->set_body(body);
    return Do(&Content::UpdateComment, client_.content(), request).comment();
  }

  int64_t Delete(const std::string& name) {
    v1::DeleteCommentRequest request;
    request.set_name(name);
    return Do(&Content::DeleteComment, client_.content(), request).article_revision();
  }

  v1::Comment Moderate(const std::string& name, v1::CommentState state) {
    v1::ModerateCommentRequest request;
    request.set_name(name);
    request.set_state(state);
    return Do(&Admin::ModerateComment, client_.admin(), request).comment();
  }

  void Report(const std::string& name, const std::string& reporter_id) {
    v1::ReportCommentRequest request;
    request.set_name(name);
    request.set_reporter_id(reporter_id);
    Do(&Content::ReportComment, client_.content(), request);
  }

  void Retract(const std::string& id) {
    v1::RetractArticleRequest request;
    request.set_name("articles/" + id);
    Do(&Admin::RetractArticle, client_.admin(), request);
  }

  int64_t CountWatchers() {
    return Do(&Admin::GetServerInfo, client_.admin(), v1::GetServerInfoRequest()).watcher_count();
  }

  void AwaitWatchers(int64_t count) {
    const auto end = Clock::now() + std::chrono::seconds(30);
    while (CountWatchers() != count) {
      ASSERT_LT(Clock::now(), end) << "there are " << CountWatchers() << " watchers";
      std::this_thread::yield();
    }
  }

  const std::string url_ = NewDatabase();
  std::optional<ContentdServer> server_{Arguments()};
  Client client_{server_->address()};
};

// ---- Comments ----

TEST_F(WatchTest, ACommentStreamSendsChangesWithinASecond) {
  Publish(MakeArticle("story"));
  const auto stream = WatchComments(client_, "story");
  const auto heartbeat = stream->Read();
  ASSERT_TRUE(heartbeat);
  EXPECT_THAT(heartbeat->comments(), IsEmpty());
  EXPECT_EQ(heartbeat->article_revision(), 1);

  std::vector<Clock::duration> delays;
  const auto next = [&] {
    const auto written = Clock::now();
    v1::WatchCommentsResponse change = NextChange(*stream);
    delays.push_back(Clock::now() - written);
    return change;
  };
  const v1::Comment first = Write("story", "first");
  v1::WatchCommentsResponse change = next();
  ASSERT_EQ(change.comments_size(), 1);
  EXPECT_EQ(change.comments(0).body(), "first");
  EXPECT_EQ(change.comments(0).author().display_name(), "A Reader");
  EXPECT_EQ(change.article_revision(), first.article_revision());
  EXPECT_EQ(change.comment_count(), 1);

  const v1::Comment reply = Write("story", "reply", first.name());
  change = next();
  ASSERT_EQ(change.comments_size(), 2);
  EXPECT_EQ(change.comment_count(), 2);
  EXPECT_EQ(change.article_revision(), reply.article_revision());

  Edit(reply.name(), "edited");
  change = next();
  ASSERT_EQ(change.comments_size(), 1);
  EXPECT_EQ(change.comments(0).body(), "edited");

  const int64_t deleted = Delete(first.name());
  change = next();
  ASSERT_EQ(change.comments_size(), 1);
  EXPECT_EQ(change.comments(0).state(), v1::COMMENT_STATE_DELETED);
  EXPECT_EQ(change.comments(0).body(), "");
  EXPECT_EQ(change.comments(0).reply_count(), 1);
  EXPECT_EQ(change.article_revision(), deleted);

  Moderate(reply.name(), v1::COMMENT_STATE_HIDDEN);
  change = next();
  ASSERT_EQ(change.comments_size(), 2);
  for (const v1::Comment& comment : change.comments()) {
    EXPECT_EQ(comment.body(), "");
    EXPECT_EQ(comment.reply_count(), 0);
  }
  EXPECT_EQ(change.comment_count(), 0);

  std::sort(delays.begin(), delays.end());
  EXPECT_LT(delays[delays.size() / 2], std::chrono::seconds(1));
}

TEST_F(WatchTest, ACommentStreamSendsWhatReportsHideAndNothingOfReports) {
  Publish(MakeArticle("story"));
  const v1::Comment comment = Write("story", "rude");
  const auto stream = WatchComments(client_, "story", comment.article_revision());
  ASSERT_TRUE(stream->Read());
  for (int i = 0; i < 4; ++i) Report(comment.name(), absl::StrCat("reader-", i));
  const v1::Comment other = Write("story", "polite");
  EXPECT_EQ(NextChange(*stream).comments(0).name(), other.name());
  Report(comment.name(), "the fifth");
  v1::WatchCommentsResponse change = NextChange(*stream);
  ASSERT_EQ(change.comments_size(), 1);
  EXPECT_EQ(change.comments(0).name(), comment.name());
  EXPECT_EQ(change.comments(0).state(), v1::COMMENT_STATE_PENDING);
  EXPECT_EQ(change.comments(0).body(), "");
  EXPECT_EQ(change.comments(0).report_count(), 0);
  EXPECT_EQ(change.comment_count(), 1);

  v1::ListModerationQueueRequest request;
  request.set_order(v1::MODERATION_ORDER_REPORTS);
  const auto reported = Do(&Admin::ListModerationQueue, client_.admin(), request);
  ASSERT_EQ(reported.comments_size(), 1);
  EXPECT_EQ(reported.comments(0).body(), "rude");
  EXPECT_EQ(reported.comments(0).report_count(), 5);
  EXPECT_EQ(Moderate(comment.name(), v1::COMMENT_STATE_VISIBLE).report_count(), 0);
  EXPECT_EQ(NextChange(*stream).comments(0).body(), "rude");
}

TEST_F(WatchTest, ACommentStreamBeginsAfterARevision) {
  Publish(MakeArticle("story"));
  const v1::Comment first = Write("story", "first");
  Write("story", "second");
  const auto all = WatchComments(client_, "story");
  EXPECT_EQ(NextChange(*all).comments(0).body(), "first");
  EXPECT_EQ(NextChange(*all).comments(0).body(), "second");
  const auto rest = WatchComments(client_, "story", first.article_revision());
  EXPECT_EQ(NextChange(*rest).comments(0).body(), "second");
  const auto late = WatchComments(client_, "story", 100);
  const grpc::Status status = End(*late);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ReasonOf(status), "REVISION_NOT_REACHED");
}

TEST_F(WatchTest, BadRequestsAreRefused) {
  const auto unnamed = WatchComments(client_, "", -1);
  EXPECT_THAT(BadFields(End(*unnamed)), UnorderedElementsAre("parent", "after_revision"));
  const auto missing = WatchComments(client_, "nothing");
  const grpc::Status status = End(*missing);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(ReasonOf(status), "ARTICLE_NOT_FOUND");
  const auto bent = WatchArticles(client_, "AAAA", /*skip_existing=*/true);
  EXPECT_THAT(BadFields(End(*bent)), UnorderedElementsAre("resume_token", "skip_existing"));
  const grpc::Status garbled = CallWithBytes(client_, "/content.v1.ContentService/WatchComments",
                                             std::string("\x0a\x04\xff\xfe\xfd\xfc"));
  EXPECT_EQ(garbled.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(BadFields(garbled), ElementsAre("parent"));
  // An unknown field: gRPC would keep it as long as the watch.
  const grpc::Status large = CallWithBytes(client_, "/content.v1.ContentService/WatchArticles",
                                           "\xfa\x7f\x80\x80\x01" + std::string(16'384, 'x'));
  EXPECT_EQ(large.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonOf(large), "INVALID_REQUEST");
}

TEST_F(WatchTest, ACommentStreamEndsWhenItsArticleIsRetracted) {
  Publish(MakeArticle("story"));
  const auto stream = WatchComments(client_, "story");
  ASSERT_TRUE(stream->Read());
  Retract("story");
  const grpc::Status status = End(*stream);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(ReasonOf(status), "ARTICLE_NOT_FOUND");
}

TEST_F(WatchTest, AStreamSurvivesAShortOutageOfTheDatabase) {
  Publish(MakeArticle("story"));
  const auto comments = WatchComments(client_, "story");
  const auto articles = WatchArticles(client_);
  ASSERT_TRUE(comments->Read());
  ASSERT_TRUE(articles->Read());
  {
    const Outage outage(url_);
    AwaitHealth(client_, grpc::health::v1::HealthCheckResponse::NOT_SERVING);
    const auto late = WatchComments(client_, "story");
    EXPECT_EQ(ReasonOf(End(*late)), "STORE_UNAVAILABLE");
  }
  AwaitServing(client_);
  Publish(MakeArticle("other"));
  Write("story", "after");
  EXPECT_EQ(NextChange(*comments).comments(0).body(), "after");
  EXPECT_EQ(NextChange(*articles).article().name(), "articles/other");
}

TEST_F(WatchTest, WatchersAreCounted) {
  Publish(MakeArticle("story"));
  const auto one = WatchComments(client_, "story");
  const auto other = WatchArticles(client_);
  ASSERT_TRUE(one->Read());
  ASSERT_TRUE(other->Read());
  EXPECT_EQ(CountWatchers(), 2);
  one->Cancel();
  EXPECT_EQ(End(*one).error_code(), grpc::StatusCode::CANCELLED);
  AwaitWatchers(1);
  other->Cancel();
  End(*other);
  AwaitWatchers(0);
}

TEST_F(WatchTest, StoppingEndsWatchesAtOnceWithAReason) {
  Publish(MakeArticle("story"));
  const auto comments = WatchComments(client_, "story");
  const auto articles = WatchArticles(client_);
  ASSERT_TRUE(comments->Read());
  ASSERT_TRUE(articles->Read());
  const auto begin = Clock::now();
  server_->Signal(SIGTERM);
  for (const grpc::Status& status : {End(*comments), End(*articles)}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(ReasonOf(status), "SERVER_STOPPING");
  }
  EXPECT_EQ(server_->Wait(), 0);
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(10));
}

// Comments so large that a reader who stops reading soon has no room left.
class SlowReaderTest : public WatchTest {
 protected:
  static constexpr int kComments = 30;

  static grpc::ChannelArguments SmallWindow() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 64 << 10);
    return arguments;
  }

  void WriteLargeComments() {
    std::string body;
    for (int i = 0; i < 10'000; ++i) body += "\U0001F389";
    for (int i = 0; i < kComments; ++i) Write("story", body);
  }

  Client slow_{server_->address(), SmallWindow()};
};

TEST_F(SlowReaderTest, IsEndedAndCanResume) {
  Publish(MakeArticle("story"));
  const auto stream = WatchComments(slow_, "story");
  ASSERT_TRUE(stream->Read());
  EXPECT_EQ(CountWatchers(), 1);
  WriteLargeComments();
  AwaitWatchers(0);
  std::vector<int64_t> revisions;
  while (const auto response = stream->Read()) revisions.push_back(response->article_revision());
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(ReasonOf(status), "WATCHER_TOO_SLOW");
  ASSERT_LT(revisions.size(), kComments);

  const auto resumed = WatchComments(client_, "story", revisions.empty() ? 1 : revisions.back());
  while (revisions.size() < kComments) {
    const v1::WatchCommentsResponse change = NextChange(*resumed);
    if (HasFailure()) return;
    revisions.push_back(change.article_revision());
  }
  for (int i = 0; i < kComments; ++i) EXPECT_EQ(revisions[static_cast<size_t>(i)], 2 + i);
}

TEST_F(SlowReaderTest, DoesNotDelayTheServersStop) {
  server_.emplace(std::vector<std::string>{"--database-url", url_, "--drain-timeout", "60s",
                                           "--watch-write-timeout", "60s"});
  const Client slow(server_->address(), SmallWindow());
  client_ = Client(server_->address());
  AwaitServing(client_);
  Publish(MakeArticle("story"));
  const auto stream = WatchComments(slow, "story");
  ASSERT_TRUE(stream->Read());
  const auto fast = WatchComments(client_, "story");
  WriteLargeComments();
  // Once this one has everything, the slow one has no room left.
  for (int64_t revision = 0; revision < 1 + kComments;) {
    revision = NextChange(*fast).article_revision();
    ASSERT_FALSE(HasFailure());
  }
  const auto begin = Clock::now();
  server_->Signal(SIGTERM);
  EXPECT_EQ(server_->Wait(), 0);
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(10));
  EXPECT_FALSE(End(*stream).ok());
}

// Watches one article until the end of the test, across restarts of the server, and remembers every
// change that it is sent. Thread-safe.
class Follower {
 public:
  Follower(std::string id, const std::string& address)
      : id_(std::move(id)), client_(std::make_unique<Client>(address)) {
    thread_ = std::jthread([this](const std::stop_token& stop) { Follow(stop); });
  }

  void MoveTo(const std::string& address) {
    const std::lock_guard lock(mutex_);
    client_ = std::make_unique<Client>(address);
  }

  void AwaitRevision(int64_t revision) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(
        changed_.wait_for(lock, std::chrono::seconds(60), [&] { return revision_ >= revision; }))
        << "only revision " << revision_ << " of " << revision;
  }

  int64_t revision() {
    const std::lock_guard lock(mutex_);
    return revision_;
  }

  // The revisions that were sent of each comment, by its name.
  std::map<std::string, std::vector<int64_t>> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  void Follow(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::shared_ptr<Client> client;
      {
        const std::lock_guard lock(mutex_);
        client = client_;
      }
      const auto stream = WatchComments(*client, id_, revision());
      const std::stop_callback cancel(stop, [&stream] { stream->Cancel(); });
      while (const auto response = stream->Read()) Take(*response);
      stream->Finish();
    }
  }

  void Take(const v1::WatchCommentsResponse& response) {
    const std::lock_guard lock(mutex_);
    EXPECT_GE(response.article_revision(), revision_);
    for (const v1::Comment& comment : response.comments()) {
      EXPECT_EQ(comment.revision(), response.article_revision());
      EXPECT_GT(comment.revision(), revision_);
      seen_[comment.name()].push_back(comment.revision());
    }
    revision_ = response.article_revision();
    changed_.notify_all();
  }

  const std::string id_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::shared_ptr<Client> client_;
  int64_t revision_ = 0;
  std::map<std::string, std::vector<int64_t>> seen_;
  std::jthread thread_;
};

TEST_F(WatchTest, NothingIsMissedOrRepeatedAcrossRestartsDuringWrites) {
  Publish(MakeArticle("story"));
  // Writers use a server of their own, which is not restarted.
  std::optional<ContentdServer> watched(Arguments());
  Follower follower("story", watched->address());
  std::atomic<bool> done = false;
  std::vector<std::jthread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([&, i] {
      std::string last;
      for (int n = 0; !done; ++n) {
        const v1::Comment comment = Write("story", absl::StrCat(i, "/", n), n % 3 == 1 ? last : "");
        if (n % 4 == 3) Edit(last, "edited");
        if (n % 7 == 6) Delete(last);
        last = comment.name();
      }
    });
  }
  for (const int signal : {SIGTERM, SIGKILL}) {
    follower.AwaitRevision(follower.revision() + 100);
    watched->Signal(signal);
    watched->Wait();
    watched.emplace(Arguments());
    follower.MoveTo(watched->address());
  }
  follower.AwaitRevision(follower.revision() + 100);
  done = true;
  writers.clear();
  int64_t end = 0;
  ASSERT_TRUE(absl::SimpleAtoi(Query(url_, "SELECT revision FROM article_state"), &end));
  follower.AwaitRevision(end);

  Session session(url_);
  const auto seen = follower.seen();
  EXPECT_EQ(std::to_string(seen.size()), session.Run("SELECT count(*) FROM comment"));
  std::string last_revisions;
  for (const auto& [name, revisions] : seen) {
    EXPECT_TRUE(std::is_sorted(revisions.begin(), revisions.end()));
    EXPECT_EQ(std::adjacent_find(revisions.begin(), revisions.end()), revisions.end());
    absl::StrAppend(&last_revisions, name, "@", revisions.back(), "\n");
  }
  EXPECT_EQ(last_revisions,
            session.Run("SELECT string_agg('articles/story/comments/' || comment_id || '@' || "
                        "revision || E'\\n', '' ORDER BY comment_id) FROM comment"));
}

// Counts the messages of a watch.
class CountingWatcher final : public grpc::ClientReadReactor<v1::WatchCommentsResponse> {
 public:
  CountingWatcher(Content& stub, std::function<void()> on_message, std::function<void()> on_done)
      : on_message_(std::move(on_message)), on_done_(std::move(on_done)) {
    request_.set_parent("articles/story");
    stub.async()->WatchComments(&context_, &request_, this);
    StartRead(&response_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    on_message_();
    StartRead(&response_);
  }
  void OnDone(const grpc::Status&) override { on_done_(); }
  void Cancel() { context_.TryCancel(); }

 private:
  const std::function<void()> on_message_;
  const std::function<void()> on_done_;
  grpc::ClientContext context_;
  v1::WatchCommentsRequest request_;
  v1::WatchCommentsResponse response_;
};

class Counter {
 public:
  void Add() {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }

  void Await(int count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(60), [&] { return count_ >= count; }))
        << count_ << " of " << count;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;  // Guarded by mutex_.
};

// Number of transactions committed in this database. Sessions report theirs when they end.
int64_t CountTransactions(const std::string& url) {
  Session session(url);
  // Citus keeps sessions of its own.
  while (session.Run("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                     "AND pid <> pg_backend_pid() AND application_name !~* '^citus'") != "0") {
    std::this_thread::yield();
  }
  const std::string count =
      session.Run("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()");
  return std::stoll(count);
}

TEST_F(WatchTest, AThousandWatchersCostTheDatabaseNoMoreThanOne) {
  constexpr int kWatchers = 1000;
  constexpr int kChanges = 10;
  Publish(MakeArticle("story"));
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<Client>(server_->address(), OwnConnection()));
  }
  Counter messages;
  Counter ended;
  std::vector<std::unique_ptr<CountingWatcher>> watchers;
  for (int i = 0; i < kWatchers; ++i) {
    watchers.push_back(std::make_unique<CountingWatcher>(
        clients[static_cast<size_t>(i) % clients.size()]->content(), [&] { messages.Add(); },
        [&] { ended.Add(); }));
  }
  messages.Await(kWatchers);  // the first heartbeats
  EXPECT_EQ(CountWatchers(), kWatchers);
  for (int change = 1; change <= kChanges; ++change) {
    Write("story", "text");
    messages.Await((change + 1) * kWatchers);
  }
  for (const auto& watcher : watchers) watcher->Cancel();
  ended.Await(kWatchers);
  AwaitWatchers(0);
  server_->Signal(SIGTERM);
  EXPECT_EQ(server_->Wait(), 0);
  // Each watcher may have read once when it began. One read per change would make 11,000.
  EXPECT_LT(CountTransactions(url_), 2 * kWatchers);
}

// ---- Articles ----

v1::Article WithPublishTime(v1::Article article, absl::Time time) {
  *article.mutable_publish_time() =
      google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(time));
  return article;
}

TEST_F(WatchTest, AnArticleStreamSendsEveryKindOfChange) {
  Publish(WithPublishTime(MakeArticle("old"), absl::Now() - absl::Hours(1)));
  Publish(MakeArticle("new"));
  const auto stream = WatchArticles(client_);
  EXPECT_EQ(Describe(NextChange(*stream)), "ARTICLE_CHANGE_PUBLISHED articles/old");
  EXPECT_EQ(Describe(NextChange(*stream)), "ARTICLE_CHANGE_PUBLISHED articles/new");

  v1::Article article = MakeArticle("new");
  article.set_title("Another title");
  Publish(article);
  v1::WatchArticlesResponse change = NextChange(*stream);
  EXPECT_EQ(Describe(change), "ARTICLE_CHANGE_UPDATED articles/new");
  EXPECT_EQ(change.article().title(), "Another title");
  EXPECT_EQ(change.article().body(), "");
  EXPECT_NE(change.resume_token(), "");

  v1::RenameArticleRequest rename;
  rename.set_name("articles/new");
  rename.set_new_name("articles/newer");
  Do(&Admin::RenameArticle, client_.admin(), rename);
  change = NextChange(*stream);
  EXPECT_EQ(Describe(change), "ARTICLE_CHANGE_UPDATED articles/newer");
  EXPECT_THAT(change.former_names(), ElementsAre("articles/new"));

  Write("old", "a comment does not change the article");
  Retract("newer");
  change = NextChange(*stream);
  EXPECT_EQ(Describe(change), "ARTICLE_CHANGE_RETRACTED articles/newer");
  EXPECT_EQ(change.article().title(), "");

  article.set_name("articles/newer");
  Publish(article);
  EXPECT_EQ(Describe(NextChange(*stream)), "ARTICLE_CHANGE_PUBLISHED articles/newer");
}

TEST_F(WatchTest, AScheduledArticleIsSentWhenItIsDue) {
  const auto stream = WatchArticles(client_);
  const auto heartbeat = stream->Read();
  ASSERT_TRUE(heartbeat);
  EXPECT_EQ(heartbeat->change(), v1::ARTICLE_CHANGE_UNSPECIFIED);
  EXPECT_NE(heartbeat->resume_token(), "");
  const absl::Time due = absl::Now() + absl::Seconds(4);
  Publish(WithPublishTime(MakeArticle("scheduled"), due));
  Publish(MakeArticle("now"));
  EXPECT_EQ(Describe(NextChange(*stream)), "ARTICLE_CHANGE_PUBLISHED articles/now");
  EXPECT_EQ(Describe(NextChange(*stream)), "ARTICLE_CHANGE_PUBLISHED articles/scheduled");
  EXPECT_GE(absl::Now(), due);
}

std::string MakeResumeToken(const std::string& cursor) {
  return MakePageToken("content.v1.WatchArticlesRequest/resume_token", cursor);
}

// Tokens are sealed against mistakes only: anybody who has the source can make one.
TEST_F(WatchTest, AForgedResumeTokenShowsNothingBeforeItIsDue) {
  const absl::Time due = absl::Now() + absl::Hours(24);
  Publish(WithPublishTime(MakeArticle("secret"), due));
  for (const char* cursor : {"0/0/0", "0/1/0", "-1/1/-1"}) {
    const auto stream = WatchArticles(client_, MakeResumeToken(cursor));
    const auto first = stream->Read();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->change(), v1::ARTICLE_CHANGE_UNSPECIFIED) << first->DebugString();
  }
}

TEST_F(WatchTest, ResumeTokensOfOlderVersionsAreAccepted) {
  for (const char* id : {"a", "b", "c"}) Publish(MakeArticle(id));
  // Had everything up to b.
  const auto up_to_b = WatchArticles(client_, MakeResumeToken("2/future//2"));
  EXPECT_EQ(Describe(NextChange(*up_to_b)), "ARTICLE_CHANGE_PUBLISHED articles/c");
  // Had only a when it was interrupted: it begins again.
  const auto interrupted = WatchArticles(client_, MakeResumeToken("3/1700000000000000/a/0"));
  for (const char* id : {"a", "b", "c"}) {
    EXPECT_EQ(Describe(NextChange(*interrupted)),
              absl::StrCat("ARTICLE_CHANGE_PUBLISHED articles/", id));
  }
}

TEST_F(WatchTest, AnArticleStreamResumesOnAnotherServer) {
  for (const char* id : {"a", "b"}) Publish(MakeArticle(id));
  std::string after_a;
  {
    const auto stream = WatchArticles(client_);
    const v1::WatchArticlesResponse a = NextChange(*stream);
    EXPECT_EQ(a.article().name(), "articles/a");
    after_a = a.resume_token();
  }
  Publish(MakeArticle("c"));
  Retract("a");
  server_->Signal(SIGTERM);
  server_->Wait();
  server_.emplace(Arguments());
  client_ = Client(server_->address());
  AwaitServing(client_);
  const auto stream = WatchArticles(client_, after_a);
  EXPECT_EQ(Describe(NextChange(*stream)), "ARTICLE_CHANGE_PUBLISHED articles/b");
  EXPECT_EQ(Describe(NextChange(*stream)), "ARTICLE_CHANGE_PUBLISHED articles/c");
  EXPECT_EQ(Describe(NextChange(*stream)), "ARTICLE_CHANGE_RETRACTED articles/a");
}

TEST_F(WatchTest, AnArticleStreamCanSkipExistingArticles) {
  Publish(MakeArticle("old"));
  const auto stream = WatchArticles(client_, "", /*skip_existing=*/true);
  const auto heartbeat = stream->Read();
  ASSERT_TRUE(heartbeat);
  EXPECT_EQ(heartbeat->change(), v1::ARTICLE_CHANGE_UNSPECIFIED);
  Publish(MakeArticle("new"));
  EXPECT_EQ(Describe(NextChange(*stream)), "ARTICLE_CHANGE_PUBLISHED articles/new");
}

// Returns how often each article was sent until the last was.
std::map<std::string, int> CountPublishedUpTo(const std::string& last,
                                              std::unique_ptr<ArticleStream> stream) {
  std::map<std::string, int> seen;
  while (std::optional<v1::WatchArticlesResponse> response = stream->Read()) {
    if (response->change() == v1::ARTICLE_CHANGE_UNSPECIFIED) continue;
    EXPECT_EQ(response->change(), v1::ARTICLE_CHANGE_PUBLISHED) << Describe(*response);
    ++seen[response->article().name()];
    if (response->article().name() == last) break;
  }
  return seen;
}

// Publishers and watchers use every server. Two watchers of each begin while articles are
// published, one of them with the articles that are there already.
TEST_F(WatchTest, EveryArticleReachesTheWatchersOfAllServersOnce) {
  constexpr int kServers = 4;
  constexpr int kArticles = 280;
  std::vector<std::unique_ptr<ContentdServer>> servers;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < kServers; ++i) {
    servers.push_back(std::make_unique<ContentdServer>(Arguments()));
    clients.push_back(std::make_unique<Client>(servers.back()->address()));
    AwaitServing(*clients.back());
  }
  std::atomic<int> next = 0;
  const auto publish = [&](const Client& client, int end) {
    for (int n = next++; n < end; n = next++) {
      EXPECT_TRUE(client.Publish(MakeArticle(absl::StrCat("story-", n))).ok());
    }
  };
  // Several at once through each server, so that they share transactions.
  const auto publish_through_all = [&](int end) {
    std::vector<std::jthread> publishers;
    for (int i = 0; i < 4 * kServers; ++i) {
      publishers.emplace_back(
          [&, i] { publish(*clients[static_cast<size_t>(i) % kServers], end); });
    }
  };
  std::vector<std::future<std::map<std::string, int>>> watchers;
  const auto watch = [&](std::unique_ptr<ArticleStream> stream) {
    watchers.push_back(
        std::async(std::launch::async, CountPublishedUpTo, "articles/last", std::move(stream)));
  };
  for (const auto& client : clients) {
    auto stream = WatchArticles(*client, "", /*skip_existing=*/true);
    ASSERT_TRUE(stream->Read());  // it watches from here on
    watch(std::move(stream));
  }
  publish_through_all(kArticles / 4);
  next = kArticles / 4;
  std::jthread more([&] { publish_through_all(kArticles); });
  for (const auto& client : clients) watch(WatchArticles(*client));
  more.join();
  Publish(MakeArticle("last"));

  for (auto& watcher : watchers) {
    const std::map<std::string, int> seen = watcher.get();
    EXPECT_EQ(seen.size(), kArticles + 1) << "some are missed";
    for (const auto& [name, count] : seen) EXPECT_EQ(count, 1) << name;
  }
}

// The last that a watcher was sent of each article, by name.
struct Sent {
  int64_t revision = 0;
  bool retracted = false;
};

// Watches until the article "last" is sent. If `resumes`, ends the stream after every few changes
// and goes on at the next server.
std::map<std::string, Sent> WatchUntilLast(const std::vector<std::unique_ptr<Client>>& clients,
                                           size_t server, bool resumes, std::latch& started) {
  std::map<std::string, Sent> sent;
  std::string token;
  while (true) {
    const auto stream = WatchArticles(*clients[server++ % clients.size()], token);
    for (int changes = 0; changes < 5 || !resumes; ++changes) {
      const v1::WatchArticlesResponse response = NextChange(*stream);
      if (sent.empty()) started.count_down();
      const bool has_failed = response.change() == v1::ARTICLE_CHANGE_UNSPECIFIED;
      if (has_failed || response.article().name() == "articles/last") return sent;
      token = response.resume_token();
      Sent& last = sent[response.article().name()];
      EXPECT_GT(response.article().revision(), last.revision) << Describe(response);
      last = {response.article().revision(), response.change() == v1::ARTICLE_CHANGE_RETRACTED};
    }
  }
}

// Publishers at every server change and retract the same articles.
TEST_F(WatchTest, WatchersOfAllServersEndWithTheLastChangeOfEachArticle) {
  constexpr size_t kServers = 4;
  constexpr int kArticles = 20;
  constexpr int kWrites = 40;  // of each publisher
  std::vector<std::unique_ptr<ContentdServer>> servers;
  std::vector<std::unique_ptr<Client>> clients;
  for (size_t i = 0; i < kServers; ++i) {
    servers.push_back(std::make_unique<ContentdServer>(Arguments()));
    clients.push_back(std::make_unique<Client>(servers.back()->address()));
    AwaitServing(*clients.back());
  }
  for (int i = 0; i < kArticles; ++i) Publish(MakeArticle(absl::StrCat("story-", i)));

  std::latch started(2 * kServers);
  std::vector<std::future<std::map<std::string, Sent>>> watchers;
  for (size_t server = 0; server < kServers; ++server) {
    for (const bool resumes : {false, true}) {
      watchers.push_back(std::async(std::launch::async, [&clients, &started, server, resumes] {
        return WatchUntilLast(clients, server, resumes, started);
      }));
    }
  }
  started.wait();
  const auto write = [&](const Client& client, unsigned seed) {
    std::mt19937 random(seed);
    for (int i = 0; i < kWrites; ++i) {
      const std::string id = absl::StrCat("story-", random() % kArticles);
      if (random() % 3 == 0) {
        v1::RetractArticleRequest request;
        request.set_name("articles/" + id);
        Do(&Admin::RetractArticle, client.admin(), request);
      } else {
        v1::Article article = MakeArticle(id);
        article.set_title(absl::StrCat("Title ", seed, " ", i));
        EXPECT_TRUE(client.Publish(article).ok());
      }
    }
  };
  {
    std::vector<std::jthread> publishers;
    for (unsigned i = 0; i < 2 * kServers; ++i) {
      publishers.emplace_back([&, i] { write(*clients[i % kServers], i); });
    }
  }
  Publish(MakeArticle("last"));

  const std::string stored = Query(
      url_,
      "WITH named AS (SELECT name, revision, retracted FROM article_state WHERE name <> 'last') "
      "SELECT string_agg(concat_ws(' ', 'articles/' || name, revision, retracted), ', ' "
      "ORDER BY name COLLATE \"C\") FROM named");
  for (auto& watcher : watchers) {
    std::vector<std::string> sent;
    for (const auto& [name, last] : watcher.get()) {
      sent.push_back(absl::StrCat(name, " ", last.revision, last.retracted ? " t" : " f"));
    }
    EXPECT_EQ(absl::StrJoin(sent, ", "), stored);
  }
}

// ---- Maintenance ----

template <class Response>
std::vector<Response> ReadAll(Stream<Response>& stream) {
  std::vector<Response> responses;
  while (std::optional<Response> response = stream.Read()) responses.push_back(*response);
  const grpc::Status status = stream.Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  if (responses.empty()) responses.emplace_back();
  for (const Response& response : responses) {
    EXPECT_EQ(response.complete(), &response == &responses.back());
  }
  return responses;
}

class AuthorTest : public WatchTest {
 protected:
  static constexpr int kArticles = 3;
  static constexpr int kComments = 450;

  AuthorTest() {
    for (int i = 0; i < kArticles; ++i) Publish(MakeArticle(absl::StrCat("story-", i)));
    for (int i = 0; i < kComments; ++i) Write(absl::StrCat("story-", i % kArticles), "text");
    v1::CreateCommentRequest other = MakeCommentRequest("story-0", "another's");
    other.mutable_comment()->mutable_author()->set_id("user-2");
    EXPECT_TRUE(client_.Create(other).ok());
  }

  std::vector<v1::ExportAuthorResponse> Export(const std::string& id) {
    v1::ExportAuthorRequest request;
    request.set_author_id(id);
    Stream<v1::ExportAuthorResponse> stream(&Admin::ExportAuthor, client_.admin(), request);
    return ReadAll(stream);
  }

  std::vector<v1::EraseAuthorResponse> Erase(const std::string& id) {
    v1::EraseAuthorRequest request;
    request.set_author_id(id);
    Stream<v1::EraseAuthorResponse> stream(&Admin::EraseAuthor, client_.admin(), request);
    return ReadAll(stream);
  }
};

TEST_F(AuthorTest, AnExportHasEveryCommentAndCountsThem) {
  int64_t count = 0;
  std::map<std::string, int> names;
  for (const v1::ExportAuthorResponse& response : Export("user-1")) {
    count += response.comments_size();
    EXPECT_EQ(response.comment_count(), count);
    for (const v1::Comment& comment : response.comments()) ++names[comment.name()];
  }
  EXPECT_EQ(count, kComments);
  EXPECT_EQ(names.size(), kComments);
  EXPECT_EQ(Export("nobody").back().comment_count(), 0);
}

TEST_F(AuthorTest, AnErasureReportsProgressAndSparesOtherAuthors) {
  const auto watch = WatchComments(client_, "story-0");
  const std::vector<v1::EraseAuthorResponse> responses = Erase("user-1");
  int64_t last = 0;
  for (const v1::EraseAuthorResponse& response : responses) {
    EXPECT_GE(response.comment_count(), last);
    last = response.comment_count();
  }
  EXPECT_EQ(last, kComments);
  EXPECT_EQ(responses.back().article_count(), kArticles);
  EXPECT_EQ(Export("user-1").back().comment_count(), 0);
  EXPECT_EQ(Export("user-2").back().comment_count(), 1);
  EXPECT_EQ(Erase("user-1").back().comment_count(), 0);
  std::map<std::string, v1::CommentState> states;
  while (std::count_if(states.begin(), states.end(), [](const auto& state) {
           return state.second == v1::COMMENT_STATE_DELETED;
         }) < kComments / kArticles) {
    const v1::WatchCommentsResponse change = NextChange(*watch);
    ASSERT_FALSE(HasFailure());
    for (const v1::Comment& comment : change.comments()) states[comment.name()] = comment.state();
  }
}

TEST_F(AuthorTest, AnAuthorIdIsRequired) {
  for (const std::string& id : {std::string(), std::string(256, 'x'), std::string("a\nb")}) {
    v1::ExportAuthorRequest of_export;
    of_export.set_author_id(id);
    Stream<v1::ExportAuthorResponse> exported(&Admin::ExportAuthor, client_.admin(), of_export);
    EXPECT_THAT(BadFields(End(exported)), ElementsAre("author_id"));
    v1::EraseAuthorRequest of_erasure;
    of_erasure.set_author_id(id);
    Stream<v1::EraseAuthorResponse> erased(&Admin::EraseAuthor, client_.admin(), of_erasure);
    EXPECT_THAT(BadFields(End(erased)), ElementsAre("author_id"));
  }
}

TEST_F(WatchTest, ManyDriftsAreSplitIntoMessages) {
  constexpr int kDrifts = 1200;
  Publish(MakeArticle("story"));
  const v1::Comment comment = Write("story", "text");
  Query(url_,
        absl::StrCat("INSERT INTO comment SELECT (c).* FROM (SELECT jsonb_populate_record(c, "
                     "jsonb_build_object('comment_id', gen_random_uuid(), 'thread_key', '\\x' || "
                     "encode(uuid_send(gen_random_uuid()), 'hex'))) AS c FROM comment c, "
                     "generate_series(2, ",
                     kDrifts, ")) x"));
  Query(url_, absl::StrCat("UPDATE comment SET reply_count = 7; UPDATE article_state SET "
                           "comment_count = ",
                           kDrifts));
  v1::VerifyCountersRequest request;
  request.set_repair(true);
  Stream<v1::VerifyCountersResponse> verification(&Admin::VerifyCounters, client_.admin(), request);
  int64_t drifts = 0;
  for (const v1::VerifyCountersResponse& response : ReadAll(verification)) {
    drifts += response.drifts_size();
    EXPECT_EQ(response.drift_count(), drifts);
    EXPECT_LE(response.drifts_size(), 1000);
    EXPECT_EQ(response.article_count(), response.complete() ? 1 : 0);
  }
  EXPECT_EQ(drifts, kDrifts);
  const auto watch = WatchComments(client_, "story", comment.article_revision());
  for (int told = 0; told < kDrifts;) {
    const v1::WatchCommentsResponse change = NextChange(*watch);
    ASSERT_FALSE(HasFailure());
    EXPECT_LE(change.comments_size(), 50);
    told += change.comments_size();
  }
}

TEST_F(WatchTest, CountersAreVerifiedAndRepairedAndWatchersAreTold) {
  for (const char* id : {"story", "right"}) Publish(MakeArticle(id));
  const v1::Comment comment = Write("story", "text");
  const auto watch = WatchComments(client_, "story", comment.article_revision());
  Query(url_,
        "UPDATE comment SET reply_count = 7; UPDATE article_state SET comment_count = 9 "
        "WHERE first_name = 'story'");
  const auto verify = [this](const std::string& name, bool repair) {
    v1::VerifyCountersRequest request;
    request.set_name(name);
    request.set_repair(repair);
    Stream<v1::VerifyCountersResponse> stream(&Admin::VerifyCounters, client_.admin(), request);
    return ReadAll(stream).back();
  };
  const v1::VerifyCountersResponse found = verify("", false);
  EXPECT_EQ(found.article_count(), 2);
  EXPECT_EQ(found.drift_count(), 2);
  EXPECT_EQ(verify("articles/right", true).drift_count(), 0);
  EXPECT_EQ(verify("articles/story", true).drift_count(), 2);
  EXPECT_EQ(verify("", false).drift_count(), 0);
  const v1::WatchCommentsResponse change = NextChange(*watch);
  EXPECT_EQ(change.comment_count(), 1);
  EXPECT_EQ(change.comments(0).reply_count(), 0);

  v1::VerifyCountersRequest missing;
  missing.set_name("articles/nothing");
  Stream<v1::VerifyCountersResponse> stream(&Admin::VerifyCounters, client_.admin(), missing);
  EXPECT_EQ(ReasonOf(End(stream)), "ARTICLE_NOT_FOUND");
  missing.set_name("nothing");
  Stream<v1::VerifyCountersResponse> bad(&Admin::VerifyCounters, client_.admin(), missing);
  EXPECT_THAT(BadFields(End(bad)), ElementsAre("name"));
}

}  // namespace
}  // namespace content::testing
