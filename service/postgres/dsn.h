#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// Connection strings (https://www.postgresql.org/docs/current/libpq-connect.html), which are URIs
// or lists of keywords and may hold a password.
namespace content::postgres {

/// Returns `dsn` with defaults for what every connection needs: a name, a connect timeout of 3 s,
/// and keepalives that find dead peers fast. FAILED_PRECONDITION, with a message that does not
/// quote it, if it cannot be parsed.
absl::StatusOr<std::string> CompleteDsn(absl::string_view dsn);

/// Returns the parts of `dsn` that may be shown, as keywords: where the database is and who
/// connects to it. Leaves out everything that is not known to be harmless. Empty if `dsn` cannot be
/// parsed.
std::string RedactedDsn(absl::string_view dsn);

}  // namespace content::postgres
