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
#include <thread>
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

FileDescriptor NewSocket(int family = AF_INET) {
  return FileDescriptor(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

// Where a socket listens.
class Address {
 public:
  Address() = default;
  explicit Address(const FileDescriptor& listener) {
    getsockname(listener.number(), reinterpret_cast<sockaddr*>(&storage_), &size_);
  }

  int family() const { return storage_.ss_family; }

  int Connect(const FileDescriptor& client) const {
    return connect(client.number(), reinterpret_cast<const sockaddr*>(&storage_), size_);
  }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = sizeof storage_;
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
    address_ = Address(listening.sockets.front());
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

// The kernel would reset them.
TEST(Acceptor, PassesOnWhoWaitsWhenItIsDestroyed) {
  constexpr size_t kClients = 100;
  for (const std::string& address :
       {std::string("127.0.0.1:0"), "unix:" + ::testing::TempDir() + "acceptor"}) {
    Listening listening = *Listen(address);
    const Address where(listening.sockets.front());
    std::promise<void> is_busy;
    std::promise<void> may_go_on;
    std::vector<FileDescriptor> accepted;
    std::optional<Acceptor> acceptor;
    acceptor.emplace(std::move(listening.sockets), [&](FileDescriptor connection, int) {
      if (accepted.empty()) {
        is_busy.set_value();
        may_go_on.get_future().wait();
      }
      accepted.push_back(std::move(connection));
    });
    std::vector<FileDescriptor> clients;
    for (size_t i = 0; i < kClients; ++i) {
      clients.push_back(NewSocket(where.family()));
      EXPECT_EQ(where.Connect(clients.back()), 0);
    }
    is_busy.get_future().wait();
    may_go_on.set_value();
    acceptor.reset();
    EXPECT_EQ(accepted.size(), kClients) << address;
    EXPECT_EQ(where.Connect(NewSocket(where.family())), -1) << address;
  }
}

TEST(Acceptor, PassesOnAllWhoCouldConnectWhileItIsDestroyed) {
  for (const std::string& address :
       {std::string("127.0.0.1:0"), "unix:" + ::testing::TempDir() + "acceptor"}) {
    Listening listening = *Listen(address);
    const Address where(listening.sockets.front());
    std::vector<FileDescriptor> accepted;
    std::optional<Acceptor> acceptor;
    std::promise<void> first;
    acceptor.emplace(std::move(listening.sockets), [&](FileDescriptor connection, int) {
      if (accepted.empty()) first.set_value();
      accepted.push_back(std::move(connection));
    });
    size_t connected = 0;
    std::jthread client([&] {
      while (where.Connect(NewSocket(where.family())) == 0) ++connected;
    });
    first.get_future().wait();
    acceptor.reset();
    client.join();
    EXPECT_EQ(accepted.size(), connected) << address;
  }
}

TEST_F(AcceptorTest, StopsListeningWhenItIsDestroyed) {
  acceptor_.reset();
  const FileDescriptor client = NewSocket();
  EXPECT_EQ(address_.Connect(client), -1);
}

}  // namespace
}  // namespace content::server
