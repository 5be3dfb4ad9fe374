#include "server/listening.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include <fstream>
#include <optional>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"

namespace content::server {
namespace {

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
    if (can_arrange) listening = Listen(address);
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

}  // namespace
}  // namespace content::server
