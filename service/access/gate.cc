#include "access/gate.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/memory/memory.h"
#include "access/errors.h"
#include "access/forwarded_certificate.h"
#include "access/identity.h"
#include "access/key_set.h"
#include "access/methods.h"
#include "access/policy_file.h"
#include "access/token.h"

namespace content::access {
namespace {

constexpr absl::Duration kInterval = absl::Seconds(1);
constexpr char kCreateComment[] = "content.v1.ContentService/CreateComment";

// An identity, and what the policy says of it.
struct Recognized {
  std::string identity;
  const CallerRoles* roles = nullptr;
};

// Of several identities, the first that the policy has.
Recognized Recognize(const Policy& policy, std::vector<std::string> identities) {
  if (identities.empty()) return {.identity = "", .roles = policy.Find("")};
  for (std::string& identity : identities) {
    if (const CallerRoles* const roles = policy.Find(identity); roles != nullptr) {
      return {.identity = std::move(identity), .roles = roles};
    }
  }
  return {.identity = std::move(identities.front()), .roles = nullptr};
}

// The caller of whom nothing is known. Never destroyed, so its pointers count nothing.
std::shared_ptr<const Caller> Nobody() {
  static const auto* const nobody = new Caller;
  return {std::shared_ptr<const Caller>(), nobody};
}

std::shared_ptr<const Caller> NewCaller(std::string identity, std::string person,
                                        bool writes_only_as_person) {
  if (identity.empty() && person.empty() && !writes_only_as_person) return Nobody();
  return std::make_shared<const Caller>(Caller{.identity = std::move(identity),
                                               .person = std::move(person),
                                               .writes_only_as_person = writes_only_as_person});
}

absl::Status CheckOptions(const GateOptions& options) {
  const bool is_complete =
      !options.tokens || (!options.tokens->issuer.empty() && !options.tokens->audience.empty());
  return is_complete ? absl::OkStatus()
                     : absl::InvalidArgumentError("tokens need an issuer and an audience");
}

std::vector<absl::string_view> ViewsOf(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

}  // namespace

Gate::Gate(GateOptions options, SteadyClock& clock, std::function<absl::Time()> now)
    : options_(std::move(options)), clock_(clock), now_(std::move(now)) {
  if (options_.tokens) {
    files_.emplace_back(options_.tokens->jwks_file,
                        [this](const std::string& text) { return TakeKeys(text); });
  }
  if (!options_.policy_file.empty()) {
    files_.emplace_back(options_.policy_file,
                        [this](const std::string& text) { return TakePolicy(text); });
  }
}

absl::StatusOr<std::unique_ptr<Gate>> Gate::Start(GateOptions options, SteadyClock& clock,
                                                  std::function<absl::Time()> now) {
  if (absl::Status status = CheckOptions(options); !status.ok()) return status;
  auto gate = absl::WrapUnique(new Gate(std::move(options), clock, std::move(now)));
  for (FollowedFile& file : gate->files_) {
    if (absl::Status status = file.Read(); !status.ok()) return status;
  }
  if (!gate->files_.empty()) {
    gate->thread_ =
        std::jthread([self = gate.get()](const std::stop_token& stop) { self->Run(stop); });
  }
  return gate;
}

void Gate::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    clock_.SleepFor(kInterval, stop);
    for (FollowedFile& file : files_) {
      if (!file.Follow(clock_.Now())) refused_files_.Add();
    }
  }
}

absl::Status Gate::TakeKeys(const std::string& text) {
  absl::StatusOr<KeySet> keys = KeySet::Parse(options_.tokens->jwks_file, text);
  if (!keys.ok()) return keys.status();
  // A new verifier: what the old one remembers was signed by keys that may no longer hold.
  auto tokens = std::make_shared<TokenVerifier>(
      TokenRules{.issuer = options_.tokens->issuer, .audience = options_.tokens->audience},
      *std::move(keys));
  const std::lock_guard lock(mutex_);
  rules_.tokens = std::move(tokens);
  return absl::OkStatus();
}

absl::Status Gate::TakePolicy(const std::string& text) {
  absl::StatusOr<Policy> policy = ParsePolicy(options_.policy_file, text);
  if (!policy.ok()) return policy.status();
  auto taken = std::make_shared<const Policy>(*std::move(policy));
  const std::lock_guard lock(mutex_);
  rules_.policy = std::move(taken);
  return absl::OkStatus();
}

Gate::Rules Gate::CurrentRules() const {
  const std::lock_guard lock(mutex_);
  return rules_;
}

// The subject of the token; empty without one.
absl::StatusOr<std::string> Gate::FindPerson(TokenVerifier* tokens, absl::string_view authorization,
                                             absl::string_view method) const {
  if (tokens == nullptr) return "";
  if (authorization.empty()) {
    if (options_.tokens->are_required && !IsHealthCheck(method)) return TokenMissing();
    return "";
  }
  const absl::StatusOr<absl::string_view> token = BearerToken(authorization);
  if (!token.ok()) return token.status();
  absl::StatusOr<Token> verified = tokens->Verify(*token, now_());
  if (!verified.ok()) return verified.status();
  return std::move(verified->subject);
}

std::vector<std::string> Gate::IdentitiesOf(const Credentials& credentials) const {
  if (options_.forwarded_certificates && credentials.peer_is_local) {
    const ForwardedCertificate certificate =
        ParseForwardedCertificate(credentials.forwarded_certificate);
    return CertificateIdentities(ViewsOf(certificate.uris), ViewsOf(certificate.dns_names),
                                 certificate.subject);
  }
  return CertificateIdentities(credentials.uris, credentials.dns_names, credentials.subject);
}

absl::StatusOr<std::shared_ptr<const Caller>> Gate::Admit(const Credentials& credentials,
                                                          absl::string_view method) {
  const Rules rules = CurrentRules();
  absl::StatusOr<std::string> person =
      FindPerson(rules.tokens.get(), credentials.authorization, method);
  if (!person.ok()) return person.status();
  std::vector<std::string> identities = IdentitiesOf(credentials);
  if (identities.empty() && !person->empty()) identities.push_back("jwt:" + *person);
  if (rules.policy == nullptr) {
    return NewCaller(identities.empty() ? "" : std::move(identities.front()), *std::move(person),
                     /*writes_only_as_person=*/false);
  }
  Recognized caller = Recognize(*rules.policy, std::move(identities));
  const Grant* const grant = caller.roles != nullptr ? caller.roles->Find(method) : nullptr;
  if (grant == nullptr) {
    return caller.identity.empty() ? CredentialsMissing(method)
                                   : MethodNotAllowed(method, caller.identity);
  }
  if (absl::Status status = CountCall(caller.identity, method, *grant); !status.ok()) return status;
  return NewCaller(std::move(caller.identity), *std::move(person), grant->writes_only_as_person);
}

absl::Status Gate::CountCall(absl::string_view identity, absl::string_view method,
                             const Grant& grant) {
  if (!grant.calls_per_second || IsHealthCheck(method)) return absl::OkStatus();
  const int limit = *grant.calls_per_second;
  // Methods with different limits are counted apart, so that calls to those with a generous one do
  // not use up the other.
  const absl::Duration wait = calls_.Admit(absl::HashOf(identity, limit), limit, clock_.Now());
  return wait == absl::ZeroDuration() ? absl::OkStatus() : CallRateExceeded(limit, wait);
}

absl::Status Gate::AdmitComment(const Caller& caller, absl::string_view author_id) {
  const Rules rules = CurrentRules();
  if (rules.policy == nullptr) return absl::OkStatus();
  const CallerRoles* const roles = rules.policy->Find(caller.identity);
  const Grant* const grant = roles != nullptr ? roles->Find(kCreateComment) : nullptr;
  if (grant == nullptr || !grant->comments_per_minute) return absl::OkStatus();
  const int limit = *grant->comments_per_minute;
  // A caller that may write as anyone must not use up what an author may write through others. A
  // person is one author through whatever they call.
  const bool is_person = grant->writes_only_as_person;
  const absl::string_view through = is_person ? absl::string_view() : caller.identity;
  const absl::Duration wait =
      comments_.Admit(absl::HashOf(is_person, through, author_id), limit, clock_.Now());
  return wait == absl::ZeroDuration() ? absl::OkStatus() : AuthorRateExceeded(limit, wait);
}

}  // namespace content::access
