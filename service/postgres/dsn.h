#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// Connection strings (https://www.postgresql.org/docs/current/libpq-connect.html): URIs or lists of
// keywords. They may contain a password.
namespace content::postgres {

/// Returns `dsn` with defaults for what every connection needs: a name, a connect timeout of 3 s,
/// and keepalives that find dead peers fast. The encoding is always UTF-8. FAILED_PRECONDITION if
/// `dsn` cannot be parsed or its host or port cannot be one; the message does not quote it.
absl::StatusOr<std::string> CompleteDsn(absl::string_view dsn);

}  // namespace content::postgres
