#include "access/key_set.h"

#include <openssl/evp.h>

#include <cstdarg>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "access/errors.h"
#include "access/json.h"
#include "access/libjose.h"

namespace content::access {
namespace {

template <auto function>
struct Free {
  template <class T>
  void operator()(T* object) const {
    function(object);
  }
};

using PublicKey = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using JoseConfig = std::unique_ptr<jose_cfg_t, Free<jose_cfg_decref>>;

constexpr absl::string_view kRs256 = "RS256";
constexpr absl::string_view kEs256 = "ES256";
constexpr absl::string_view kEdDsa = "EdDSA";

constexpr int kMinRsaBits = 2048;
// Each takes about 0.1 ms, which whoever sends a token makes the server spend.
constexpr int kMaxTries = 4;

// Without one of its own, libjose would write what is wrong with a token to standard error.
JoseConfig SilentConfig() {
  JoseConfig config(jose_cfg());
  const auto ignore = [](void*, const char*, int, uint64_t, const char*, va_list) {};
  jose_cfg_set_err_func(config.get(), ignore, nullptr);
  return config;
}

}  // namespace

struct Key {
  std::string id;  // empty: it has none
  std::string algorithm;
  Json jwk;           // for libjose, which verifies RS256 and ES256
  PublicKey ed25519;  // which libjose does not know
};

namespace {

// The algorithm that a key is for, of those that are accepted; empty if it is for another.
absl::string_view AlgorithmOf(const json_t* jwk) {
  const auto type = StringIn(jwk, "kty");
  const auto curve = StringIn(jwk, "crv");
  if (type == "RSA") return kRs256;
  if (type == "EC" && curve == "P-256") return kEs256;
  if (type == "OKP" && curve == "Ed25519") return kEdDsa;
  return "";
}

// What is said of a key must be said in a way that allows it.
bool IsForSignatures(const json_t* jwk, absl::string_view algorithm) {
  if (json_object_get(jwk, "alg") != nullptr && StringIn(jwk, "alg") != algorithm) return false;
  if (json_object_get(jwk, "use") != nullptr && StringIn(jwk, "use") != "sig") return false;
  const json_t* const operations = json_object_get(jwk, "key_ops");
  return operations == nullptr || ContainsString(operations, "verify");
}

// The members that make the public key, and no other: not a private key that was left in by
// mistake.
Json PublicPart(const json_t* jwk, absl::string_view algorithm) {
  Json part(json_pack("{s:s%}", "alg", algorithm.data(), algorithm.size()));
  for (const char* const name : {"kty", "crv", "n", "e", "x", "y"}) {
    if (json_t* const value = json_object_get(jwk, name); json_is_string(value)) {
      json_object_set(part.get(), name, value);
    }
  }
  return part;
}

PublicKey ReadEd25519(const json_t* jwk) {
  const auto point = DecodeBase64Url(StringIn(jwk, "x").value_or(""));
  if (!point) return nullptr;
  return PublicKey(EVP_PKEY_new_raw_public_key(
      EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(point->data()),
      point->size()));
}

bool IsSound(EVP_PKEY* key) {
  const std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>> context(
      EVP_PKEY_CTX_new(key, nullptr));
  return context != nullptr && EVP_PKEY_public_check(context.get()) == 1;
}

// The error says what is wrong with the key.
absl::StatusOr<Key> ReadKey(const json_t* jwk, absl::string_view algorithm) {
  Key key{.id = std::string(StringIn(jwk, "kid").value_or("")),
          .algorithm = std::string(algorithm),
          .jwk = PublicPart(jwk, algorithm),
          .ed25519 = nullptr};
  if (algorithm == kEdDsa) {
    key.ed25519 = ReadEd25519(jwk);
    if (key.ed25519 == nullptr) return absl::InvalidArgumentError("is damaged");
    return key;
  }
  const PublicKey parsed(jose_openssl_jwk_to_EVP_PKEY(SilentConfig().get(), key.jwk.get()));
  if (parsed == nullptr || !IsSound(parsed.get())) return absl::InvalidArgumentError("is damaged");
  if (algorithm == kRs256 && EVP_PKEY_get_bits(parsed.get()) < kMinRsaBits) {
    return absl::InvalidArgumentError(absl::StrCat("has fewer than ", kMinRsaBits, " bits"));
  }
  return key;
}

bool VerifyEd25519(EVP_PKEY* key, const SignedText& text) {
  const auto signature = DecodeBase64Url(text.signature);
  if (!signature) return false;
  const std::string signed_bytes = absl::StrCat(text.header, ".", text.payload);
  const std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature->data()),
                          signature->size(),
                          reinterpret_cast<const unsigned char*>(signed_bytes.data()),
                          signed_bytes.size()) == 1;
}

bool VerifyByLibjose(const json_t* jwk, const SignedText& text) {
  const Json jws(json_pack("{s:s%,s:s%,s:s%}",                                   //
                           "protected", text.header.data(), text.header.size(),  //
                           "payload", text.payload.data(), text.payload.size(),  //
                           "signature", text.signature.data(), text.signature.size()));
  return jws != nullptr && jose_jws_ver(SilentConfig().get(), jws.get(), nullptr, jwk, false);
}

bool HasSigned(const Key& key, const SignedText& text) {
  return key.ed25519 != nullptr ? VerifyEd25519(key.ed25519.get(), text)
                                : VerifyByLibjose(key.jwk.get(), text);
}

}  // namespace

KeySet::KeySet(std::vector<Key> keys) : keys_(std::move(keys)) {}
KeySet::KeySet(KeySet&&) noexcept = default;
KeySet& KeySet::operator=(KeySet&&) noexcept = default;
KeySet::~KeySet() = default;

absl::StatusOr<KeySet> KeySet::Parse(absl::string_view path, absl::string_view text) {
  const auto error = [path](auto... what) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", what...));
  };
  const Json set = ParseJsonObject(text);
  const json_t* const jwks = json_object_get(set.get(), "keys");
  if (!json_is_array(jwks)) return error("this is no JSON Web Key Set, an object with `keys`");
  std::vector<Key> keys;
  size_t index = 0;
  const json_t* jwk = nullptr;
  json_array_foreach(jwks, index, jwk) {
    const absl::string_view algorithm = AlgorithmOf(jwk);
    if (algorithm.empty() || !IsForSignatures(jwk, algorithm)) continue;
    absl::StatusOr<Key> key = ReadKey(jwk, algorithm);
    if (!key.ok()) return error("key ", index + 1, " ", key.status().message());
    keys.push_back(*std::move(key));
  }
  if (keys.empty()) return error("there is no key for RS256, ES256 or EdDSA (Ed25519) signatures");
  return KeySet(std::move(keys));
}

absl::Status KeySet::Verify(absl::string_view algorithm, absl::string_view key_id,
                            const SignedText& text) const {
  int tried = 0;
  for (const Key& key : keys_) {
    if (key.algorithm != algorithm || (!key_id.empty() && key.id != key_id)) continue;
    if (tried == kMaxTries) {
      return TokenInvalid(absl::StrCat("was not signed by one of the first ", kMaxTries,
                                       " keys that it may mean (alg, kid)"));
    }
    ++tried;
    if (HasSigned(key, text)) return absl::OkStatus();
  }
  return tried == 0 ? TokenInvalid("names a key that the issuer does not have (alg, kid)")
                    : TokenInvalid("has a wrong signature");
}

}  // namespace content::access
