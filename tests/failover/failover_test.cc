// A primary is killed and a standby promoted, sometimes without the last commits. Nothing that was
// acknowledged is lost if commits wait for a standby, and in no case is anybody shown what was
// lost.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <deque>
#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/schema.h"
#include "support/comment_load.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"
#include "support/postgres_server.h"

namespace content::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kBackoff{10};

// A name of a server that no other server of this process has.
std::string NewName() {
  static int count = 0;
  return absl::StrCat("s", ++count);
}

// A primary and its standbys, with the service's database.
class Cluster {
 public:
  explicit Cluster(int standby_count) {
    EXPECT_TRUE(store::Migrate(primary.url()).ok());
    for (int i = 0; i < standby_count; ++i) standbys.emplace_back(NewName(), primary);
    primary.AwaitStandbys(standby_count);
  }

  // For whichever server takes writes; the first primary comes first.
  std::string url() const {
    std::vector<const PostgresServer*> servers = {&primary};
    for (const PostgresServer& standby : standbys) servers.push_back(&standby);
    return UrlOf(servers);
  }

  // `names` as in PostgreSQL's setting; empty: for none. Only for the first primary.
  void LetCommitsWaitFor(const std::string& names) const {
    Session session(primary.url());
    session.Run(absl::StrCat("ALTER SYSTEM SET synchronous_standby_names = '", names, "'"));
    session.Run("SELECT pg_reload_conf()");
  }

  void LetCommitsWaitForAnyStandby() const {
    std::string names;
    for (const PostgresServer& standby : standbys) {
      absl::StrAppend(&names, names.empty() ? "" : ", ", standby.name());
    }
    LetCommitsWaitFor(absl::StrCat("ANY 1 (", names, ")"));
  }

  // The standby that has received most.
  const PostgresServer& Newest() const {
    const PostgresServer* newest = nullptr;
    std::string most;
    for (const PostgresServer& standby : standbys) {
      const std::string received =
          Query(standby.url(), "SELECT pg_last_wal_receive_lsn() - '0/0'::pg_lsn");
      const bool is_more = newest == nullptr || std::stoll(received) > std::stoll(most);
      if (!is_more) continue;
      newest = &standby;
      most = received;
    }
    return *newest;
  }

  PostgresServer primary{NewName()};
  std::deque<PostgresServer> standbys;
};

// Repeats a call until it succeeds, because the database may be away. Fails the test if that takes
// too long.
template <class Call>
void Persist(const Call& call) {
  const auto end = Clock::now() + std::chrono::seconds(60);
  grpc::Status status = call();
  while (!status.ok() && Clock::now() < end) {
    std::this_thread::sleep_for(kBackoff);
    status = call();
  }
  EXPECT_TRUE(status.ok()) << status.error_message();
}

v1::Comment Write(const Client& client, const std::string& body) {
  static int count = 0;
  auto request = MakeCommentRequest("story", body);
  request.set_request_id(absl::StrCat("00000000-0000-4000-8000-", 100'000'000'000 + ++count));
  v1::CreateCommentResponse response;
  Persist([&] { return client.Create(request, &response); });
  return response.comment();
}

void Publish(const Client& client, const std::string& id) {
  Persist([&] { return client.Publish(MakeArticle(id)); });
}

v1::ListCommentsResponse List(const Client& client, int64_t min_revision = 0) {
  v1::ListCommentsRequest request;
  request.set_parent("articles/story");
  request.set_min_revision(min_revision);
  v1::ListCommentsResponse response;
  const grpc::Status status =
      Client::Call(&v1::ContentService::Stub::ListComments, client.content(), request, response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

std::vector<std::string> Bodies(const v1::ListCommentsResponse& list) {
  std::vector<std::string> bodies;
  for (const v1::Comment& comment : list.comments()) bodies.push_back(comment.body());
  return bodies;
}

// A watcher that resumes after every interruption, as the contract says.
template <class Request, class Response>
class Resuming {
 public:
  using Method = std::unique_ptr<grpc::ClientReader<Response>> (v1::ContentService::Stub::*)(
      grpc::ClientContext*, const Request&);

  Resuming(const Client& client, Method method, const Request& request)
      : client_(client), method_(method), request_(request) {
    stream_.emplace(method_, client_.content(), request_);
  }

  // Returns the next message; nullopt if there are none any more, with Finish().
  std::optional<Response> Read() {
    while (true) {
      if (std::optional<Response> response = stream_->Read()) {
        request_.set_resume_token(response->resume_token());
        if constexpr (std::is_same_v<Request, v1::WatchArticlesRequest>) {
          request_.set_skip_existing(false);
        }
        return response;
      }
      status_ = stream_->Finish();
      if (status_.error_code() != grpc::StatusCode::UNAVAILABLE) return std::nullopt;
      stream_.emplace(method_, client_.content(), request_);
    }
  }

  const grpc::Status& Finish() const { return status_; }

  const std::string& resume_token() const { return request_.resume_token(); }

 private:
  const Client& client_;
  const Method method_;
  Request request_;
  std::optional<Stream<Response>> stream_;
  grpc::Status status_;
};

// The reason with which a watch ends that continues from this token.
std::string EndOfCommentWatch(const Client& client, const std::string& resume_token) {
  v1::WatchCommentsRequest request;
  request.set_parent("articles/story");
  request.set_resume_token(resume_token);
  Resuming watch(client, &v1::ContentService::Stub::WatchComments, request);
  while (watch.Read()) {
  }
  return ReasonOf(watch.Finish());
}

std::string EndOfArticleWatch(const Client& client, const std::string& resume_token) {
  v1::WatchArticlesRequest request;
  request.set_resume_token(resume_token);
  Resuming watch(client, &v1::ContentService::Stub::WatchArticles, request);
  while (watch.Read()) {
  }
  return ReasonOf(watch.Finish());
}

// ---- What was lost ----

// Two servers share a database. The standby lacks the last changes, whose revision and position are
// used again.
TEST(FailoverTest, NobodyIsShownWhatWasLost) {
  Cluster cluster(1);
  ContentdServer own_server({"--database-url", cluster.url()});
  ContentdServer other_server({"--database-url", cluster.url()});
  const Client own(own_server.address());
  const Client other(other_server.address());
  Publish(own, "story");
  Write(own, "first");

  v1::WatchCommentsRequest watch;
  watch.set_parent("articles/story");
  watch.set_resume_token(List(own).resume_token());
  Resuming comments(own, &v1::ContentService::Stub::WatchComments, watch);
  ASSERT_TRUE(comments.Read());
  v1::WatchArticlesRequest watch_articles;
  watch_articles.set_skip_existing(true);
  Resuming articles(own, &v1::ContentService::Stub::WatchArticles, watch_articles);
  ASSERT_TRUE(articles.Read());

  cluster.primary.AwaitStandbys(1);
  cluster.primary.StopSendingTo(cluster.standbys[0]);
  const v1::Comment lost = Write(own, "LOST");
  Publish(own, "lost");
  EXPECT_THAT(Bodies(List(own)), ElementsAre("LOST", "first"));
  EXPECT_EQ(comments.Read()->comments(0).body(), "LOST");
  EXPECT_EQ(articles.Read()->article().name(), "articles/lost");

  cluster.primary.Kill();
  cluster.standbys[0].Promote();
  const v1::Comment found = Write(other, "NEW");
  ASSERT_EQ(found.article_revision(), lost.article_revision());
  Publish(other, "new");

  own_server.WaitForEvent("database failed over");
  EXPECT_THAT(Bodies(List(own, found.article_revision())), ElementsAre("NEW", "first"));
  for (const Client* client : {&own, &other}) {
    v1::GetArticleRequest request;
    request.set_name("articles/lost");
    v1::GetArticleResponse response;
    EXPECT_EQ(ReasonOf(Client::Call(&v1::ContentService::Stub::GetArticle, client->content(),
                                    request, response)),
              "ARTICLE_NOT_FOUND");
  }

  EXPECT_FALSE(comments.Read());
  EXPECT_EQ(ReasonOf(comments.Finish()), "REVISION_NOT_REACHED");
  EXPECT_FALSE(articles.Read());
  EXPECT_EQ(ReasonOf(articles.Finish()), "REVISION_NOT_REACHED");
  for (const Client* client : {&own, &other}) {
    EXPECT_EQ(EndOfCommentWatch(*client, comments.resume_token()), "REVISION_NOT_REACHED");
    EXPECT_EQ(EndOfArticleWatch(*client, articles.resume_token()), "REVISION_NOT_REACHED");
  }
}

// It keeps its timeline.
TEST(FailoverTest, ARestartOfThePrimaryIsNoFailover) {
  PostgresServer primary(NewName());
  ASSERT_TRUE(store::Migrate(primary.url()).ok());
  ContentdServer server({"--database-url", primary.url()});
  const Client client(server.address());
  Publish(client, "story");
  Write(client, "first");
  v1::WatchCommentsRequest request;
  request.set_parent("articles/story");
  request.set_resume_token(List(client).resume_token());

  primary.Kill();
  primary.Start();
  Write(client, "second");
  Resuming watch(client, &v1::ContentService::Stub::WatchComments, request);
  const std::optional<v1::WatchCommentsResponse> change = watch.Read();
  ASSERT_TRUE(change);
  EXPECT_EQ(change->comments(0).body(), "second");
}

// ---- The wrong server ----

// Nobody has fenced it, and it is the first that the URL names.
TEST(FailoverTest, AnOldPrimaryThatComesBackIsRefused) {
  Cluster cluster(1);
  ContentdServer server({"--database-url", cluster.url()});
  const Client client(server.address());
  Publish(client, "story");
  cluster.primary.AwaitStandbys(1);
  cluster.primary.Kill();
  cluster.standbys[0].Promote();
  Write(client, "first");

  cluster.primary.Start();
  cluster.standbys[0].Kill();
  EXPECT_THAT(server.WaitForEvent("database refused"), HasSubstr("old primary"));
  EXPECT_EQ(ReasonOf(client.Create(MakeCommentRequest("story", "refused"))), "STORE_UNAVAILABLE");
  AwaitHealth(client, grpc::health::v1::HealthCheckResponse::NOT_SERVING);

  cluster.standbys[0].Start();
  Write(client, "second");
  AwaitServing(client);
  EXPECT_THAT(Bodies(List(client)), ElementsAre("second", "first"));
  EXPECT_EQ(Query(cluster.primary.url(), "SELECT count(*) FROM comment"), "0");
}

// The URL names the old primary first.
TEST(FailoverTest, AServerThatStartsFindsTheNewPrimaryBesideTheOldOne) {
  Cluster cluster(1);
  cluster.standbys[0].Promote();
  ContentdServer server({"--database-url", cluster.url()});
  const Client client(server.address());
  Publish(client, "story");
  Write(client, "first");
  EXPECT_EQ(Query(cluster.standbys[0].url(), "SELECT count(*) FROM comment"), "1");
  EXPECT_EQ(Query(cluster.primary.url(), "SELECT count(*) FROM comment"), "0");
}

// None of the server's sessions ends.
TEST(FailoverTest, AServerLeavesAnOldPrimaryThatGoesOn) {
  Cluster cluster(1);
  ContentdServer server({"--database-url", cluster.url()});
  const Client client(server.address());
  Publish(client, "story");
  Write(client, "first");
  cluster.primary.AwaitStandbys(1);
  cluster.standbys[0].Promote();
  server.WaitForEvent("database failed over");
  Write(client, "second");
  EXPECT_THAT(Bodies(List(client)), ElementsAre("second", "first"));
  EXPECT_EQ(Query(cluster.primary.url(), "SELECT count(*) FROM comment"), "1");
}

// As when two clusters are behind one name.
TEST(FailoverTest, AnotherClusterIsRefused) {
  PostgresServer one(NewName());
  PostgresServer other(NewName());
  ASSERT_TRUE(store::Migrate(one.url()).ok());
  ASSERT_TRUE(store::Migrate(other.url()).ok());
  ContentdServer server({"--database-url", UrlOf({&one, &other})});
  const Client client(server.address());
  Publish(client, "story");

  one.Kill();
  EXPECT_THAT(server.WaitForEvent("database refused"), HasSubstr("another database cluster"));
  EXPECT_EQ(ReasonOf(client.Create(MakeCommentRequest("story", "refused"))), "STORE_UNAVAILABLE");

  one.Start();
  Write(client, "first");
  EXPECT_EQ(Query(other.url(), "SELECT count(*) FROM article_state"), "0");
}

TEST(FailoverTest, AStandbyIsNotUsed) {
  Cluster cluster(1);
  const Finished alone = RunContentd({"serve", "--database-url", cluster.standbys[0].url(),
                                      "--database-wait", "0s", "--listen", "127.0.0.1:0"});
  EXPECT_EQ(alone.status, 1);
  EXPECT_THAT(alone.err, HasSubstr("the database is a standby"));

  ContentdServer server(
      {"--database-url", absl::StrCat("host=", cluster.standbys[0].host(), ",",
                                      cluster.primary.host(), " user=content dbname=content")});
  const Client client(server.address());
  Publish(client, "story");
  Write(client, "first");
  EXPECT_THAT(Bodies(List(client)), ElementsAre("first"));
}

// ---- Commits that wait for a standby ----

v1::StoreInfo InfoOf(const Client& client) {
  v1::GetServerInfoResponse response;
  EXPECT_TRUE(Client::Call(&v1::AdminService::Stub::GetServerInfo, client.admin(),
                           v1::GetServerInfoRequest(), response)
                  .ok());
  return response.store();
}

TEST(FailoverTest, TheServerSaysForWhichStandbysCommitsWait) {
  Cluster cluster(1);
  ContentdServer server({"--database-url", cluster.url()});
  const Client client(server.address());
  server.WaitForEvent("commits wait for no standby");
  EXPECT_EQ(InfoOf(client).synchronous_standby_names(), "");
  EXPECT_EQ(InfoOf(client).timeline(), 1);
  EXPECT_EQ(InfoOf(client).system_id(),
            Query(cluster.primary.url(), "SELECT system_identifier FROM pg_control_system()"));

  cluster.LetCommitsWaitForAnyStandby();
  const std::string names = absl::StrCat("ANY 1 (", cluster.standbys[0].name(), ")");
  EXPECT_THAT(server.WaitForEvent("commits wait for a standby"), HasSubstr(names));
  EXPECT_EQ(InfoOf(client).synchronous_standby_names(), names);

  cluster.primary.Kill();
  cluster.standbys[0].Promote();
  server.WaitForEvent("commits wait for no standby");
  EXPECT_EQ(InfoOf(client).timeline(), 2);
}

struct Scenario {
  const char* name;
  bool commits_wait;
  bool one_lags;
};

class KilledPrimaryTest : public ::testing::TestWithParam<Scenario> {};

double SecondsBetween(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

// Times are printed, not tested.
TEST_P(KilledPrimaryTest, LosesNothingIfCommitsWait) {
  Cluster cluster(2);
  if (GetParam().commits_wait) cluster.LetCommitsWaitForAnyStandby();
  ContentdServer server({"--database-url", cluster.url()});
  CommentLoad load(/*writers=*/16, /*articles=*/4);
  load.Start(server.address());
  load.AwaitMore(300);
  if (GetParam().one_lags) {
    cluster.primary.StopSendingTo(cluster.standbys[0]);
    if (!GetParam().commits_wait) cluster.primary.StopSendingTo(cluster.standbys[1]);
    load.AwaitMore(300);
  }

  const Clock::time_point killed = Clock::now();
  cluster.primary.Kill();
  const PostgresServer& newest = cluster.Newest();
  const Clock::time_point promoting = Clock::now();
  newest.Promote();
  const Clock::time_point promoted = Clock::now();
  load.AwaitMore(300);
  load.Stop();

  const CommentLoad::Outcome outcome = load.Check(server.address());
  if (GetParam().commits_wait) {
    EXPECT_EQ(outcome.lost, 0);
  }
  EXPECT_EQ(outcome.doubled, 0);
  EXPECT_TRUE(outcome.counts_are_right);
  const Clock::time_point first = load.FirstAcknowledgedAfter(promoting);
  std::cout << GetParam().name << ": acknowledged " << outcome.acknowledged << ", lost "
            << outcome.lost << ", doubled " << outcome.doubled << "; first acknowledgement "
            << SecondsBetween(promoted, first) << " s after the promotion; gap "
            << SecondsBetween(load.LastAcknowledgedBefore(promoting), first)
            << " s, of which promoting took " << SecondsBetween(promoting, promoted)
            << " s and began " << SecondsBetween(killed, promoting) << " s after the kill\n";
}

INSTANTIATE_TEST_SUITE_P(All, KilledPrimaryTest,
                         ::testing::Values(Scenario{"CommitsWait", true, false},
                                           Scenario{"CommitsWaitOneLags", true, true},
                                           Scenario{"CommitsDoNotWait", false, false},
                                           Scenario{"CommitsDoNotWaitAllLag", false, true}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace content::testing
