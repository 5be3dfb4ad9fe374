#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace content::access {

/// A signed text, as a token has it.
struct Signed {
  std::string algorithm;        // the name that the token gives
  absl::string_view key_id;     // empty: any key
  absl::string_view header;     // in base64url, like the others
  absl::string_view payload;
  absl::string_view signature;
};

/// A public key for one algorithm. Thread-safe.
class Key;

/// The public keys by which an issuer's signatures are verified. Immutable.
class KeySet {
 public:
  /// Reads a JSON Web Key Set (RFC 7517). Keys that are not for RS256, ES256 or EdDSA with Ed25519
  /// are left out, and so are those that are not for signatures. The error is INVALID_ARGUMENT and
  /// begins with `path`: this is no key set, none of its keys is left, or one of these is damaged or
  /// too weak.
  static absl::StatusOr<KeySet> Parse(absl::string_view path, absl::string_view text);
};

}  // namespace content::access
