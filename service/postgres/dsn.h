#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// Connection strings (https://www.postgresql.org/docs/current/libpq-connect.html): URIs or lists of
// keywords. They may contain a password.
namespace content::postgres {

/// Returns `dsn` with defaults for what every connection needs: a name, a connect timeout of 2 s,
/// and keepalives that find dead peers fast. The encoding is always UTF-8. FAILED_PRECONDITION if
/// `dsn` cannot be parsed or its host, port or another number cannot be one; the message does not
/// quote it.
///
/// A password file that libpq would ignore is left out, because libpq would write its path to
/// standard error. Logs that once per process.
absl::StatusOr<std::string> CompleteDsn(absl::string_view dsn);

/// Returns `value` as it is written in a list of keywords.
std::string QuoteDsnValue(absl::string_view value);

/// Returns whether `name` is a value of `dsn`, or a part of its `options`, and so must not be
/// shown.
bool IsNamedInDsn(absl::string_view name, absl::string_view dsn);

/// A host of a connection string, as a session on it names itself.
struct HostDsn {
  std::string host;
  std::string port;
  /// The connection string, with its hosts in the same cyclic order, beginning with this one.
  std::string dsn;
};

/// The port of a host without one.
inline constexpr char kDefaultPort[] = "5432";

/// Returns the hosts that `dsn`, a CompleteDsn, names. At least one.
std::vector<HostDsn> DsnsByHost(const std::string& dsn);

}  // namespace content::postgres
