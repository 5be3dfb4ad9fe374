#include "server/open_connections.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

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

TEST(ListOpenFiles, KnowsEvenWhenNoDescriptorIsLeft) {
  const size_t before = ListOpenFiles()->size();
  EXPECT_EQ(ListOpenFiles()->size(), before) << "it keeps its own";
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit all = limit;
  {
    const FileDescriptor another(dup(STDERR_FILENO));
    EXPECT_THAT(*ListOpenFiles(), ::testing::Contains(another.number()));
    limit.rlim_cur = static_cast<rlim_t>(another.number());
    setrlimit(RLIMIT_NOFILE, &limit);
    EXPECT_EQ(dup(STDERR_FILENO), -1);
    EXPECT_EQ(ListOpenFiles()->size(), before + 1);
  }
  setrlimit(RLIMIT_NOFILE, &all);
  EXPECT_EQ(ListOpenFiles()->size(), before);
}

class OpenConnectionsTest : public ::testing::TestWithParam<std::string> {};

TEST_P(OpenConnectionsTest, AreThoseToTheListenersThatAreAskedAbout) {
  const Listening listening = *Listen(GetParam());
  const Listening other = *Listen("127.0.0.1:0");
  const auto count = [&] { return CountConnections(*ListOpenFiles(), {LocalEndOf(listening)}); };
  EXPECT_EQ(count(), 0);
  const Connection unrelated(other);
  EXPECT_EQ(count(), 0);
  {
    const Connection first(listening);
    const Connection second(listening);
    EXPECT_EQ(count(), 2);
    EXPECT_EQ(CountConnections(*ListOpenFiles(), {LocalEndOf(listening), LocalEndOf(other)}), 3);
  }
  EXPECT_EQ(count(), 0);
}

INSTANTIATE_TEST_SUITE_P(, OpenConnectionsTest,
                         ::testing::Values("127.0.0.1:0", "localhost:0",
                                           "unix:" + ::testing::TempDir() + "open-connections"));

}  // namespace
}  // namespace content::server
