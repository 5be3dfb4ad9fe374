#include "access/token_verifier.h"

#include <utility>

#include "access/errors.h"
#include "base/digest.h"

namespace content::access {

TokenVerifier::TokenVerifier(TokenRules rules, KeySet keys)
    : rules_(std::move(rules)), keys_(std::move(keys)) {}

absl::StatusOr<Token> TokenVerifier::Verify(absl::string_view token, absl::Time now) {
  const std::string digest = Digest({token});
  {
    const std::lock_guard lock(mutex_);
    if (const Token* const known = verified_.Find(digest); known != nullptr) {
      if (known->expires <= now) return TokenExpired();
      return *known;
    }
  }
  absl::StatusOr<Token> verified = VerifyToken(token, keys_, rules_, now);
  if (!verified.ok()) return verified;
  const std::lock_guard lock(mutex_);
  verified_.Insert(digest, *verified);
  return verified;
}

}  // namespace content::access
