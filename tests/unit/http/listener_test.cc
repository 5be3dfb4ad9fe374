// Requests to a listener, good and bad, over real connections.

#include "http/listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "server/listening.h"
#include "support/http_client.h"

namespace content::http {
namespace {

using content::testing::HttpCall;
using content::testing::HttpConnection;
using content::testing::HttpGet;
using content::testing::HttpResponse;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ListenerTest : public ::testing::Test {
 protected:
  ListenerTest() {
    server::Listening listening = *server::Listen("127.0.0.1:0");
    address_ = listening.address;
    listener_ = *Listener::Start(
        std::move(listening),
        {{"/page", [] { return Answer{.body = "text\n"}; }},
         {"/large", [] { return Answer{.body = std::string(kLarge, 'x')}; }},
         {"/busy", [] { return Answer{.status = 503, .content_type = "x/y", .body = "no\n"}; }},
         {"/broken", []() -> Answer { throw std::runtime_error("broken"); }}});
  }

  static constexpr size_t kLarge = 4 << 20;  // more than the sockets hold

  std::string address_;
  std::unique_ptr<Listener> listener_;
};

TEST_F(ListenerTest, ShowsAPage) {
  const HttpResponse response = HttpGet(address_, "/page");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "text\n");
  EXPECT_THAT(response.headers, HasSubstr("Content-Type: text/plain; charset=utf-8"));
  EXPECT_THAT(response.headers, HasSubstr("Content-Length: 5"));
  EXPECT_THAT(response.headers, HasSubstr("Cache-Control: no-store"));
}

TEST_F(ListenerTest, IgnoresTheQuery) { EXPECT_EQ(HttpGet(address_, "/page?a=b").status, 200); }

TEST_F(ListenerTest, APageDecidesItsStatusAndType) {
  const HttpResponse response = HttpGet(address_, "/busy");
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(response.headers, HasSubstr("Content-Type: x/y"));
}

TEST_F(ListenerTest, HeadGetsTheHeadersAlone) {
  const HttpResponse response = HttpCall(address_, "HEAD", "/page");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.headers, HasSubstr("Content-Length: 5"));
  EXPECT_EQ(response.body, "");
}

TEST_F(ListenerTest, OtherPathsAndMethodsGetAShortError) {
  for (const char* path : {"/", "/pag", "/page/", "/../etc/passwd"}) {
    const HttpResponse response = HttpGet(address_, path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(response.body, "there is no such page\n");
  }
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PRI"}) {
    const HttpResponse response = HttpCall(address_, method, "/page");
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_THAT(response.headers, HasSubstr("Allow: GET, HEAD"));
  }
}

TEST_F(ListenerTest, ABodyEndsTheConnection) {
  for (const char* method : {"POST", "GET"}) {
    const HttpConnection connection(address_);
    connection.Send(std::string(method) +
                    " /page HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");
    connection.Send(std::string(100'000, 'x'));
    EXPECT_THAT(connection.ReadToEnd(), ::testing::Not(HasSubstr("200 OK"))) << method;
  }
  EXPECT_EQ(HttpGet(address_, "/page").status, 200);
}

TEST_F(ListenerTest, APageThatFailsIsAnErrorOfItsOwn) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(HttpGet(address_, "/broken").status, 500);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("page failed"));
  EXPECT_EQ(HttpGet(address_, "/page").status, 200);
}

TEST_F(ListenerTest, ManyRequestsUseOneConnection) {
  const HttpConnection connection(address_);
  constexpr int kRequests = 10;
  for (int i = 1; i <= kRequests; ++i) {
    connection.Send(std::string("GET /page HTTP/1.1\r\nHost: x\r\n") +
                    (i == kRequests ? "Connection: close\r\n\r\n" : "\r\n"));
  }
  const std::string all = connection.ReadToEnd();
  int answers = 0;
  for (size_t at = all.find("text\n"); at != std::string::npos; at = all.find("text\n", at + 1)) {
    ++answers;
  }
  EXPECT_EQ(answers, kRequests);
}

TEST_F(ListenerTest, HeadersThatAreTooLargeAreRefused) {
  for (const std::string& request :
       {"GET /" + std::string(Listener::kMaxRequestBytes, 'x') + " HTTP/1.1\r\n\r\n",
        "GET /page HTTP/1.1\r\nHost: x\r\nX: " + std::string(Listener::kMaxRequestBytes, 'x') +
            "\r\n\r\n",
        std::string(10 * Listener::kMaxRequestBytes, 'x')}) {
    const HttpConnection connection(address_);
    connection.Send(request);
    EXPECT_THAT(connection.ReadToEnd(), ::testing::Not(HasSubstr("200 OK")));
  }
  EXPECT_EQ(HttpGet(address_, "/page").status, 200);
}

TEST_F(ListenerTest, GarbageIsRefused) {
  const HttpConnection connection(address_);
  connection.Send("\x16\x03\x01 this is no HTTP\r\n\r\n");
  EXPECT_THAT(connection.ReadToEnd(), ::testing::Not(HasSubstr("200 OK")));
  EXPECT_EQ(HttpGet(address_, "/page").status, 200);
}

TEST_F(ListenerTest, SlowClientsDisturbNobody) {
  const HttpConnection silent(address_);
  const HttpConnection halfway(address_);
  halfway.Send("GET /page HTTP/1.1\r\nHos");
  const HttpConnection does_not_read(address_);
  for (int i = 0; i < 4; ++i) does_not_read.Send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(HttpGet(address_, "/page").status, 200);
  EXPECT_EQ(HttpGet(address_, "/large").body.size(), kLarge);
}

TEST_F(ListenerTest, NewcomersTakeThePlacesOfTheOldestConnections) {
  std::vector<std::unique_ptr<HttpConnection>> connections;
  for (int i = 0; i < Listener::kMaxConnections; ++i) {
    connections.push_back(std::make_unique<HttpConnection>(address_));
    connections.back()->Send("GET /page HTTP/1.1\r\n");
  }
  EXPECT_EQ(HttpGet(address_, "/page").status, 200);
  EXPECT_EQ(connections.front()->ReadToEnd(), "");
  connections[1]->Send("Host: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(connections[1]->ReadToEnd(), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(ListenerTest, ConnectionsThatAreKeptBusyShutNobodyOut) {
  std::vector<std::unique_ptr<HttpConnection>> connections;
  for (int i = 0; i < Listener::kMaxConnections; ++i) {
    connections.push_back(std::make_unique<HttpConnection>(address_));
    connections.back()->Send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");  // and reads no answer
  }
  for (int i = 0; i < 10; ++i) EXPECT_EQ(HttpGet(address_, "/page").status, 200);
}

TEST_F(ListenerTest, OnlyThePeerWithTheMostConnectionsLosesSome) {
  const HttpConnection only_one(address_);
  only_one.Send("GET /page HTTP/1.1\r\n");
  std::vector<std::unique_ptr<HttpConnection>> connections;
  for (int i = 0; i < 3 * Listener::kMaxConnections; ++i) {
    connections.push_back(std::make_unique<HttpConnection>(address_, "127.0.0.2"));
  }
  only_one.Send("Host: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(only_one.ReadToEnd(), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(ListenerTest, ConnectionsThatComeAllAtOnceDisturbNobody) {
  for (int round = 0; round < 5; ++round) {
    std::vector<std::unique_ptr<HttpConnection>> connections;
    for (int i = 0; i < 5 * Listener::kMaxConnections; ++i) {
      connections.push_back(std::make_unique<HttpConnection>(address_));
    }
  }
  EXPECT_EQ(HttpGet(address_, "/page").status, 200);
}

TEST_F(ListenerTest, ShowsOtherPagesFromOneMomentOn) {
  listener_->Show({{"/other", [] { return Answer{.body = "other\n"}; }}});
  EXPECT_EQ(HttpGet(address_, "/page").status, 404);
  EXPECT_EQ(HttpGet(address_, "/other").body, "other\n");
}

TEST(Listener, AnswersOnAUnixSocketToo) {
  const std::string path = ::testing::TempDir() + "http-listener-test";
  server::Listening listening = *server::Listen("unix:" + path);
  const auto listener = *Listener::Start(std::move(listening), {});
  EXPECT_EQ(listener->AnswerTo("GET", "/page").status, 404);
}

}  // namespace
}  // namespace content::http
