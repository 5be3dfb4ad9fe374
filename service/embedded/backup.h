#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Backups of an embedded database: archives of pg_dump, in its custom format.
namespace content::embedded {

/// Writes a backup of the database that runs on `data_dir` to the open file `file`: all of it as
/// of one moment, while others go on to use it. Some of it may be written if this fails.
///
/// FAILED_PRECONDITION if pg_dump of the database's version is not installed. INTERNAL, with what
/// pg_dump says, if that fails.
absl::Status BackUp(const std::string& data_dir, int file);

struct RestoreOptions {
  std::string data_dir;
  /// Contains the backup; open for reading.
  int file = -1;
  /// Whether a database that is there may be replaced without being looked at.
  bool may_replace = false;
  /// Otherwise called with the connection string of a database that is there, or with the reason
  /// that it does not start. An error keeps it.
  std::function<absl::Status(const absl::StatusOr<std::string>& url)> check_is_empty;
  /// Called with the connection string of the restored database, before it takes its place. An
  /// error keeps what was there.
  std::function<absl::Status(const std::string& url)> prepare;
};

/// Makes a new database from a backup, beside the one that is in the data directory, if any, and
/// then puts it in its place, in one step: whatever happens before, nothing has changed, and an
/// error says so. As the
/// cluster is new, its system identifier is too, by which servers and watchers see that the
/// database has another history. It is of the newest PostgreSQL that is installed.
///
/// Returns where the database is kept that was there; "" if there was none.
///
/// FAILED_PRECONDITION if a process uses the data directory, if a database is still kept from an
/// earlier call, if something else has the name of the new one (DATA/postgres.restoring), or as
/// Postgres::Start. INTERNAL, with what pg_restore says, if that fails. DATA_LOSS if the database
/// is restored, but the disk may not have it.
absl::StatusOr<std::string> Restore(const RestoreOptions& options);

/// Returns the path of one of PostgreSQL's programs for clients. FAILED_PRECONDITION, with the name
/// of Debian's package, if it is not in `programs`.
absl::StatusOr<std::string> FindClientProgram(const std::string& programs, const std::string& name);

}  // namespace content::embedded
