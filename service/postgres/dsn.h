#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// Connection strings (https://www.postgresql.org/docs/current/libpq-connect.html): a URI or
// keywords, which may hold a password.
namespace content::postgres {

/// `dsn` with what every connection needs: a name, a connect timeout, and a fast discovery of dead
/// peers. What `dsn` sets itself wins. FAILED_PRECONDITION, without quoting it, if it cannot be
/// parsed.
absl::StatusOr<std::string> CompleteDsn(absl::string_view dsn);

/// What may be shown of `dsn`, as keywords: where the database is and who connects to it.
/// Everything not known to be harmless is left out; if `dsn` cannot be parsed that is all of it.
std::string RedactedDsn(absl::string_view dsn);

}  // namespace content::postgres
