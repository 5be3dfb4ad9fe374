#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "access/credentials.h"
#include "access/followed_file.h"
#include "access/key_set.h"
#include "access/policy.h"
#include "access/rate_limits.h"
#include "access/token.h"
#include "base/call.h"
#include "base/clock.h"

namespace content::access {

/// Bearer tokens that callers may send.
struct TokenOptions {
  /// The public keys of the issuer: a JSON Web Key Set (RFC 7517).
  std::string jwks_file;
  /// Whose tokens they must be (`iss`), and for whom (`aud`). Neither may be empty.
  std::string issuer;
  std::string audience;
  /// Whether a call without a token is refused; health checks need none.
  bool are_required = false;
};

struct GateOptions {
  /// nullopt: the header `authorization` is ignored.
  std::optional<TokenOptions> tokens = std::nullopt;
  /// Whether `x-forwarded-client-cert` is believed of peers on this machine.
  bool forwarded_certificates = false;
  /// Empty: everybody may do everything.
  std::string policy_file = {};
};

/// The gate through which every call comes: knows who calls, and refuses what the policy does not
/// allow. A thread reads the policy and the keys once a second, and they hold from then on; a file
/// that is wrong is logged, and what held before goes on to hold. Thread-safe.
class Gate {
 public:
  /// Reads the files. INVALID_ARGUMENT says which is wrong, where, and why. `clock` must outlive the
  /// gate; `now` gives the date.
  static absl::StatusOr<std::unique_ptr<Gate>> Start(const GateOptions& options,
                                                     SteadyClock& clock = SteadyClock::System(),
                                                     std::function<absl::Time()> now = absl::Now);

  ~Gate() = default;

  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// Returns who calls `method`, such as content.v1.ContentService/GetArticle. Never nullptr: a
  /// caller whom nothing identifies has an empty identity. The errors are those of access/errors.h:
  /// UNAUTHENTICATED, PERMISSION_DENIED, or RESOURCE_EXHAUSTED if the caller makes too many calls.
  absl::StatusOr<std::shared_ptr<const Caller>> Admit(const Credentials& credentials,
                                                      absl::string_view method);

  /// Counts a comment of the author that `caller` writes. RESOURCE_EXHAUSTED, without counting it,
  /// if the author writes more comments a minute than the caller's roles allow.
  absl::Status AdmitComment(const Caller& caller, absl::string_view author_id);
};

}  // namespace content::access
