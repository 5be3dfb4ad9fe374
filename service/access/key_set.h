#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace content::access {

/// A text with its signature, as in a token. The parts are in base64url.
struct SignedText {
  absl::string_view header;
  absl::string_view payload;
  absl::string_view signature;
};

/// A public key, for one algorithm.
struct Key;

/// The public keys by which an issuer's signatures are verified. Immutable, and thread-safe.
class KeySet {
 public:
  /// Reads a JSON Web Key Set (RFC 7517). Leaves out the keys that are not for signatures with
  /// RS256, ES256, or EdDSA by Ed25519. The error is INVALID_ARGUMENT and begins with `path`: this
  /// is no key set, none of its keys is left, or one of these is damaged or too weak.
  static absl::StatusOr<KeySet> Parse(absl::string_view path, absl::string_view text);

  KeySet(KeySet&&) noexcept;
  KeySet& operator=(KeySet&&) noexcept;
  ~KeySet();

  /// Returns OK if a key for `algorithm`, whose id is `key_id` unless that is empty, has signed the
  /// text. Otherwise UNAUTHENTICATED. Only the first four such keys are tried.
  absl::Status Verify(absl::string_view algorithm, absl::string_view key_id,
                      const SignedText& text) const;

 private:
  explicit KeySet(std::vector<Key> keys);

  std::vector<Key> keys_;
};

}  // namespace content::access
