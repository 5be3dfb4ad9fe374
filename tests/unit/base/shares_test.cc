#include "base/shares.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace content {
namespace {

class SharesTest : public ::testing::Test {
 protected:
  // Returns how many of `count` places the account gets.
  int Take(Account account, int count) {
    for (int i = 0; i < count; ++i) {
      if (!shares_.HasRoom(account)) return i;
      shares_.Take(account);
    }
    return count;
  }

  Shares shares_{10};
};

TEST_F(SharesTest, AnAccountMayHaveAsManyPlacesAsAreFree) {
  EXPECT_EQ(Take(1, 10), 5);
  EXPECT_EQ(Take(2, 10), 3);
  EXPECT_EQ(Take(1, 1), 0);
  EXPECT_EQ(Take(3, 10), 1);
  EXPECT_EQ(Take(4, 10), 1) << "the last place";
  EXPECT_TRUE(shares_.is_full());
  EXPECT_EQ(Take(5, 1), 0);
}

TEST_F(SharesTest, WhatWasGivenBackIsForgotten) {
  ASSERT_EQ(Take(1, 10), 5);
  for (int i = 0; i < 5; ++i) shares_.GiveBack(1);
  EXPECT_EQ(shares_.taken(), 0);
  EXPECT_EQ(Take(2, 10), 5);
}

TEST_F(SharesTest, OwnWorkMayTakeAllPlaces) {
  EXPECT_EQ(Take(1, 10), 5);
  EXPECT_EQ(Take(kOwnWork, 10), 5);
  EXPECT_TRUE(shares_.is_full());
}

TEST_F(SharesTest, APlaceThatIsTakenWithoutRoomCountsUntilItIsGivenBack) {
  ASSERT_EQ(Take(kOwnWork, 10), 10);
  shares_.Take(1);
  EXPECT_EQ(shares_.taken(), 11);
  EXPECT_FALSE(shares_.HasRoom(1));
  shares_.GiveBack(kOwnWork);
  shares_.GiveBack(kOwnWork);
  EXPECT_FALSE(shares_.HasRoom(1)) << "one is free, and it has one";
  EXPECT_TRUE(shares_.HasRoom(2));
}

TEST(Shares, TheConnectionsOfOneOriginLeavePlacesToOthers) {
  Shares shares(80);
  const auto take = [&shares](const std::string& connection, const std::string& origin) {
    const Account account = AccountOf(connection, origin);
    if (!shares.HasRoom(account)) return false;
    shares.Take(account);
    return true;
  };
  int taken = 0;
  for (int i = 0; i < 100; ++i) taken += take(absl::StrCat(i), "host") ? 1 : 0;
  EXPECT_EQ(taken, 70);
  EXPECT_TRUE(take("0", "other host"));
  EXPECT_TRUE(shares.HasRoom(AccountOf("cn:somebody")));
  for (int i = 0; i < 10; ++i) shares.GiveBack(AccountOf(absl::StrCat(i), "host"));
  EXPECT_TRUE(take("100", "host"));
}

TEST(Shares, OneConnectionMayHaveAsManyPlacesAsAreFree) {
  Shares shares(10);
  const Account one = AccountOf("1", "host");
  int taken = 0;
  for (; shares.HasRoom(one); ++taken) shares.Take(one);
  EXPECT_EQ(taken, 5);
  EXPECT_TRUE(shares.HasRoom(AccountOf("2", "host")));
}

TEST(Shares, TheOnlyPlaceMayBeTaken) {
  Shares shares(1);
  EXPECT_TRUE(shares.HasRoom(1));
}

}  // namespace
}  // namespace content
