#include "server/acceptor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "server/listening.h"

namespace content::server {
namespace {

// While it exists, the process cannot open files.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const FileDescriptor lowest(dup(STDERR_FILENO));
    rlimit limit = before_;
    limit.rlim_cur = static_cast<rlim_t>(lowest.number());
    setrlimit(RLIMIT_NOFILE, &limit);
  }

  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

FileDescriptor NewSocket() {
  return FileDescriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

struct Address {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;

  int Connect(const FileDescriptor& client) const {
    return connect(client.number(), reinterpret_cast<const sockaddr*>(&storage), size);
  }
};

// Waits until the connection has ended.
void AwaitEnd(const FileDescriptor& client) {
  char byte = 0;
  EXPECT_LE(recv(client.number(), &byte, 1, 0), 0);
}

class AcceptorTest : public ::testing::Test {
 protected:
  AcceptorTest() { Begin(absl::Minutes(1)); }

  void Begin(absl::Duration report_interval) {
    acceptor_.reset();
    Listening listening = *Listen("127.0.0.1:0");
    getsockname(listening.sockets.front().number(), reinterpret_cast<sockaddr*>(&address_.storage),
                &address_.size);
    acceptor_.emplace(
        std::move(listening.sockets),
        [this](FileDescriptor connection, int) { accepted_.set_value(std::move(connection)); },
        &refused_, report_interval);
  }

  // Lets this many connections be refused, and then one be accepted. Returns what is logged.
  std::string Refuse(int count) {
    std::vector<FileDescriptor> clients(static_cast<size_t>(count));
    for (FileDescriptor& client : clients) client = NewSocket();
    const FileDescriptor last = NewSocket();
    ::testing::internal::CaptureStderr();
    {
      const NoDescriptors shortage;
      for (const FileDescriptor& client : clients) {
        EXPECT_EQ(address_.Connect(client), 0);
        AwaitEnd(client);
      }
    }
    EXPECT_EQ(address_.Connect(last), 0);
    EXPECT_TRUE(accepted_.get_future().get());
    return ::testing::internal::GetCapturedStderr();
  }

  Address address_;
  std::promise<FileDescriptor> accepted_;
  metrics::Counter refused_;
  std::optional<Acceptor> acceptor_;
};

TEST_F(AcceptorTest, PassesAConnectionOn) {
  const FileDescriptor client = NewSocket();
  EXPECT_EQ(address_.Connect(client), 0);
  const FileDescriptor connection = accepted_.get_future().get();
  int no_delay = 0;
  socklen_t size = sizeof no_delay;
  getsockopt(connection.number(), IPPROTO_TCP, TCP_NODELAY, &no_delay, &size);
  EXPECT_NE(no_delay, 0);
  char byte = 0;
  EXPECT_EQ(recv(connection.number(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, EAGAIN) << "it has to be non-blocking";
}

TEST_F(AcceptorTest, ClosesConnectionsWhileThereAreNoDescriptorsAndThenGoesOn) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP()
      << "UndefinedBehaviorSanitizer needs a descriptor to look at a type, or ends the process";
#endif
  Refuse(20);
  EXPECT_EQ(refused_.Read(), 20);
}

TEST_F(AcceptorTest, LogsThatItRefusesConnectionsAtOnceAndThenOncePerInterval) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP()
      << "UndefinedBehaviorSanitizer needs a descriptor to look at a type, or ends the process";
#endif
  const auto events = [](const std::string& log) {
    const std::vector<std::string> parts = absl::StrSplit(log, "connections refused");
    return parts.size() - 1;
  };
  EXPECT_EQ(events(Refuse(20)), 1);
  accepted_ = {};
  Begin(absl::ZeroDuration());
  const std::string log = Refuse(20);
  EXPECT_EQ(events(log), 20);
  EXPECT_THAT(log, ::testing::HasSubstr("\"count\":1"));
}

TEST_F(AcceptorTest, StopsListeningWhenItIsDestroyed) {
  acceptor_.reset();
  const FileDescriptor client = NewSocket();
  EXPECT_EQ(address_.Connect(client), -1);
}

}  // namespace
}  // namespace content::server
