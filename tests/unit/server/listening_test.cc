#include "server/listening.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"

namespace content::server {
namespace {

namespace fs = std::filesystem;

using ::testing::EndsWith;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

std::string PortOf(const Listening& listening) {
  return listening.address.substr(listening.address.rfind(':') + 1);
}

// Whether somebody listens on a port of this numeric host.
bool CanConnect(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* address = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &address) != 0) return false;
  const FileDescriptor client(socket(address->ai_family, SOCK_STREAM, 0));
  const bool connected = connect(client.number(), address->ai_addr, address->ai_addrlen) == 0;
  freeaddrinfo(address);
  return connected;
}

bool HasIpv6() { return Listen("[::1]:0").ok(); }

TEST(Listen, NamesTheActualPort) {
  const auto listening = Listen("127.0.0.1:0");
  ASSERT_TRUE(listening.ok());
  EXPECT_THAT(listening->address, MatchesRegex("127\\.0\\.0\\.1:[1-9][0-9]*"));
  EXPECT_TRUE(CanConnect("127.0.0.1", PortOf(*listening)));
  EXPECT_FALSE(CanConnect("127.0.0.2", PortOf(*listening)));
}

TEST(Listen, TakesAnIpv6AddressInBrackets) {
  if (!HasIpv6()) GTEST_SKIP() << "no IPv6";
  const auto listening = Listen("[::1]:0");
  EXPECT_THAT(listening->address, StartsWith("[::1]:"));
  EXPECT_TRUE(CanConnect("::1", PortOf(*listening)));
  EXPECT_FALSE(CanConnect("127.0.0.1", PortOf(*listening)));
}

TEST(Listen, TakesEveryAddressOfEitherFamily) {
  for (const char* address : {"[::]:0", "0.0.0.0:0", ":0"}) {
    const auto listening = Listen(address);
    ASSERT_TRUE(listening.ok()) << listening.status();
    EXPECT_TRUE(CanConnect("127.0.0.2", PortOf(*listening))) << address;
    if (HasIpv6()) {
      EXPECT_TRUE(CanConnect("::1", PortOf(*listening))) << address;
    }
  }
}

TEST(Listen, TakesEachAddressOfAName) {
  const auto listening = Listen("localhost:0");
  ASSERT_TRUE(listening.ok()) << listening.status();
  EXPECT_TRUE(CanConnect("127.0.0.1", PortOf(*listening)));
}

// Returns what Listen does where /etc/hosts has these lines; nullopt if this user cannot arrange
// that. Only the thread here sees them, because it leaves the others' file systems.
std::optional<absl::StatusOr<Listening>> ListenWithHosts(const std::string& address,
                                                         const std::string& lines) {
  const std::string hosts = ::testing::TempDir() + "hosts";
  std::ofstream(hosts) << lines;
  std::optional<absl::StatusOr<Listening>> listening;
  std::thread([&] {
    const bool can_arrange = unshare(CLONE_NEWNS) == 0 &&
                             mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                             mount(hosts.c_str(), "/etc/hosts", nullptr, MS_BIND, nullptr) == 0;
    if (can_arrange) listening.emplace(Listen(address));
  }).join();
  return listening;
}

TEST(Listen, TakesAnAddressOnceThatANameHasTwice) {
  const auto listening = ListenWithHosts("twice:0", "127.0.0.1 twice\n127.0.0.1 twice\n");
  if (!listening) GTEST_SKIP() << "no right to mount";
  ASSERT_TRUE(listening->ok()) << listening->status();
  EXPECT_EQ((*listening)->sockets.size(), 1);
}

TEST(Listen, KnowsWhatOnlyThisMachineCanReach) {
  for (const char* address : {"127.0.0.1:0", "127.1.2.3:0", "[::1]:0", "localhost:0"}) {
    const auto listening = Listen(address);
    if (listening.ok()) {
      EXPECT_TRUE(listening->is_local) << address;
    }
  }
  for (const char* address : {"0.0.0.0:0", "[::]:0", ":0", "0:0"}) {
    const auto listening = Listen(address);
    ASSERT_TRUE(listening.ok()) << listening.status();
    EXPECT_FALSE(listening->is_local) << address;
  }
}

TEST(Listen, KnowsThatOtherMachinesReachOneAddressOfAName) {
  const auto listening = ListenWithHosts("both:0", "127.0.0.1 both\n:: both\n");
  if (!listening) GTEST_SKIP() << "no right to mount";
  ASSERT_TRUE(listening->ok()) << listening->status();
  if ((*listening)->sockets.size() == 1) GTEST_SKIP() << "no IPv6";
  EXPECT_FALSE((*listening)->is_local);
}

TEST(Listen, RefusesAPortThatIsTaken) {
  for (const char* address : {"127.0.0.1:0", "[::]:0"}) {
    const auto first = Listen(address);
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(Listen(first->address).status(),
              absl::UnavailableError(
                  absl::StrCat("cannot listen on ", first->address, ": Address already in use")));
  }
}

TEST(Listen, RefusesAnAddressThatIsNotHere) {
  EXPECT_EQ(
      Listen("192.0.2.1:0").status(),
      absl::UnavailableError("cannot listen on 192.0.2.1:0: Cannot assign requested address"));
  EXPECT_THAT(std::string(Listen("no-such-host.invalid:0").status().message()),
              StartsWith("cannot listen on no-such-host.invalid:0: "));
}

class ListenOnFile : public ::testing::Test {
 protected:
  ListenOnFile() {
    EXPECT_NE(mkdtemp(directory_.data()), nullptr);
    path_ = directory_ + "/socket";
  }
  ~ListenOnFile() override { fs::remove_all(directory_); }

  absl::StatusOr<Listening> Listen() const { return server::Listen("unix:" + path_); }

  // Leaves a socket there, to which nobody listens unless told otherwise.
  FileDescriptor BindAnother(bool listens) const {
    FileDescriptor other(socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, path_.size());
    EXPECT_EQ(bind(other.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    if (listens) {
      EXPECT_EQ(listen(other.number(), 1), 0);
    }
    return other;
  }

  std::string directory_ = ::testing::TempDir() + "listening-XXXXXX";
  std::string path_;
};

TEST_F(ListenOnFile, OwnsTheFile) {
  {
    const auto listening = Listen();
    ASSERT_TRUE(listening.ok()) << listening.status();
    EXPECT_EQ(listening->address, "unix:" + path_);
    EXPECT_TRUE(listening->is_local);
    EXPECT_TRUE(fs::is_socket(path_));
    EXPECT_THAT(std::string(Listen().status().message()), EndsWith("another server listens there"));
    EXPECT_TRUE(fs::is_socket(path_));
  }
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_TRUE(Listen().ok());
}

TEST_F(ListenOnFile, ReplacesASocketThatNobodyListensTo) {
  const FileDescriptor other = BindAnother(/*listens=*/false);
  EXPECT_TRUE(Listen().ok());
}

TEST_F(ListenOnFile, LeavesWhatBelongsToOthers) {
  {
    const FileDescriptor other = BindAnother(/*listens=*/true);
    EXPECT_THAT(std::string(Listen().status().message()),
                EndsWith("another program listens there"));
  }
  fs::remove(path_);
  std::ofstream(path_) << "text";
  EXPECT_THAT(std::string(Listen().status().message()), EndsWith("something else is there"));
  EXPECT_TRUE(fs::exists(path_));
}

TEST_F(ListenOnFile, NeedsAPathThatFits) {
  path_ = std::string(108, 'x');
  EXPECT_THAT(std::string(Listen().status().message()), EndsWith("the path is too long"));
  path_ = "/no-such-directory/socket";
  EXPECT_FALSE(Listen().ok());
}

}  // namespace
}  // namespace content::server
