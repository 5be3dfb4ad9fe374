#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "postgres/connect.h"

namespace content::postgres {

/// Throws a ConnectError unless one PostgreSQL process runs every statement of `session`, which has
/// just been opened. A pooler (PgBouncer) in transaction or statement mode passes them to any of
/// its own connections. Settings would then leak to other programs, and prepared statements and
/// LISTEN would be lost.
///
/// `open_another` opens one more session at the same address. A pooler that has no connection left
/// lets statements wait, so the first one has 3 s, and so have all the others together.
///
/// Changes nothing in the sessions. Without a pooler, costs a round trip. Behind one, also costs a
/// short session and some 20 round trips; the process makes these checks one at a time, and each
/// waits for its turn for at most 3 s.
/// Thread-safe.
void CheckPooler(pg_conn* session, const std::function<RawConnection()>& open_another);

/// Returns FAILED_PRECONDITION if a pooler in front of the database does not have this number of
/// connections left. Opens as many sessions, for a moment. Returns OK without a pooler, or if the
/// database cannot be reached. `dsn` is a CompleteDsn.
absl::Status CheckPoolSize(const std::string& dsn, int sessions);

}  // namespace content::postgres
