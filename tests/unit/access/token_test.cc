#include "access/token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "content/rules.h"
#include "support/tokens.h"

namespace content::access {
namespace {

using testing::Base64Url;
using ::testing::HasSubstr;
using testing::KeySetOf;
using ::testing::Not;
using testing::SigningKey;

constexpr char kGoodClaims[] =
    R"({"iss":"https://id.example.org","aud":"content","sub":"alice","exp":2000})";

const SigningKey& Issuer() {
  static const SigningKey key(SigningKey::Kind::kEd25519);
  return key;
}

absl::StatusOr<Token> Verify(const std::string& token, int64_t now = 1000) {
  const absl::StatusOr<KeySet> keys =
      KeySet::Parse("keys.json", KeySetOf({Issuer().PublicJwk(R"(,"kid":"1")")}));
  EXPECT_TRUE(keys.ok()) << keys.status();
  absl::StatusOr<Token> claimed =
      ReadClaims(token, {.issuer = "https://id.example.org", .audience = "content"},
                 absl::FromUnixSeconds(now));
  if (!claimed.ok()) return claimed;
  if (absl::Status status = VerifySignature(token, *keys); !status.ok()) return status;
  return claimed;
}

// A token whose claims have `text` in place of `replaced`.
absl::StatusOr<Token> VerifyWith(const std::string& replaced, const std::string& text,
                                 int64_t now = 1000) {
  const std::string claims = absl::StrReplaceAll(kGoodClaims, {{replaced, text}});
  EXPECT_NE(claims, kGoodClaims);
  return Verify(Issuer().Sign(claims), now);
}

void ExpectInvalid(const absl::StatusOr<Token>& token, const std::string& message) {
  EXPECT_EQ(token.status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(ReasonOf(token.status()), "TOKEN_INVALID");
  EXPECT_THAT(token.status().message(), HasSubstr(message));
}

TEST(Token, NamesItsSubject) {
  const absl::StatusOr<Token> token = Verify(Issuer().Sign(kGoodClaims));
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(token->subject, "alice");
  EXPECT_EQ(token->expires, absl::FromUnixSeconds(2060));
}

TEST(Token, ExpiresAMinuteLate) {
  EXPECT_TRUE(Verify(Issuer().Sign(kGoodClaims), 2059).ok());
  const absl::Status expired = Verify(Issuer().Sign(kGoodClaims), 2060).status();
  EXPECT_EQ(expired.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(ReasonOf(expired), "TOKEN_EXPIRED");
}

// A signature takes long to verify, and clients repeat calls.
TEST(Token, IsExpiredWhoeverHasSignedIt) {
  const SigningKey other(SigningKey::Kind::kEd25519);
  EXPECT_EQ(ReasonOf(Verify(other.Sign(kGoodClaims), 2060).status()), "TOKEN_EXPIRED");
}

TEST(Token, MayBeginAMinuteEarly) {
  EXPECT_TRUE(VerifyWith("}", R"(,"nbf":1060})").ok());
  ExpectInvalid(VerifyWith("}", R"(,"nbf":1061})"), "(nbf)");
  ExpectInvalid(VerifyWith("}", R"(,"nbf":"900"})"), "(nbf)");
  ExpectInvalid(VerifyWith("}", R"(,"nbf":null})"), "(nbf)");
}

TEST(Token, MustSayWhenItExpires) {
  for (const char* const value : {R"("2000")", "null", "true", "[2000]", R"({"exp":2000})"}) {
    ExpectInvalid(VerifyWith("2000", value), "(exp)");
  }
  ExpectInvalid(VerifyWith(R"("exp")", R"("exq")"), "(exp)");
}

TEST(Token, MayHaveAnyNumberAsDate) {
  EXPECT_TRUE(VerifyWith("2000", "940.5").ok());
  EXPECT_EQ(ReasonOf(VerifyWith("2000", "939.5").status()), "TOKEN_EXPIRED");
  EXPECT_TRUE(VerifyWith("2000", "9223372036854775807").ok());
  EXPECT_TRUE(VerifyWith("2000", "1e300").ok());
  EXPECT_EQ(ReasonOf(VerifyWith("2000", "-9223372036854775808").status()), "TOKEN_EXPIRED");
  EXPECT_EQ(ReasonOf(VerifyWith("2000", "-1e300").status()), "TOKEN_EXPIRED");
  ExpectInvalid(VerifyWith("2000", "9223372036854775808"), "damaged claims");
  ExpectInvalid(VerifyWith("2000", "1e400"), "damaged claims");
  ExpectInvalid(VerifyWith("2000", "NaN"), "damaged claims");
}

TEST(Token, MustBeOfTheIssuer) {
  ExpectInvalid(VerifyWith("id.example.org", "id.example.org/"), "(iss)");
  ExpectInvalid(VerifyWith(R"("https://id.example.org")", R"(["https://id.example.org"])"),
                "(iss)");
  ExpectInvalid(VerifyWith("iss", "isr"), "(iss)");
}

TEST(Token, MustBeForTheAudience) {
  EXPECT_TRUE(VerifyWith(R"("content")", R"(["content"])").ok());
  EXPECT_TRUE(VerifyWith(R"("content")", R"([7,"mail","content"])").ok());
  for (const char* const value : {R"("contents")", R"("Content")", "[]", R"(["mail"])",
                                  R"([["content"]])", "null", R"({"content":"content"})"}) {
    ExpectInvalid(VerifyWith(R"("content")", value), "(aud)");
  }
  ExpectInvalid(VerifyWith("aud", "aux"), "(aud)");
}

TEST(Token, MustHaveASubject) {
  EXPECT_TRUE(VerifyWith("alice", std::string(255, 'a')).ok());
  std::string umlauts;
  for (int i = 0; i < 255; ++i) umlauts += "\u00fc";
  EXPECT_TRUE(VerifyWith("alice", umlauts).ok());
  for (const std::string& subject :
       {std::string(), std::string(256, 'a'), umlauts + "a", std::string("a\\nb"),
        std::string("a\\u0007"), std::string("\u007f"), std::string("a\u0085"),
        std::string("\u009f")}) {
    ExpectInvalid(VerifyWith("alice", subject), "(sub)");
  }
  for (const char* const value : {"7", "null", R"(["alice"])", R"({"sub":"alice"})"}) {
    ExpectInvalid(VerifyWith(R"("alice")", value), "(sub)");
  }
}

TEST(Token, HasItsSubjectInTheFormOfAuthorsIds) {
  const absl::StatusOr<Token> token = VerifyWith("alice", "u\u0308");
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(token->subject, "\u00fc");
  std::string marks = "u";
  for (int i = 0; i < 31; ++i) marks += "\u0308";
  ExpectInvalid(VerifyWith("alice", marks), "(sub)");
  ExpectInvalid(VerifyWith("alice", " alice"), "(sub)");
}

// Whoever may call can be named to EraseAuthor and ExportAuthor, which look for ids like this.
TEST(Token, HasNoSubjectThatCannotBeErased) {
  const auto can_be_erased = [](const std::string& id) {
    Violations violations;
    CheckAuthorIdToFind(id, "author_id", violations);
    return violations.empty();
  };
  const auto repeated = [](int count, absl::string_view text) {
    std::string subject;
    for (int i = 0; i < count; ++i) absl::StrAppend(&subject, text);
    return subject;
  };
  for (const char* const letter : {"a", "\u00fc", "u\u0308"}) {
    const absl::StatusOr<Token> longest = VerifyWith("alice", repeated(255, letter));
    ASSERT_TRUE(longest.ok()) << letter << ": " << longest.status();
    EXPECT_TRUE(can_be_erased(longest->subject)) << letter;
    ExpectInvalid(VerifyWith("alice", repeated(256, letter)), "(sub)");
    EXPECT_FALSE(can_be_erased(repeated(256, letter))) << letter;
  }
  // U+0958 has two characters in the form of ids; U+2028 ends a line.
  for (const std::string& subject : {repeated(128, "\u0958"), std::string("a\u2028b")}) {
    ExpectInvalid(VerifyWith("alice", subject), "(sub)");
  }
}

TEST(Token, MustHaveSoundClaims) {
  for (const std::string& claims :
       {std::string(), std::string("x"), std::string("[]"), std::string("null"), std::string("{"),
        std::string(kGoodClaims) + "{}", absl::StrReplaceAll(kGoodClaims, {{"alice", "a\\u0000b"}}),
        absl::StrReplaceAll(kGoodClaims, {{"alice", "\xff"}}),
        absl::StrReplaceAll(kGoodClaims, {{"alice", "\\ud800"}}),
        absl::StrReplaceAll(kGoodClaims, {{"}", R"(,"sub":"bob"})"}}),
        absl::StrReplaceAll(kGoodClaims, {{"}", R"(,"x":{"a":1,"a":2}})"}}),
        absl::StrReplaceAll(kGoodClaims, {{"}", R"(,"x":)" + std::string(5000, '[')}})}) {
    ExpectInvalid(Verify(Issuer().Sign(claims)), "damaged claims");
  }
}

TEST(Token, MayHaveOtherClaims) {
  EXPECT_TRUE(VerifyWith("}", R"(,"iat":7,"jti":"x","roles":[{"a":[[[1]]]}]})").ok());
}

TEST(Token, MustHaveASoundHeader) {
  const std::pair<std::string, std::string> headers[] = {
      {"", "damaged header"},
      {"[]", "damaged header"},
      {"{}", "(alg)"},
      {R"({"alg":7})", "(alg)"},
      {R"({"alg":"none"})", "(alg, kid)"},
      {R"({"alg":"HS256"})", "(alg, kid)"},
      {R"({"alg":"RS256"})", "(alg, kid)"},
      {R"({"alg":"EdDSA","alg":"EdDSA"})", "damaged header"},
      {R"({"alg":"EdDSA","kid":7})", "(kid)"},
      {R"({"alg":"EdDSA","kid":""})", "(kid)"},
      {R"({"alg":"EdDSA","kid":null})", "(kid)"},
      {R"({"alg":"EdDSA","kid":"2"})", "(alg, kid)"},
      {R"({"alg":"EdDSA","crit":["exp"]})", "(crit)"},
      {R"({"alg":"EdDSA","crit":["b64"],"b64":false})", "(crit)"},
  };
  for (const auto& [header, message] : headers) {
    ExpectInvalid(Verify(Issuer().Sign(header, kGoodClaims)), message);
  }
  EXPECT_TRUE(Verify(Issuer().Sign(R"({"typ":"JWT","kid":"1","alg":"EdDSA"})", kGoodClaims)).ok());
}

TEST(Token, DoesNotBringItsOwnKey) {
  const SigningKey attacker(SigningKey::Kind::kEd25519);
  const std::string header = absl::StrCat(R"({"alg":"EdDSA","jwk":)", attacker.PublicJwk(), "}");
  ExpectInvalid(Verify(attacker.Sign(header, kGoodClaims)), "signature");
}

TEST(Token, HasThreeParts) {
  const std::string token = Issuer().Sign(kGoodClaims);
  const std::string unsigned_part = token.substr(0, token.rfind('.'));
  for (const std::string& text : {std::string(), std::string("."), std::string("a.b"),
                                  unsigned_part, token + ".", token + ".e30"}) {
    ExpectInvalid(Verify(text), "three parts");
  }
  ExpectInvalid(Verify(".."), "damaged claims");
  ExpectInvalid(Verify(unsigned_part + "."), "signature");
  ExpectInvalid(Verify(Base64Url(R"({"alg":"none"})") + "." + Base64Url(kGoodClaims) + "."),
                "(alg");
}

TEST(Token, IsRefusedWhereverItIsCut) {
  const std::string token = Issuer().Sign(kGoodClaims);
  for (size_t size = 0; size < token.size(); ++size) {
    EXPECT_FALSE(Verify(token.substr(0, size)).ok()) << size;
  }
}

TEST(Token, IsRefusedWhicheverCharacterIsChanged) {
  const std::string token = Issuer().Sign(kGoodClaims);
  for (size_t at = 0; at + 1 < token.size(); ++at) {
    std::string changed = token;
    changed[at] = changed[at] == 'A' ? 'Q' : 'A';
    const absl::Status status = Verify(changed).status();
    EXPECT_FALSE(status.ok()) << at;
    EXPECT_THAT(status.message(), Not(HasSubstr(changed.substr(40, 20))));
  }
}

TEST(BearerToken, FollowsItsScheme) {
  EXPECT_EQ(BearerToken("Bearer a.b.c").value(), "a.b.c");
  EXPECT_EQ(BearerToken("bearer   a.b.c ").value(), "a.b.c");
  EXPECT_EQ(BearerToken("BEARER a.b.c").value(), "a.b.c");
  for (const char* const header : {"Basic YTpi", "Bearera.b.c", "a.b.c", " Bearer a.b.c"}) {
    EXPECT_EQ(ReasonOf(BearerToken(header).status()), "TOKEN_INVALID") << header;
  }
}

TEST(BearerToken, IsBounded) {
  const std::string scheme = "Bearer ";
  EXPECT_TRUE(BearerToken(scheme + std::string(7 << 10, 'a')).ok());
  EXPECT_THAT(BearerToken(scheme + std::string((7 << 10) + 1, 'a')).status().message(),
              HasSubstr("7 KiB"));
}

}  // namespace
}  // namespace content::access
