#pragma once

#include <cstddef>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "access/key_set.h"
#include "access/recent.h"
#include "access/token.h"

namespace content::access {

/// Verifies tokens, and remembers the good ones: clients send the same token with every call, and a
/// signature takes much longer to verify than most calls take. Thread-safe.
class TokenVerifier {
 public:
  TokenVerifier(TokenRules rules, KeySet keys);

  /// Like VerifyToken.
  absl::StatusOr<Token> Verify(absl::string_view token, absl::Time now);

 private:
  static constexpr size_t kCapacity = 16'384;

  const TokenRules rules_;
  const KeySet keys_;
  std::mutex mutex_;
  // By the digests of the tokens. Wrong ones are not remembered, so they drive out nothing.
  Recent<std::string, Token> verified_{kCapacity};  // Guarded by mutex_.
};

}  // namespace content::access
