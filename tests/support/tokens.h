#pragma once

#include <initializer_list>
#include <memory>
#include <string>

namespace content::testing {

/// A key pair with which an issuer signs tokens.
class SigningKey {
 public:
  /// RS256, ES256 and EdDSA with keys as they should be; kShortRsa has 1024 bits, and kP384 is not
  /// for ES256.
  enum class Kind { kRsa, kShortRsa, kP256, kP384, kEd25519 };

  explicit SigningKey(Kind kind);
  ~SigningKey();

  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;

  /// The name that tokens give to the algorithm.
  std::string algorithm() const;

  /// The public key as a JSON Web Key with further members: `,"kid":"1"`.
  std::string PublicJwk(const std::string& members = "") const;

  /// The public key in PEM.
  std::string PublicPem() const;

  /// A token with this header and these claims, in JSON.
  std::string Sign(const std::string& header, const std::string& claims) const;

  /// A token with these claims, and a header that names the algorithm.
  std::string Sign(const std::string& claims) const;

 private:
  struct Impl;

  const std::unique_ptr<Impl> impl_;
};

/// A JSON Web Key Set of these keys.
std::string KeySetOf(std::initializer_list<std::string> jwks);

/// Base64url without padding.
std::string Base64Url(const std::string& bytes);

}  // namespace content::testing
