#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "access/credentials.h"
#include "access/followed_file.h"
#include "access/policy.h"
#include "access/rate_limits.h"
#include "access/token_verifier.h"
#include "base/call.h"
#include "base/clock.h"
#include "telemetry/metrics.h"

namespace content::access {

/// Bearer tokens that callers may send.
struct TokenOptions {
  /// The issuer's public keys: a JSON Web Key Set (RFC 7517).
  std::string jwks_file;
  /// Whose tokens they must be (`iss`), and for whom (`aud`). Neither may be empty.
  std::string issuer;
  std::string audience;
  /// Whether a call without a token is refused. Health checks need none.
  bool are_required = false;
};

struct GateOptions {
  /// nullopt: the header `authorization` is ignored.
  std::optional<TokenOptions> tokens = std::nullopt;
  /// Whether to believe `x-forwarded-client-cert` from peers on this machine. It takes the place of
  /// the peer's own certificate, which is the proxy's. Without it they have no certificate: a proxy
  /// leaves it out if its client had none.
  bool forwarded_certificates = false;
  /// Empty: everybody may do everything.
  std::string policy_file = {};
};

/// The gate through which every call comes. It knows who calls, and refuses what the policy does
/// not allow. Once a second a thread reads the files. If one has changed, it holds from then on; if
/// it is not valid, that is logged, and the last valid one goes on to hold. Thread-safe.
class Gate {
 public:
  /// Reads the files. INVALID_ARGUMENT names the one that is wrong, and says what is wrong with it.
  /// `clock` must outlive the gate; `now` gives the date.
  static absl::StatusOr<std::unique_ptr<Gate>> Start(GateOptions options,
                                                     SteadyClock& clock = SteadyClock::System(),
                                                     std::function<absl::Time()> now = absl::Now);

  ~Gate() = default;

  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// Returns who calls `method` (content.v1.ContentService/GetArticle); never nullptr. The error
  /// says why the call is refused: UNAUTHENTICATED, PERMISSION_DENIED, or RESOURCE_EXHAUSTED if the
  /// caller makes more calls a second than its roles allow (access/errors.h).
  ///
  /// The identity is that of the certificate: the first of its names that the policy has, or the
  /// first of all if it has none. The person is that of the token, which is also the identity if
  /// there is no certificate.
  absl::StatusOr<std::shared_ptr<const Caller>> Admit(const Credentials& credentials,
                                                      absl::string_view method);

  /// Whether Credentials::peer_is_local matters to Admit. Finding it out is not free.
  bool believes_local_peers() const { return options_.forwarded_certificates; }

  /// Counts a new comment of an author, which `caller` is about to write. RESOURCE_EXHAUSTED,
  /// without counting it, if the author writes more comments a minute than the caller's roles
  /// allow. Authors are counted apart for each caller, but persons who may write only as themselves
  /// are counted together.
  absl::Status AdmitComment(const Caller& caller, absl::string_view author_id);

  /// Returns how often a file was found that is not valid, also if it was the same as before.
  uint64_t refused_files() const { return refused_files_.Read(); }

 private:
  // What holds now.
  struct Rules {
    std::shared_ptr<const Policy> policy;   // nullptr: everybody may do everything
    std::shared_ptr<TokenVerifier> tokens;  // nullptr: they are ignored
  };

  Gate(GateOptions options, SteadyClock& clock, std::function<absl::Time()> now);

  absl::Status TakeKeys(const std::string& text);
  absl::Status TakePolicy(const std::string& text);
  void Run(const std::stop_token& stop);

  Rules CurrentRules() const;
  absl::StatusOr<std::string> FindPerson(TokenVerifier* tokens, absl::string_view authorization,
                                         absl::string_view method) const;
  std::vector<std::string> IdentitiesOf(const Credentials& credentials) const;
  absl::Status CountCall(absl::string_view identity, absl::string_view method, const Grant& grant);

  const GateOptions options_;
  SteadyClock& clock_;
  const std::function<absl::Time()> now_;

  mutable std::mutex mutex_;
  Rules rules_;  // Guarded by mutex_.

  metrics::Counter refused_files_;
  RateLimits calls_{absl::Seconds(1)};
  RateLimits comments_{absl::Minutes(1)};

  std::vector<FollowedFile> files_;  // Used by the thread alone.
  std::jthread thread_;              // Last: it uses the other members.
};

}  // namespace content::access
