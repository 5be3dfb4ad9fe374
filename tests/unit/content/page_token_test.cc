#include "content/page_token.h"

#include <gtest/gtest.h>

#include <cctype>

namespace content {
namespace {

constexpr char kQuery[] = "ListComments/articles/a";
constexpr char kKey[] = "0190a8f0-0000-7000-8000-000000000000";

TEST(PageToken, ReturnsItsKeyForTheSameQuery) {
  EXPECT_EQ(ReadPageToken(kQuery, MakePageToken(kQuery, kKey)), kKey);
}

TEST(PageToken, IsEmptyForTheFirstPage) { EXPECT_EQ(ReadPageToken(kQuery, ""), ""); }

TEST(PageToken, IsSafeInAUrl) {
  for (char c : MakePageToken(kQuery, "\xff\xfe?/ key")) {
    EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_') << c;
  }
}

TEST(PageToken, OfAnotherQueryIsRefused) {
  EXPECT_FALSE(ReadPageToken("ListComments/articles/b", MakePageToken(kQuery, kKey)));
}

TEST(PageToken, WithAnyBitFlippedIsRefused) {
  const std::string token = MakePageToken(kQuery, kKey);
  for (size_t i = 0; i < token.size() * 8; ++i) {
    std::string damaged = token;
    damaged[i / 8] = static_cast<char>(damaged[i / 8] ^ (1 << (i % 8)));
    EXPECT_FALSE(ReadPageToken(kQuery, damaged)) << i;
  }
}

TEST(PageToken, CutOrLengthenedIsRefused) {
  const std::string token = MakePageToken(kQuery, kKey);
  for (size_t length = 1; length < token.size(); ++length) {
    EXPECT_FALSE(ReadPageToken(kQuery, token.substr(0, length)));
  }
  EXPECT_FALSE(ReadPageToken(kQuery, token + "A"));
  EXPECT_FALSE(ReadPageToken(kQuery, token + "="));
  EXPECT_FALSE(ReadPageToken(kQuery, " " + token));
}

}  // namespace
}  // namespace content
