#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "postgres/connection.h"
#include "postgres/migration.h"
#include "postgres/transaction.h"

// The table schema_migration, in which a database remembers its migrations. Any program may find
// rows in it that a newer program has written.
namespace content::postgres {

/// How far a migration has come.
struct MigrationProgress {
  int steps_left = 0;
  std::string cursor = {};  // of the current step's batches
  int64_t row_count = 0;    // that the current step's batches went through
};

/// A migration that has been applied, or begun.
struct AppliedMigration {
  int version;
  std::string name;
  std::string checksum;
  bool is_compatible;
  MigrationProgress progress;
};

enum class Purpose { kMigrate, kServe };

/// Returns the migrations of a database, of which the first must be `known`. One more may follow if
/// programs that know only those work with it. FAILED_PRECONDITION otherwise, or if this user may
/// not see them; `dsn` is what the connection was made with.
absl::StatusOr<std::vector<AppliedMigration>> ReadHistory(Connection& connection,
                                                          const std::string& dsn, Purpose purpose,
                                                          const std::vector<Migration>& known);

/// Returns whether the table is there and has all columns.
bool IsHistoryPrepared(Connection& connection);

/// Creates the table, or adds the columns that it lacks, under a lock that keeps out who reads it.
void PrepareHistory(Connection& connection);

/// Writes the progress of a migration. Fails if it was not `old`: another process has gone on with
/// the migration.
void Record(Transaction& transaction, const Migration& migration, const MigrationProgress& old,
            const MigrationProgress& now);

/// Returns a script that does the same.
std::string RecordScript(const Migration& migration, const MigrationProgress& old,
                         const MigrationProgress& now);

/// Removes the record of a migration of which nothing was done, if it is still `announced`.
void Withdraw(Connection& connection, const Migration& migration,
              const MigrationProgress& announced);

/// The schema, as a running server sees it.
struct SchemaView {
  int version = 0;          // the last migration that is complete
  bool is_suitable = true;  // for a server that needs `needed_version`
};

/// Returns the state of the schema for a server that needs `needed_version`.
SchemaView ViewSchema(Connection& connection, int needed_version);

}  // namespace content::postgres
