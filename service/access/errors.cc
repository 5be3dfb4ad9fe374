#include "access/errors.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/errors.h"

namespace content::access {
namespace {

absl::Status Unauthenticated(absl::string_view reason, absl::string_view message) {
  return MakeError(absl::StatusCode::kUnauthenticated, reason, message);
}

absl::Status RateExceeded(absl::string_view reason, absl::string_view message,
                          absl::string_view limit, int value, absl::Duration retry_after) {
  return WithRetry(MakeError(absl::StatusCode::kResourceExhausted, reason, message,
                             {{"limit", std::string(limit)}, {"value", absl::StrCat(value)}}),
                   retry_after);
}

}  // namespace

absl::Status CredentialsMissing(absl::string_view method) {
  return Unauthenticated("CREDENTIALS_MISSING",
                         absl::StrCat(method, " needs a client certificate or a bearer token"));
}

absl::Status TokenMissing() {
  return Unauthenticated("CREDENTIALS_MISSING", "every call needs a bearer token");
}

absl::Status TokenInvalid(absl::string_view what) {
  return Unauthenticated("TOKEN_INVALID", absl::StrCat("the bearer token ", what));
}

absl::Status TokenExpired() {
  return Unauthenticated("TOKEN_EXPIRED", "the bearer token has expired (exp)");
}

absl::Status MethodNotAllowed(absl::string_view method, absl::string_view caller) {
  return MakeError(absl::StatusCode::kPermissionDenied, "METHOD_NOT_ALLOWED",
                   absl::StrCat(caller, " may not call ", method),
                   {{"method", std::string(method)}, {"caller", std::string(caller)}});
}

absl::Status CallRateExceeded(int limit, absl::Duration retry_after) {
  return RateExceeded("CALL_RATE_EXCEEDED", absl::StrCat("more than ", limit, " calls a second"),
                      "calls_per_second", limit, retry_after);
}

absl::Status AuthorRateExceeded(int limit, absl::Duration retry_after) {
  return RateExceeded("AUTHOR_RATE_EXCEEDED",
                      absl::StrCat("the author writes more than ", limit, " comments a minute"),
                      "comments_per_minute", limit, retry_after);
}

}  // namespace content::access
