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
    if (const Token* const good = good_.Find(digest); good != nullptr) {
      if (good->expires <= now) return TokenExpired();
      return *good;
    }
    if (const absl::Status* const why = forged_.Find(digest); why != nullptr) return *why;
  }
  // Before the signature, which costs most: clients repeat calls with a token that has expired.
  absl::StatusOr<Token> claimed = ReadClaims(token, rules_, now);
  if (!claimed.ok()) return claimed;
  absl::Status status = VerifySignature(token, keys_);
  const std::lock_guard lock(mutex_);
  if (!status.ok()) return forged_.Insert(digest, std::move(status));
  return good_.Insert(digest, *std::move(claimed));
}

}  // namespace content::access
