#pragma once

#include <cstddef>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "access/key_set.h"
#include "access/recent.h"
#include "access/token.h"

namespace content::access {

/// Verifies tokens, and remembers them: clients send the same token with every call, and a
/// signature takes much longer to verify than most calls take. Thread-safe.
class TokenVerifier {
 public:
  TokenVerifier(TokenRules rules, KeySet keys);

  /// Returns what the token says, as ReadClaims does, if it is signed as VerifySignature demands.
  absl::StatusOr<Token> Verify(absl::string_view token, absl::Time now);

 private:
  static constexpr size_t kGoodCapacity = 16'384;
  static constexpr size_t kForgedCapacity = 1'024;

  const TokenRules rules_;
  const KeySet keys_;
  std::mutex mutex_;
  // By the digests of the tokens; guarded by mutex_. Those with wrong signatures are apart, so that
  // they drive out no good ones.
  Recent<std::string, Token> good_{kGoodCapacity};
  Recent<std::string, absl::Status> forged_{kForgedCapacity};
};

}  // namespace content::access
