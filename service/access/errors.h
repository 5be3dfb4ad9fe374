#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// The errors of callers who may not do what they ask for. They never quote a token.
namespace content::access {

/// UNAUTHENTICATED: nothing identifies the caller, and `method` is not for everybody.
absl::Status CredentialsMissing(absl::string_view method);

/// UNAUTHENTICATED: every call needs a token, and this one has none.
absl::Status TokenMissing();

/// UNAUTHENTICATED: the token is not one that is accepted. `what` is wrong with it.
absl::Status TokenInvalid(absl::string_view what);

/// UNAUTHENTICATED: the token was valid until some time ago.
absl::Status TokenExpired();

/// PERMISSION_DENIED: no role of the caller has the method.
absl::Status MethodNotAllowed(absl::string_view method, absl::string_view caller);

/// RESOURCE_EXHAUSTED with RetryInfo: the caller makes more calls a second than `limit`, or the
/// author writes more comments a minute.
absl::Status CallRateExceeded(int limit, absl::Duration retry_after);
absl::Status AuthorRateExceeded(int limit, absl::Duration retry_after);

}  // namespace content::access
