#include "support/tokens.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace content::testing {
namespace {

unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

const unsigned char* Bytes(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string PaddedBytes(const BIGNUM* number, int size) {
  std::string bytes(static_cast<size_t>(size), '\0');
  EXPECT_EQ(BN_bn2binpad(number, Bytes(bytes), size), size);
  return bytes;
}

std::string Parameter(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key, name, &number), 1) << name;
  const std::string bytes = PaddedBytes(number, BN_num_bytes(number));
  BN_free(number);
  return Base64Url(bytes);
}

// The two numbers of a signature one after the other, as tokens have them (RFC 7518, 3.4).
std::string JoinNumbers(const std::string& der, int size) {
  const unsigned char* begin = Bytes(der);
  ECDSA_SIG* const signature = d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(der.size()));
  const std::string joined = PaddedBytes(ECDSA_SIG_get0_r(signature), size) +
                             PaddedBytes(ECDSA_SIG_get0_s(signature), size);
  ECDSA_SIG_free(signature);
  return joined;
}

EVP_PKEY* Generate(SigningKey::Kind kind) {
  switch (kind) {
    case SigningKey::Kind::kRsa:
      return EVP_RSA_gen(2048);
    case SigningKey::Kind::kShortRsa:
      return EVP_RSA_gen(1024);
    case SigningKey::Kind::kP256:
      return EVP_EC_gen("P-256");
    case SigningKey::Kind::kP384:
      return EVP_EC_gen("P-384");
    case SigningKey::Kind::kEd25519:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  }
  return nullptr;
}

}  // namespace

struct SigningKey::Impl {
  Kind kind;
  EVP_PKEY* key;
};

SigningKey::SigningKey(Kind kind) : impl_(new Impl{kind, Generate(kind)}) {
  EXPECT_NE(impl_->key, nullptr);
}

SigningKey::~SigningKey() { EVP_PKEY_free(impl_->key); }

std::string SigningKey::algorithm() const {
  switch (impl_->kind) {
    case Kind::kRsa:
    case Kind::kShortRsa:
      return "RS256";
    case Kind::kP256:
    case Kind::kP384:
      return "ES256";
    case Kind::kEd25519:
      return "EdDSA";
  }
  return "";
}

std::string SigningKey::PublicJwk(const std::string& members) const {
  const EVP_PKEY* const key = impl_->key;
  switch (impl_->kind) {
    case Kind::kRsa:
    case Kind::kShortRsa:
      return absl::StrCat(R"({"kty":"RSA","n":")", Parameter(key, OSSL_PKEY_PARAM_RSA_N),
                          R"(","e":")", Parameter(key, OSSL_PKEY_PARAM_RSA_E), "\"", members, "}");
    case Kind::kP256:
    case Kind::kP384:
      return absl::StrCat(R"({"kty":"EC","crv":")", impl_->kind == Kind::kP256 ? "P-256" : "P-384",
                          R"(","x":")", Parameter(key, OSSL_PKEY_PARAM_EC_PUB_X), R"(","y":")",
                          Parameter(key, OSSL_PKEY_PARAM_EC_PUB_Y), "\"", members, "}");
    case Kind::kEd25519: {
      std::string point(32, '\0');
      size_t size = point.size();
      EXPECT_EQ(EVP_PKEY_get_raw_public_key(key, Bytes(point), &size), 1);
      return absl::StrCat(R"({"kty":"OKP","crv":"Ed25519","x":")", Base64Url(point), "\"", members,
                          "}");
    }
  }
  return "";
}

std::string SigningKey::PublicPem() const {
  BIO* const bio = BIO_new(BIO_s_mem());
  EXPECT_EQ(PEM_write_bio_PUBKEY(bio, impl_->key), 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<size_t>(size));
  BIO_free(bio);
  return pem;
}

std::string SigningKey::Sign(const std::string& header, const std::string& claims) const {
  const std::string text = absl::StrCat(Base64Url(header), ".", Base64Url(claims));
  const EVP_MD* const digest = impl_->kind == Kind::kEd25519 ? nullptr : EVP_sha256();
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  EXPECT_EQ(EVP_DigestSignInit(context, nullptr, digest, nullptr, impl_->key), 1);
  size_t size = 0;
  EXPECT_EQ(EVP_DigestSign(context, nullptr, &size, Bytes(text), text.size()), 1);
  std::string signature(size, '\0');
  EXPECT_EQ(EVP_DigestSign(context, Bytes(signature), &size, Bytes(text), text.size()), 1);
  signature.resize(size);
  EVP_MD_CTX_free(context);
  if (impl_->kind == Kind::kP256) signature = JoinNumbers(signature, 32);
  if (impl_->kind == Kind::kP384) signature = JoinNumbers(signature, 48);
  return absl::StrCat(text, ".", Base64Url(signature));
}

std::string SigningKey::Sign(const std::string& claims) const {
  return Sign(absl::StrCat(R"({"alg":")", algorithm(), "\"}"), claims);
}

std::string KeySetOf(std::initializer_list<std::string> jwks) {
  return absl::StrCat(R"({"keys":[)", absl::StrJoin(jwks, ","), "]}");
}

std::string Base64Url(const std::string& bytes) { return absl::WebSafeBase64Escape(bytes); }

}  // namespace content::testing
