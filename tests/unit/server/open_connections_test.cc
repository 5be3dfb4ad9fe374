#include "server/open_connections.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <string>
#include <vector>

#include "server/file_descriptor.h"
#include "server/listening.h"

namespace content::server {
namespace {

// A connection to the first socket of `listening`, with both of its ends in this process.
class Connection {
 public:
  explicit Connection(const Listening& listening) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    const int listener = listening.sockets.front().number();
    getsockname(listener, any, &size);
    client_ = FileDescriptor(socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(connect(client_.number(), any, size), 0);
    while (!accepted_) {
      accepted_ = FileDescriptor(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    }
  }

 private:
  FileDescriptor client_;
  FileDescriptor accepted_;
};

class OpenConnectionsTest : public ::testing::TestWithParam<std::string> {};

TEST_P(OpenConnectionsTest, AreThoseToTheListenersThatAreAskedAbout) {
  const Listening listening = *Listen(GetParam());
  const Listening other = *Listen("127.0.0.1:0");
  const auto count = [&] { return CountConnections({LocalEndOf(listening)}); };
  EXPECT_EQ(count(), 0);
  const Connection unrelated(other);
  EXPECT_EQ(count(), 0);
  {
    const Connection first(listening);
    const Connection second(listening);
    EXPECT_EQ(count(), 2);
    EXPECT_EQ(CountConnections({LocalEndOf(listening), LocalEndOf(other)}), 3);
  }
  EXPECT_EQ(count(), 0);
}

INSTANTIATE_TEST_SUITE_P(, OpenConnectionsTest,
                         ::testing::Values("127.0.0.1:0", "localhost:0",
                                           "unix:" + ::testing::TempDir() + "open-connections"));

}  // namespace
}  // namespace content::server
