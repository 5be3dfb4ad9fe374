#include "access/token_verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "support/tokens.h"

namespace content::access {
namespace {

using ::testing::HasSubstr;
using testing::KeySetOf;
using testing::SigningKey;

class TokenVerifierTest : public ::testing::Test {
 protected:
  static TokenVerifier NewVerifier(const SigningKey& key) {
    absl::StatusOr<KeySet> keys = KeySet::Parse("keys.json", KeySetOf({key.PublicJwk()}));
    EXPECT_TRUE(keys.ok()) << keys.status();
    return {{.issuer = "i", .audience = "a"}, *std::move(keys)};
  }

  std::string TokenOf(const std::string& subject) const {
    return key_.Sign(
        absl::StrCat(R"({"iss":"i","aud":"a","exp":2000,"nbf":1000,"sub":")", subject, "\"}"));
  }

  absl::StatusOr<Token> Verify(const std::string& token, int64_t now) {
    return verifier_.Verify(token, absl::FromUnixSeconds(now));
  }

  // Whether it is good at a time at which it would not be if it were verified again.
  bool IsRemembered(const std::string& token) { return Verify(token, 0).ok(); }

  const SigningKey key_{SigningKey::Kind::kEd25519};
  TokenVerifier verifier_ = NewVerifier(key_);
};

TEST_F(TokenVerifierTest, VerifiesATokenOnce) {
  const std::string token = TokenOf("alice");
  EXPECT_FALSE(IsRemembered(token));
  EXPECT_EQ(Verify(token, 1500)->subject, "alice");
  EXPECT_TRUE(IsRemembered(token));
  EXPECT_EQ(Verify(token, 1500)->subject, "alice");
}

TEST_F(TokenVerifierTest, RemembersNoTokenLongerThanItIsGood) {
  const std::string token = TokenOf("alice");
  EXPECT_TRUE(Verify(token, 1500).ok());
  EXPECT_EQ(ReasonOf(Verify(token, 2060).status()), "TOKEN_EXPIRED");
}

TEST_F(TokenVerifierTest, WrongTokensDriveOutNoGoodOnes) {
  const std::string token = TokenOf("alice");
  EXPECT_TRUE(Verify(token, 1500).ok());
  for (int i = 0; i < 50'000; ++i) EXPECT_FALSE(Verify(absl::StrCat("a.b.", i), 1500).ok());
  EXPECT_TRUE(IsRemembered(token));
}

TEST_F(TokenVerifierTest, VerifiesAForgedTokenOnce) {
  const SigningKey other(SigningKey::Kind::kEd25519);
  const std::string token = other.Sign(R"({"iss":"i","aud":"a","exp":2000,"sub":"alice"})");
  const std::string forged(Verify(token, 1500).status().message());
  EXPECT_THAT(forged, HasSubstr("signature"));
  // Otherwise its claims would be looked at first.
  EXPECT_EQ(Verify(token, 2060).status().message(), forged);
}

TEST_F(TokenVerifierTest, RemembersNoTokenAsForgedThatIsNotValidYet) {
  const std::string token = TokenOf("alice");
  EXPECT_FALSE(Verify(token, 0).ok());
  EXPECT_TRUE(Verify(token, 1500).ok());
}

TEST_F(TokenVerifierTest, ForgedTokensDriveOutNoGoodOnes) {
  const std::string token = TokenOf("alice");
  EXPECT_TRUE(Verify(token, 1500).ok());
  const std::string text = token.substr(0, token.rfind('.') + 1);
  for (int i = 0; i < 5'000; ++i) EXPECT_FALSE(Verify(absl::StrCat(text, i), 1500).ok());
  EXPECT_TRUE(IsRemembered(token));
}

TEST_F(TokenVerifierTest, IsSharedByThreads) {
  std::vector<std::string> tokens;
  for (int i = 0; i < 20; ++i) tokens.push_back(TokenOf(absl::StrCat(i)));
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (const std::string& token : tokens) {
          if (Verify(token, 1500).ok()) ++good;
        }
      });
    }
  }
  EXPECT_EQ(good, 80);
}

}  // namespace
}  // namespace content::access
