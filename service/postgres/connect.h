#pragma once

#include <memory>
#include <string>

#include "base/clock.h"

struct pg_conn;

namespace content::postgres {

struct CloseRawConnection {
  void operator()(pg_conn* connection) const;
};

/// A connection of libpq.
using RawConnection = std::unique_ptr<pg_conn, CloseRawConnection>;

/// Opens a connection. `dsn` is a CompleteDsn. Like PQconnectdb, tries one address after the other
/// and gives each its connect_timeout. Throws a ConnectError.
///
/// Errors are verbose (server_error.h). Notices are dropped (but see TookStandbyWarning), also
/// those that PostgreSQL sends while the connection is opened: libpq would write them to standard
/// error, with names from the connection string. PostgreSQL's own log has them.
///
/// Behind a pooler, every session is checked (pooler.h): one may be put in between, or change its
/// mode, while the service runs.
RawConnection OpenRawConnection(const std::string& dsn);

/// Returns whether, since the last call, the calling thread was told that a commit does not wait
/// for a standby any more, because somebody has cancelled that (pg_cancel_backend). The commit then
/// succeeds, although it may be on the primary alone.
bool TookStandbyWarning();

/// Waits for `events` of poll(2) on a socket. Returns false if nothing happened before the
/// deadline.
bool AwaitSocket(int socket, short events, SteadyTime deadline);

/// The version of libpq.
std::string LibpqVersion();

}  // namespace content::postgres
