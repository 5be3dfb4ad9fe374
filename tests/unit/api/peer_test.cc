#include "api/peer.h"

#include <gtest/gtest.h>

namespace content::api {
namespace {

TEST(OriginOf, IsTheHostOfAnIpv4Address) {
  EXPECT_EQ(OriginOf("ipv4:192.0.2.1:40000"), "ipv4:192.0.2.1");
  EXPECT_EQ(OriginOf("ipv4:192.0.2.1:40001"), "ipv4:192.0.2.1");
}

TEST(OriginOf, IsTheNetworkOfAnIpv6Address) {
  EXPECT_EQ(OriginOf("ipv6:%5B2001:db8:1:2:3:4:5:6%5D:40000"), "ipv6:2001:db8:1:2::/64");
  EXPECT_EQ(OriginOf("ipv6:%5B2001:db8:1:2:ffff::1%5D:40001"), "ipv6:2001:db8:1:2::/64");
  EXPECT_EQ(OriginOf("ipv6:%5B2001:db8:1:3::1%5D:40000"), "ipv6:2001:db8:1:3::/64");
  EXPECT_EQ(OriginOf("ipv6:[2001:db8:1:2::1]:40000"), "ipv6:2001:db8:1:2::/64");
  EXPECT_EQ(OriginOf("ipv6:%5Bfe80::1%25eth0%5D:40000"), "ipv6:fe80::/64");
}

TEST(OriginOf, KeepsWhatIsNoNetworkAddress) { EXPECT_EQ(OriginOf("unix:"), "unix"); }

}  // namespace
}  // namespace content::api
