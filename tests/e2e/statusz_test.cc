// The page that tells people how a real server is.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "support/await_that.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"
#include "support/http_client.h"
#include "support/postgres_server.h"

namespace content::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kWell[] = "Serving. Everything is well.";

std::string PageOf(const ContentdServer& server) {
  return HttpGet(server.http_address(), "/statusz").body;
}

void AwaitText(const ContentdServer& server, absl::string_view text) {
  AwaitThat([&] { return absl::StrContains(PageOf(server), text); });
}

grpc::Status ReadArticle(const Client& client, const std::string& id) {
  v1::GetArticleRequest request;
  request.set_name("articles/" + id);
  v1::GetArticleResponse response;
  return Client::Call(&v1::ContentService::Stub::GetArticle, client.content(), request, response);
}

TEST(StatuszTest, TellsWhatAWellServerDoes) {
  const ContentdServer server({"--database-url", NewDatabase()});
  const Client client(server.address());
  AwaitServing(client);
  ASSERT_TRUE(client.Publish(MakeArticle("confidential-story")).ok());
  ASSERT_TRUE(ReadArticle(client, "confidential-story").ok());
  EXPECT_FALSE(ReadArticle(client, "confidential-plan").ok());
  const HttpResponse page = HttpGet(server.http_address(), "/statusz");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.headers,
              AllOf(HasSubstr("Content-Type: text/html; charset=utf-8"),
                    HasSubstr("Content-Security-Policy: default-src 'none'; style-src "
                              "'unsafe-inline';")));
  EXPECT_THAT(page.body, HasSubstr(kWell));
  EXPECT_THAT(page.body, HasSubstr("ContentService/</span>Get<wbr/>Article"));
  EXPECT_THAT(page.body, HasSubstr("<dt>NotFound</dt><dd>1</dd>"));
  EXPECT_THAT(page.body, HasSubstr("<dt>Answers</dt><dd>yes</dd>"));
  EXPECT_THAT(page.body, HasSubstr("<th scope=\"row\">reads</th>"));
  // Numbers only: nothing of articles, people and passwords.
  EXPECT_THAT(page.body, Not(HasSubstr("confidential")));
  EXPECT_THAT(page.body, Not(HasSubstr("dbname=")));
}

TEST(StatuszTest, SaysThatItStarts) {
  ContentdServer server({"--database-url", "host=/nowhere dbname=x", "--database-wait", "1h"}, {},
                        ContentdServer::Until::kStarted);
  const std::string address = nlohmann::json::parse(server.WaitForEvent("serving http"))["address"];
  EXPECT_THAT(HttpGet(address, "/statusz").body, HasSubstr("Starting: "));
}

TEST(StatuszTest, SaysThatItStops) {
  const ContentdServer server({"--database-url", NewDatabase(), "--drain-delay", "1h"});
  server.Signal(SIGTERM);
  AwaitText(server, "Stopping: clients are being sent to other servers.");
}

TEST(StatuszTest, SaysSinceWhenTheDatabaseIsAwayAndWhatWasLogged) {
  PostgresServer database("statusz");
  ASSERT_EQ(RunContentd({"migrate", "--database-url", database.url()}).status, 0);
  const ContentdServer server({"--database-url", database.url()});
  AwaitText(server, kWell);
  database.Freeze();
  AwaitText(server, "Serving stale articles: the database has not answered since ");
  AwaitText(server, "<th scope=\"row\">database does not answer</th>");
  database.Thaw();
  AwaitText(server, kWell);
  database.Kill();
  AwaitText(server, "Serving stale articles: the database has not been usable since ");
}

TEST(StatuszTest, SaysThatMemoryIsShort) {
  const ContentdServer server({"--database-url", NewDatabase(), "--memory-limit", "1MiB"});
  AwaitText(server, "Refusing calls that need the database: memory has been short since ");
}

}  // namespace
}  // namespace content::testing
