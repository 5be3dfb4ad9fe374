#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "access/policy.h"

namespace content::access {

/// Reads a policy in YAML (deploy/OPERATING.md describes it). The error is INVALID_ARGUMENT, begins
/// with `path` and the number of a line, and says what is wrong there.
absl::StatusOr<Policy> ParsePolicy(absl::string_view path, const std::string& text);

/// Returns a caller's name in its only form: `spiffe://DOMAIN/PATH`, `jwt:SUBJECT`, `cn:NAME`,
/// `anonymous`, or `dns:NAME` in lower case; perhaps a beginning of one, followed by `*`. The error
/// is INVALID_ARGUMENT.
absl::StatusOr<std::string> ParseCallerName(absl::string_view text);

}  // namespace content::access
