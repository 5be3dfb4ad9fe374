// What operators see of the real binary by HTTP: its numbers, whether it lives, and whether it is
// ready.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "support/await_that.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"
#include "support/http_client.h"
#include "support/locks.h"
#include "support/postgres_server.h"

namespace content::testing {
namespace {

using ::testing::HasSubstr;
using Content = v1::ContentService::Stub;

// As dashboards and alerts use them.
constexpr const char* kFamilies[] = {
    "contentd_batch_size histogram",
    "contentd_build_info gauge",
    "contentd_cache_age_seconds histogram",
    "contentd_cache_bytes gauge",
    "contentd_cache_entries gauge",
    "contentd_cache_evictions_total counter",
    "contentd_cache_flights gauge",
    "contentd_cache_hits_total counter",
    "contentd_cache_limit_bytes gauge",
    "contentd_cache_misses_total counter",
    "contentd_cache_stale_answers_total counter",
    "contentd_calls_in_flight gauge",
    "contentd_calls_refused_total counter",
    "contentd_certificate_not_after_seconds gauge",
    "contentd_certificate_reload_failures_total counter",
    "contentd_clock_skew_seconds gauge",
    "contentd_connections gauge",
    "contentd_connections_refused_total counter",
    "contentd_database_breaker_open gauge",
    "contentd_database_errors_total counter",
    "contentd_database_info gauge",
    "contentd_database_seconds histogram",
    "contentd_database_timeline gauge",
    "contentd_database_up gauge",
    "contentd_log_events_dropped_total counter",
    "contentd_log_events_total counter",
    "contentd_memory_limit_bytes gauge",
    "contentd_memory_short gauge",
    "contentd_notification_lag_seconds histogram",
    "contentd_policy_reload_failures_total counter",
    "contentd_pool_connections gauge",
    "contentd_pool_connections_busy gauge",
    "contentd_pool_connections_limit gauge",
    "contentd_queue_calls gauge",
    "contentd_queue_length gauge",
    "contentd_queue_limit gauge",
    "contentd_queue_refused_total counter",
    "contentd_queue_wait_seconds histogram",
    "contentd_rate_limited_total counter",
    "contentd_ready gauge",
    "contentd_replication_lag_seconds gauge",
    "contentd_request_bytes_total counter",
    "contentd_response_bytes_total counter",
    "contentd_watchers gauge",
    "grpc_server_handled_total counter",
    "grpc_server_handling_seconds histogram",
    "grpc_server_msg_received_total counter",
    "grpc_server_msg_sent_total counter",
    "grpc_server_started_total counter",
    "process_cpu_seconds_total counter",
    "process_max_fds gauge",
    "process_open_fds gauge",
    "process_resident_memory_bytes gauge",
    "process_start_time_seconds gauge",
};

// A scrape: values by names with labels.
class Scrape {
 public:
  explicit Scrape(const std::string& address) : text_(HttpGet(address, "/metrics").body) {
    for (const absl::string_view line : absl::StrSplit(text_, '\n', absl::SkipEmpty())) {
      if (absl::StartsWith(line, "#")) continue;
      const size_t space = line.rfind(' ');
      double value = 0;
      EXPECT_TRUE(absl::SimpleAtod(line.substr(space + 1), &value)) << line;
      EXPECT_TRUE(values_.emplace(std::string(line.substr(0, space)), value).second) << line;
    }
  }

  const std::string& text() const { return text_; }

  bool Has(const std::string& name) const { return values_.contains(name); }

  // Fails the test if there is no such number.
  double operator[](const std::string& name) const {
    const auto value = values_.find(name);
    if (value != values_.end()) return value->second;
    ADD_FAILURE() << "there is no " << name;
    return 0;
  }

  // A number of a method: `Calls("handled_total", "GetArticle", "unary", "OK")`.
  double Calls(const std::string& what, const std::string& method, const std::string& type,
               const std::string& code = "") const {
    const std::string labels = absl::StrCat(
        "{grpc_service=\"content.v1.ContentService\",grpc_method=\"", method, "\",grpc_type=\"",
        type, "\"", code.empty() ? "" : absl::StrCat(",grpc_code=\"", code, "\""), "}");
    return (*this)["grpc_server_" + what + labels];
  }

 private:
  std::string text_;
  std::map<std::string, double> values_;
};

std::string Of(const std::string& method) {
  return "{grpc_service=\"content.v1.ContentService\",grpc_method=\"" + method + "\"}";
}

grpc::Status Get(const Client& client, const std::string& id, int64_t* bytes = nullptr) {
  v1::GetArticleRequest request;
  request.set_name("articles/" + id);
  v1::GetArticleResponse response;
  grpc::Status status = Client::Call(&Content::GetArticle, client.content(), request, response);
  if (bytes != nullptr) *bytes += static_cast<int64_t>(response.ByteSizeLong());
  return status;
}

class MetricsTest : public ::testing::Test {
 protected:
  MetricsTest() { AwaitServing(client_); }

  Scrape Read() const { return Scrape(server_.http_address()); }

  const std::string url_ = NewDatabase();
  ContentdServer server_{{"--database-url", url_, "--max-staleness", "1h"}};
  const Client client_{server_.address()};
};

TEST_F(MetricsTest, HaveAllNamesThatDashboardsUse) {
  const HttpResponse response = HttpGet(server_.http_address(), "/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.headers, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  std::vector<std::string> families;
  for (const absl::string_view line : absl::StrSplit(response.body, '\n')) {
    if (absl::StartsWith(line, "# TYPE ")) families.emplace_back(line.substr(sizeof "# TYPE"));
  }
  EXPECT_THAT(families, ::testing::UnorderedElementsAreArray(kFamilies));
}

TEST_F(MetricsTest, CountCallsByTheirStatusAndTheirBytes) {
  ASSERT_TRUE(client_.Publish(MakeArticle("story")).ok());
  int64_t bytes = 0;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Get(client_, "story", &bytes).ok());
  EXPECT_FALSE(Get(client_, "none").ok());
  const Scrape scrape = Read();
  EXPECT_EQ(scrape.Calls("started_total", "GetArticle", "unary"), 4);
  EXPECT_EQ(scrape.Calls("handled_total", "GetArticle", "unary", "OK"), 3);
  EXPECT_EQ(scrape.Calls("handled_total", "GetArticle", "unary", "NotFound"), 1);
  EXPECT_EQ(scrape.Calls("handled_total", "GetArticle", "unary", "Internal"), 0);
  EXPECT_EQ(scrape.Calls("msg_received_total", "GetArticle", "unary"), 4);
  EXPECT_EQ(scrape.Calls("msg_sent_total", "GetArticle", "unary"), 3);
  EXPECT_EQ(scrape.Calls("handling_seconds_count", "GetArticle", "unary"), 4);
  EXPECT_GT(scrape.Calls("handling_seconds_sum", "GetArticle", "unary"), 0);
  EXPECT_EQ(scrape["contentd_calls_in_flight" + Of("GetArticle")], 0);
  EXPECT_EQ(scrape["contentd_response_bytes_total" + Of("GetArticle")], static_cast<double>(bytes));
  EXPECT_EQ(scrape["contentd_request_bytes_total" + Of("GetArticle")],
            3 * (2 + sizeof "articles/story" - 1) + (2 + sizeof "articles/none" - 1));
}

TEST_F(MetricsTest, CountCallsInFlightAndWhatWaitsForTheDatabase) {
  ASSERT_TRUE(client_.Publish(MakeArticle("story")).ok());
  Session session(url_);
  session.Run("BEGIN; " + LockArticles(url_));
  auto in_flight = std::async(std::launch::async,
                              [&] { return client_.Create(MakeCommentRequest("story", "text")); });
  AwaitWaitersForLocks(url_, 1);
  const Scrape waiting = Read();
  EXPECT_EQ(waiting["contentd_calls_in_flight" + Of("CreateComment")], 1);
  EXPECT_EQ(waiting.Calls("started_total", "CreateComment", "unary"), 1);
  EXPECT_EQ(waiting["contentd_pool_connections_busy{pool=\"writes\"}"], 1);
  session.Run("ROLLBACK");
  ASSERT_TRUE(in_flight.get().ok());
  const Scrape done = Read();
  EXPECT_EQ(done["contentd_calls_in_flight" + Of("CreateComment")], 0);
  EXPECT_EQ(done.Calls("handled_total", "CreateComment", "unary", "OK"), 1);
  EXPECT_GE(done["contentd_batch_size_sum{kind=\"comments\"}"], 1);
  EXPECT_GE(done["contentd_queue_wait_seconds_count{pool=\"writes\"}"], 1);
  EXPECT_GE(done["contentd_database_seconds_count{pool=\"writes\"}"], 1);
  EXPECT_EQ(done["contentd_batch_size_sum{kind=\"articles\"}"], 1);
}

TEST_F(MetricsTest, CountHitsAndMissesOfTheCache) {
  ASSERT_TRUE(client_.Publish(MakeArticle("story")).ok());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Get(client_, "story").ok());
  v1::ListCommentsRequest list;
  list.set_parent("articles/story");
  v1::ListCommentsResponse comments;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Client::Call(&Content::ListComments, client_.content(), list, comments).ok());
  }
  const Scrape scrape = Read();
  EXPECT_EQ(scrape["contentd_cache_misses_total{kind=\"article\"}"], 1);
  EXPECT_EQ(scrape["contentd_cache_hits_total{kind=\"article\"}"], 4);
  EXPECT_EQ(scrape["contentd_cache_misses_total{kind=\"page\"}"], 1);
  EXPECT_EQ(scrape["contentd_cache_hits_total{kind=\"page\"}"], 2);
  EXPECT_EQ(scrape["contentd_cache_age_seconds_count"], 6);
  EXPECT_EQ(scrape["contentd_cache_entries"], 1);
  EXPECT_EQ(scrape["contentd_cache_flights"], 0);
  EXPECT_EQ(scrape["contentd_cache_stale_answers_total"], 0);
  EXPECT_GT(scrape["contentd_cache_bytes"], 0);
  EXPECT_EQ(scrape["contentd_cache_limit_bytes"], 256 << 20);
}

TEST_F(MetricsTest, CountStreams) {
  ASSERT_TRUE(client_.Publish(MakeArticle("story")).ok());
  v1::WatchCommentsRequest request;
  request.set_parent("articles/story");
  Stream<v1::WatchCommentsResponse> watch(&v1::ContentService::Stub::WatchComments,
                                          client_.content(), request);
  ASSERT_TRUE(watch.Read());
  const Scrape watching = Read();
  EXPECT_EQ(watching.Calls("started_total", "WatchComments", "server_stream"), 1);
  EXPECT_GE(watching.Calls("msg_sent_total", "WatchComments", "server_stream"), 1);
  EXPECT_EQ(watching["contentd_calls_in_flight" + Of("WatchComments")], 1);
  EXPECT_EQ(watching["contentd_watchers{feed=\"comments\"}"], 1);
  EXPECT_EQ(watching["contentd_watchers{feed=\"articles\"}"], 0);
  watch.Cancel();
  AwaitThat([&] {
    const Scrape ended = Read();
    return ended.Calls("handled_total", "WatchComments", "server_stream", "Canceled") == 1 &&
           ended["contentd_watchers{feed=\"comments\"}"] == 0;
  });
}

TEST_F(MetricsTest, KnowTheDatabaseAndTheConnections) {
  ASSERT_TRUE(client_.Publish(MakeArticle("story")).ok());
  // The notification of the article comes back soon.
  AwaitThat([&] { return Read()["contentd_notification_lag_seconds_count"] >= 1; });
  const Scrape scrape = Read();
  EXPECT_EQ(scrape["contentd_ready"], 1);
  EXPECT_EQ(scrape["contentd_database_up"], 1);
  EXPECT_EQ(scrape["contentd_database_breaker_open"], 0);
  EXPECT_GE(scrape["contentd_database_timeline"], 1);
  EXPECT_LT(std::abs(scrape["contentd_clock_skew_seconds"]), 60);
  EXPECT_EQ(scrape["contentd_connections"], 1);
  EXPECT_GE(scrape["contentd_pool_connections{pool=\"checks\"}"], 1);
  EXPECT_EQ(scrape["contentd_pool_connections_limit{pool=\"reads\"}"], 4);
  EXPECT_EQ(scrape["contentd_queue_limit{pool=\"reads\"}"], 1000);
  EXPECT_GT(scrape["process_open_fds"], 10);
  EXPECT_GT(scrape["process_max_fds"], scrape["process_open_fds"]);
  EXPECT_GT(scrape["process_resident_memory_bytes"], 1 << 20);
  EXPECT_GT(scrape["process_cpu_seconds_total"], 0);
  EXPECT_GT(scrape["contentd_log_events_total{level=\"info\"}"], 0);
  const Client other(server_.address(), OwnConnection());
  AwaitServing(other);
  EXPECT_EQ(Read()["contentd_connections"], 2);
}

TEST_F(MetricsTest, CountErrorsOfTheDatabaseByClass) {
  const auto lost = [this] {  // what a session says at its end may be lost with it
    const Scrape scrape = Read();
    return scrape["contentd_database_errors_total{sqlstate_class=\"08\"}"] +
           scrape["contentd_database_errors_total{sqlstate_class=\"57\"}"];
  };
  EXPECT_EQ(lost(), 0);
  Query(url_,
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()");
  AwaitThat([&] { return lost() >= 1; });
}

TEST_F(MetricsTest, StrangersDoNotDisturbCalls) {
  std::vector<std::unique_ptr<HttpConnection>> strangers;
  for (int i = 0; i < 200; ++i) {
    strangers.push_back(std::make_unique<HttpConnection>(server_.http_address()));
    strangers.back()->Send("GET /metrics HTTP/1.1\r\nX: ");
  }
  ASSERT_TRUE(client_.Publish(MakeArticle("story")).ok());
  EXPECT_TRUE(Get(client_, "story").ok());
  strangers.clear();
  AwaitThat([&] { return HttpGet(server_.http_address(), "/livez").status == 200; });
}

// ---- Whether it lives and is ready ----

class ReadyTest : public ::testing::Test {
 protected:
  static HttpResponse Ready(const ContentdServer& server) {
    return HttpGet(server.http_address(), "/readyz");
  }
  static void ExpectReady(const ContentdServer& server) {
    EXPECT_EQ(Ready(server).status, 200);
    EXPECT_EQ(Ready(server).body, "ready\n");
  }
  static void ExpectAlive(const std::string& address) {
    EXPECT_EQ(HttpGet(address, "/livez").status, 200);
  }
};

TEST_F(ReadyTest, NotBeforeItServes) {
  ContentdServer server({"--database-url", "host=/nowhere dbname=x", "--database-wait", "1h"}, {},
                        ContentdServer::Until::kStarted);
  const std::string address = nlohmann::json::parse(server.WaitForEvent("serving http"))["address"];
  const HttpResponse ready = HttpGet(address, "/readyz");
  EXPECT_EQ(ready.status, 503);
  EXPECT_EQ(ready.body, "not ready: starting\n");
  ExpectAlive(address);
  const Scrape scrape(address);
  EXPECT_EQ(scrape["contentd_ready"], 0);
  EXPECT_THAT(scrape.text(), HasSubstr("contentd_build_info{version="));
}

TEST_F(ReadyTest, NotWhileItDrains) {
  const std::string url = NewDatabase();
  ContentdServer server({"--database-url", url, "--drain-delay", "1h", "--drain-timeout", "1h"});
  const Client client(server.address());
  AwaitServing(client);
  ExpectReady(server);
  ASSERT_TRUE(client.Publish(MakeArticle("story")).ok());
  Session session(url);
  session.Run("BEGIN; " + LockArticles(url));
  auto in_flight = std::async(std::launch::async,
                              [&] { return client.Create(MakeCommentRequest("story", "text")); });
  AwaitWaitersForLocks(url, 1);
  server.Signal(SIGTERM);
  AwaitThat([&] { return Ready(server).status == 503; });
  EXPECT_EQ(Ready(server).body, "not ready: draining\n");
  EXPECT_TRUE(Get(Client(server.address()), "story").ok()) << "during the delay";
  server.Signal(SIGTERM);
  server.WaitForEvent("draining");
  EXPECT_EQ(Ready(server).body, "not ready: draining\n");
  ExpectAlive(server.http_address());
  const Scrape scrape(server.http_address());
  EXPECT_EQ(scrape["contentd_ready"], 0);
  EXPECT_EQ(scrape["contentd_calls_in_flight" + Of("CreateComment")], 1);
  session.Run("ROLLBACK");
  EXPECT_TRUE(in_flight.get().ok());
  EXPECT_EQ(server.Wait(), 0);
}

TEST_F(ReadyTest, WhileTheDatabaseIsAwayAsWhatIsCachedIsServed) {
  PostgresServer database("metrics");
  ASSERT_EQ(RunContentd({"migrate", "--database-url", database.url()}).status, 0);
  ContentdServer server({"--database-url", database.url(), "--max-staleness", "10ms"});
  const Client client(server.address());
  AwaitServing(client);
  ASSERT_TRUE(client.Publish(MakeArticle("story")).ok());
  ASSERT_TRUE(Get(client, "story").ok());
  database.Kill();
  AwaitThat([&] { return Scrape(server.http_address())["contentd_database_up"] == 0; });
  AwaitThat([&] { return Get(client, "story").ok(); });
  ExpectReady(server);
  ExpectAlive(server.http_address());
  const Scrape scrape(server.http_address());
  EXPECT_GE(scrape["contentd_cache_stale_answers_total"], 1);
  EXPECT_EQ(scrape["contentd_pool_connections{pool=\"checks\"}"], 0);
}

TEST_F(ReadyTest, NotWhileTheSchemaDoesNotFit) {
  const std::string url = NewDatabase();
  ContentdServer server({"--database-url", url});
  AwaitServing(Client(server.address()));
  Query(url,
        "INSERT INTO schema_migration (version, name, checksum, applied_time, is_compatible) "
        "SELECT max(version) + 1, 'next', 'x', now(), false FROM schema_migration");
  AwaitThat([&] { return Ready(server).status == 503; });
  EXPECT_EQ(Ready(server).body, "not ready: the database's schema does not fit\n");
  ExpectAlive(server.http_address());
  Query(url, "DELETE FROM schema_migration WHERE name = 'next'");
  AwaitThat([&] { return Ready(server).status == 200; });
}

TEST(HttpListen, CanBeTurnedOffAndFailsIfItsPortIsTaken) {
  const std::string url = NewDatabase();
  ContentdServer server({"--database-url", url});
  const Finished refused = RunContentd({"serve", "--listen", "127.0.0.1:0", "--http-listen",
                                        server.http_address(), "--database-url", url});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("cannot listen on " + server.http_address()));
  ContentdServer without({"--database-url", url, "--http-listen", "off", "--listen", "127.0.0.1:0"},
                         {}, ContentdServer::Until::kStarted);
  const std::string serving = without.WaitForEvent("serving");
  AwaitServing(Client(nlohmann::json::parse(serving)["address"]));
}

}  // namespace
}  // namespace content::testing
