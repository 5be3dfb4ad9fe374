#include "access/key_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/errors.h"
#include "support/tokens.h"

namespace content::access {
namespace {

using ::testing::HasSubstr;
using testing::KeySetOf;
using testing::SigningKey;
using ::testing::StartsWith;

// Keys take long to make, so the tests share them.
const SigningKey& Rsa() {
  static const SigningKey key(SigningKey::Kind::kRsa);
  return key;
}

const SigningKey& P256() {
  static const SigningKey key(SigningKey::Kind::kP256);
  return key;
}

const SigningKey& Ed25519() {
  static const SigningKey key(SigningKey::Kind::kEd25519);
  return key;
}

std::string ProblemWithKeys(const std::string& json) {
  return std::string(KeySet::Parse("keys.json", json).status().message());
}

absl::Status VerifyText(const std::string& json, const std::string& token,
                        absl::string_view algorithm, absl::string_view key_id = "") {
  const absl::StatusOr<KeySet> keys = KeySet::Parse("keys.json", json);
  if (!keys.ok()) return keys.status();
  const std::vector<absl::string_view> parts = absl::StrSplit(token, '.');
  return keys->Verify(algorithm, key_id, {parts[0], parts[1], parts[2]});
}

// A token with another byte somewhere in its signature.
std::string Forge(std::string token) {
  char& byte = token[token.rfind('.') + 7];
  byte = byte == 'A' ? 'B' : 'A';
  return token;
}

TEST(KeySet, VerifiesTheThreeAlgorithms) {
  const std::string set = KeySetOf({Rsa().PublicJwk(), P256().PublicJwk(), Ed25519().PublicJwk()});
  for (const SigningKey* const key : {&Rsa(), &P256(), &Ed25519()}) {
    const std::string token = key->Sign("{}");
    EXPECT_TRUE(VerifyText(set, token, key->algorithm()).ok()) << key->algorithm();
    EXPECT_EQ(ReasonOf(VerifyText(set, Forge(token), key->algorithm())), "TOKEN_INVALID");
    const size_t claims = token.find('.');
    EXPECT_FALSE(
        VerifyText(set,
                   absl::StrCat(token.substr(0, claims), ".eyJ9", token.substr(token.rfind('.'))),
                   key->algorithm())
            .ok());
  }
}

TEST(KeySet, RefusesSignaturesThatAreNoSignatures) {
  const std::string set = KeySetOf({Rsa().PublicJwk(), P256().PublicJwk(), Ed25519().PublicJwk()});
  for (const SigningKey* const key : {&Rsa(), &P256(), &Ed25519()}) {
    const std::string token = key->Sign("{}");
    const std::string text = token.substr(0, token.rfind('.') + 1);
    for (const std::string& signature :
         {std::string(), std::string("A"), std::string("====", 4), std::string("\xff\xff"),
          std::string(86, 'A'), token.substr(text.size(), 40),
          token.substr(text.size()) + "AAAA"}) {
      EXPECT_EQ(ReasonOf(VerifyText(set, text + signature, key->algorithm())), "TOKEN_INVALID")
          << key->algorithm() << " " << signature;
    }
  }
}

// The classic: the text of the public key as the secret of an HMAC.
TEST(KeySet, KnowsNoOtherAlgorithms) {
  const std::string set = KeySetOf({Rsa().PublicJwk(), P256().PublicJwk(), Ed25519().PublicJwk(),
                                    R"({"kty":"oct","k":"c2VjcmV0","kid":"1"})"});
  const std::string token = Rsa().Sign("{}");
  for (const char* const algorithm :
       {"none", "None", "", "HS256", "RS512", "PS256", "ES384", "rs256"}) {
    EXPECT_THAT(VerifyText(set, token, algorithm).message(), HasSubstr("(alg, kid)")) << algorithm;
  }
}

TEST(KeySet, AKeyIsForOneAlgorithm) {
  const std::string set = KeySetOf({Rsa().PublicJwk(R"(,"kid":"1")")});
  EXPECT_TRUE(VerifyText(set, Rsa().Sign("{}"), "RS256", "1").ok());
  EXPECT_FALSE(VerifyText(set, Rsa().Sign("{}"), "ES256", "1").ok());
  EXPECT_FALSE(VerifyText(set, Rsa().Sign("{}"), "EdDSA", "1").ok());
}

TEST(KeySet, TheKeyIdChooses) {
  const SigningKey other(SigningKey::Kind::kP256);
  const std::string set =
      KeySetOf({P256().PublicJwk(R"(,"kid":"a")"), other.PublicJwk(R"(,"kid":"b")")});
  EXPECT_TRUE(VerifyText(set, other.Sign("{}"), "ES256", "b").ok());
  EXPECT_TRUE(VerifyText(set, other.Sign("{}"), "ES256").ok()) << "without one, all are tried";
  EXPECT_THAT(VerifyText(set, other.Sign("{}"), "ES256", "a").message(), HasSubstr("signature"));
  EXPECT_THAT(VerifyText(set, other.Sign("{}"), "ES256", "c").message(), HasSubstr("(alg, kid)"));
}

TEST(KeySet, TriesAllKeysOfOneId) {
  const SigningKey other(SigningKey::Kind::kP256);
  const std::string set =
      KeySetOf({P256().PublicJwk(R"(,"kid":"a")"), other.PublicJwk(R"(,"kid":"a")"),
                Rsa().PublicJwk(R"(,"kid":"a")")});
  EXPECT_TRUE(VerifyText(set, P256().Sign("{}"), "ES256", "a").ok());
  EXPECT_TRUE(VerifyText(set, other.Sign("{}"), "ES256", "a").ok());
  EXPECT_TRUE(VerifyText(set, Rsa().Sign("{}"), "RS256", "a").ok());
}

TEST(KeySet, TriesFourKeysOfThoseThatFit) {
  const SigningKey second(SigningKey::Kind::kP256);
  const std::string first = P256().PublicJwk(R"(,"kid":"a")");
  const std::string last = second.PublicJwk(R"(,"kid":"z")");
  const std::string rsa = Rsa().PublicJwk(R"(,"kid":"r")");
  const std::string token = second.Sign("{}");
  const std::string fourth = KeySetOf({first, rsa, first, first, last});
  EXPECT_TRUE(VerifyText(fourth, token, "ES256").ok());
  const std::string fifth = KeySetOf({first, rsa, first, first, first, last});
  EXPECT_THAT(VerifyText(fifth, token, "ES256").message(), HasSubstr("first 4 keys"));
  EXPECT_TRUE(VerifyText(fifth, token, "ES256", "z").ok()) << "it says which";
  EXPECT_THAT(VerifyText(fifth, token, "ES256", "a").message(), HasSubstr("signature"));
}

TEST(KeySet, LeavesOutKeysForOtherThings) {
  const SigningKey p384(SigningKey::Kind::kP384);
  for (const std::string& jwk :
       {P256().PublicJwk(R"(,"use":"enc")"), P256().PublicJwk(R"(,"use":7)"),
        P256().PublicJwk(R"(,"key_ops":["sign"])"), P256().PublicJwk(R"(,"key_ops":"verify")"),
        P256().PublicJwk(R"(,"alg":"ES384")"), Rsa().PublicJwk(R"(,"alg":"RS512")"),
        Rsa().PublicJwk(R"(,"alg":"PS256")"), p384.PublicJwk(), std::string(R"({"kty":"oct"})"),
        std::string(R"({"kty":["EC"]})"), std::string("{}"), std::string("7"),
        std::string(R"({"kty":"EC","crv":"secp256k1"})"),
        std::string(R"({"kty":"OKP","crv":"X25519"})")}) {
    EXPECT_THAT(ProblemWithKeys(KeySetOf({jwk})), HasSubstr("there is no key for RS256")) << jwk;
    EXPECT_EQ(ProblemWithKeys(KeySetOf({jwk, P256().PublicJwk()})), "") << jwk;
  }
}

TEST(KeySet, TakesKeysThatSayWhatTheyAreFor) {
  for (const char* const members :
       {R"(,"use":"sig")", R"(,"key_ops":["verify"])", R"(,"key_ops":["sign","verify"])",
        R"(,"alg":"ES256")", R"(,"use":"sig","alg":"ES256","x5t":"abc","kid":"1")"}) {
    EXPECT_TRUE(VerifyText(KeySetOf({P256().PublicJwk(members)}), P256().Sign("{}"), "ES256").ok())
        << members;
  }
}

TEST(KeySet, RefusesDamagedKeys) {
  const std::string p256 = P256().PublicJwk();
  const std::string ed25519 = Ed25519().PublicJwk();
  for (const std::string& jwk : {
           absl::StrReplaceAll(p256, {{R"("x":")", R"("x":"AA)"}}),  // not on the curve
           absl::StrReplaceAll(p256, {{R"("y":)", R"("z":)"}}),
           absl::StrReplaceAll(p256, {{R"("x":")", R"("x":"!)"}}),
           absl::StrReplaceAll(ed25519, {{R"("x":")", R"("x":"AAAA)"}}),
           absl::StrReplaceAll(ed25519, {{R"("x":)", R"("y":)"}}),
           absl::StrReplaceAll(Rsa().PublicJwk(), {{"AQAB", "AQ"}}),  // e is 1
           absl::StrReplaceAll(Rsa().PublicJwk(), {{R"("n":)", R"("m":)"}}),
           std::string(R"({"kty":"RSA","n":{"n":1},"e":[]})"),
       }) {
    EXPECT_EQ(ProblemWithKeys(KeySetOf({P256().PublicJwk(), jwk})), "keys.json: key 2 is damaged")
        << jwk;
  }
}

TEST(KeySet, RefusesShortRsaKeys) {
  const SigningKey key(SigningKey::Kind::kShortRsa);
  EXPECT_EQ(ProblemWithKeys(KeySetOf({key.PublicJwk()})),
            "keys.json: key 1 has fewer than 2048 bits");
}

TEST(KeySet, RefusesWhatIsNoKeySet) {
  for (const std::string& json :
       {std::string(), std::string("{"), std::string("[]"), std::string("{}"), std::string("null"),
        std::string(R"({"keys":{}})"), std::string(R"({"keys":[],"keys":[]})"),
        std::string(R"({"keys":[]} x)"), std::string("{\"keys\":[\"\\u0000\"]}"),
        std::string(100'000, '['), absl::StrCat(R"({"keys":)", std::string(100'000, '['))}) {
    EXPECT_THAT(ProblemWithKeys(json), StartsWith("keys.json: this is no JSON Web Key Set"))
        << json;
  }
}

TEST(KeySet, DoesNotNeedPrivateKeys) {
  EXPECT_TRUE(
      VerifyText(KeySetOf({P256().PublicJwk(R"(,"d":"!")")}), P256().Sign("{}"), "ES256").ok());
}

}  // namespace
}  // namespace content::access
