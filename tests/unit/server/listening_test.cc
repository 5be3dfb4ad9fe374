#include "server/listening.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <sys/socket.h>

#include <string>

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
