#include "server/loopback.h"

#include <gtest/gtest.h>

#include "absl/status/status.h"

namespace content::server {
namespace {

TEST(Loopback, IsWhatOnlyThisMachineCanReach) {
  for (const char* listen :
       {"127.0.0.1:50051", "127.1.2.3:1", "[::1]:0", "[::ffff:127.0.0.1]:1", "localhost:50051"}) {
    EXPECT_TRUE(IsLoopback(listen).value()) << listen;
  }
  for (const char* listen : {"0.0.0.0:50051", "[::]:50051", "0:1", "192.0.2.1:1", "[2001:db8::1]:1",
                             "[::ffff:192.0.2.1]:1", "[::ffff:0.0.0.0]:1"}) {
    EXPECT_FALSE(IsLoopback(listen).value()) << listen;
  }
}

TEST(Loopback, IsUnknownOfAHostWithoutAddresses) {
  EXPECT_TRUE(absl::IsUnavailable(IsLoopback("no-such-host.invalid:1").status()));
}

}  // namespace
}  // namespace content::server
