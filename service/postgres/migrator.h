#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "postgres/connection.h"
#include "postgres/migration.h"

// Brings a database's schema up to date, while servers use it.
namespace content::postgres {

struct MigrateOptions {
  /// Called with lines for operators, which say what is being done and how far it has come.
  std::function<void(absl::string_view)> report = [](absl::string_view) {};
  /// Do not look for servers that are connected.
  bool servers_are_stopped = false;
};

/// Applies the missing migrations and returns their names. `known` must be sorted by version. If
/// none is missing, only reads.
///
/// Each step is recorded with what it did (migration.h). If this is interrupted, however that
/// happens, the next call continues with the step that was not finished, or after its last batch.
/// Concurrent processes take turns.
///
/// A step never waits long for a lock, because all others who need the table would wait behind it:
/// it gives up and tries again. While servers are connected, a compatible migration does not hold a
/// lock for long either: its transactions are cancelled after half a second.
///
/// A migration that is not compatible is recorded before its first step, so that servers do not
/// start, and the sessions of servers are looked for again. The record is removed if nothing was
/// done.
///
/// FAILED_PRECONDITION if the database does not fit: its encoding is not UTF-8, it has a newer
/// schema or was migrated with different files, this user may not see or change it, or servers are
/// connected that would not work with a missing migration. UNAVAILABLE if it cannot be reached, and
/// another attempt may succeed.
absl::StatusOr<std::vector<std::string>> Migrate(const std::string& dsn,
                                                 const std::vector<Migration>& known,
                                                 const MigrateOptions& options = {});

/// Calls `use` with a session of the database. Returns its status, or an error like those of
/// Migrate if it throws or the database does not fit.
absl::Status UseDatabase(const std::string& dsn,
                         const std::function<absl::Status(Connection&)>& use);

/// Returns OK if the migrations `known` have been applied, and of others at most one that is
/// compatible, perhaps in part. Otherwise an error like those of Migrate, or FAILED_PRECONDITION
/// with a message that gives the actual and the required version and says what to do.
absl::Status CheckSchema(const std::string& dsn, const std::vector<Migration>& known);

/// Returns `complete_dsn` for the sessions of a server that needs this version of the schema.
/// Migrate recognises them by their application_name.
std::string ServerDsn(absl::string_view complete_dsn, int schema_version);

}  // namespace content::postgres
