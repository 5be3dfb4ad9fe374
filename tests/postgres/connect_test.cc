#include "postgres/connect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "postgres/connect_error.h"
#include "postgres/connection.h"
#include "postgres/dsn.h"
#include "support/database.h"

namespace content::postgres {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

// A server that accepts connections and never answers.
class SilentServer {
 public:
  SilentServer() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(fd_, 8), 0);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~SilentServer() { close(fd_); }

  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;

  int port() const { return port_; }

  // Returns a client, or a negative number if none comes within a moment.
  int Accept() const {
    pollfd polled = {fd_, POLLIN, 0};
    poll(&polled, 1, 10);
    return accept(fd_, nullptr, nullptr);
  }

 private:
  const int fd_;
  int port_ = 0;
};

class ConnectTest : public ::testing::Test {
 protected:
  // The directory of the database's socket.
  std::string Directory() {
    return testing::Query(url_,
                          "SELECT trim('\"' FROM current_setting('unix_socket_directories'))");
  }

  const std::string url_ = testing::NewDatabase(/*migrated=*/false);
};

TEST_F(ConnectTest, GoesOnToTheNextHostIfOneDoesNotAnswer) {
  const SilentServer silent;
  for (const std::string& hosts :
       {absl::StrCat(" host=127.0.0.1,", Directory(), " port=", silent.port(), ",5432"),
        absl::StrCat(" host=127.0.0.1,localhost,", Directory(), " port=", silent.port(), ",",
                     silent.port(), ",5432"),
        absl::StrCat(" host=one,two,", Directory(), " hostaddr=127.0.0.1,127.0.0.1, port=",
                     silent.port(), ",", silent.port(), ",5432")}) {
    const RawConnection connection =
        OpenRawConnection(*CompleteDsn(absl::StrCat(url_, hosts, " connect_timeout=2")));
    EXPECT_EQ(PQstatus(connection.get()), CONNECTION_OK);
    EXPECT_EQ(PQhost(connection.get()), Directory());
  }
}

TEST_F(ConnectTest, GoesOnToTheNextAddressWithoutAHost) {
  const SilentServer silent;
  EXPECT_THAT(
      [&] {
        OpenRawConnection(*CompleteDsn(absl::StrCat(
            "hostaddr=127.0.0.1,127.0.0.2 user=x port=", silent.port(), ",1 connect_timeout=2")));
      },
      ThrowsMessage<ConnectError>(Not(HasSubstr("does not answer in time"))));
}

// It may answer later, so it is worth waiting for.
TEST_F(ConnectTest, AServerThatDoesNotAnswerOutweighsOneThatRefuses) {
  const SilentServer silent;
  try {
    OpenRawConnection(
        *CompleteDsn(absl::StrCat(url_, " dbname=absent host=127.0.0.1,", Directory(),
                                  " port=", silent.port(), ",5432 connect_timeout=2")));
    ADD_FAILURE() << "connected";
  } catch (const ConnectError& error) {
    EXPECT_THAT(error.what(), HasSubstr("does not answer in time"));
    EXPECT_FALSE(error.is_permanent());
  }
}

TEST_F(ConnectTest, GivesUpIfNoHostAnswers) {
  const SilentServer silent;
  EXPECT_THAT(
      [&] {
        OpenRawConnection(*CompleteDsn(absl::StrCat(
            "host=127.0.0.1,127.0.0.1 user=x port=", silent.port(), " connect_timeout=2")));
      },
      ThrowsMessage<ConnectError>(HasSubstr("does not answer in time")));
}

TEST_F(ConnectTest, ARefusalIsExplainedByOneAttempt) {
  const SilentServer server;
  std::atomic<int> count = 0;
  // Refuses every client, as PostgreSQL does at its limit.
  const std::jthread refuser([&server, &count](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const int client = server.Accept();
      if (client < 0) continue;
      ++count;
      char startup[1024];
      EXPECT_GT(recv(client, startup, sizeof startup, 0), 0);
      constexpr char kRefusal[] = "E\0\0\0\x1dSFATAL\0C53300\0Mtoo many\0\0";
      EXPECT_GT(send(client, kRefusal, sizeof kRefusal - 1, MSG_NOSIGNAL), 0);
      close(client);
    }
  });
  EXPECT_THAT(
      [&] {
        OpenRawConnection(
            *CompleteDsn(absl::StrCat("host=127.0.0.1 user=x sslmode=disable "
                                      "gssencmode=disable port=",
                                      server.port())));
      },
      ThrowsMessage<ConnectError>(HasSubstr("no connection left")));
  EXPECT_EQ(count, 1);
}

TEST_F(ConnectTest, NoticesAreNotPrinted) {
  const std::string role = testing::UrlOfNewRole(url_);
  const std::string name = testing::Query(role, "SELECT current_user");
  testing::Query(url_, absl::StrCat("ALTER ROLE ", name, " SET role = 'nobody'; ALTER ROLE ", name,
                                    " SET default_table_access_method = 'nothing'"));
  ::testing::internal::CaptureStderr();
  {
    Connection connection(*CompleteDsn(role + " options='-c client_min_messages=debug5'"));
    connection.PrepareSession();
    connection.RunScript("DO $$ BEGIN RAISE WARNING 'a notice'; END $$");
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace content::postgres
