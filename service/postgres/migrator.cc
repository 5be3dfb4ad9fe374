#include "postgres/migrator.h"

#include <cstdint>
#include <exception>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/digest.h"
#include "postgres/connection.h"
#include "postgres/dsn.h"
#include "telemetry/log.h"

namespace content::postgres {
namespace {

// A number that other programs on the same database are unlikely to lock.
constexpr int64_t kMigrationLock = 0x636f6e74656e74;  // "content"

struct Applied {
  int version;
  std::string checksum;
};

std::string Checksum(const Migration& migration) {
  return absl::BytesToHexString(Digest({migration.sql}));
}

std::vector<Applied> ReadApplied(Connection& connection) {
  const Result exists = connection.Read("SELECT to_regclass('schema_migration') IS NOT NULL");
  if (!exists[0][0].as<bool>()) return {};
  std::vector<Applied> applied;
  for (const auto& row :
       connection.Read("SELECT version, checksum FROM schema_migration ORDER BY version")) {
    applied.push_back({row[0].as<int>(), row[1].as<std::string>()});
  }
  return applied;
}

// The applied migrations must be the first of the known ones.
absl::Status CheckHistory(const std::vector<Applied>& applied,
                          const std::vector<Migration>& known) {
  if (applied.size() > known.size()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the database has schema version ", applied.back().version, ", newer than version ",
        known.back().version, ", which this contentd needs: run a newer contentd"));
  }
  for (size_t i = 0; i < applied.size(); ++i) {
    if (applied[i].version != known[i].version || applied[i].checksum != Checksum(known[i])) {
      return absl::FailedPreconditionError(
          absl::StrCat("migration ", known[i].name, " of this contentd is not the one that was ",
                       "applied to the database as version ", applied[i].version));
    }
  }
  return absl::OkStatus();
}

void Apply(Connection& connection, const Migration& migration) {
  // One script, so that the schema and its record are committed together. The name and the checksum
  // are ours and need no quoting.
  connection.RunScript(absl::StrCat(
      migration.sql,
      ";\nINSERT INTO schema_migration (version, name, checksum, applied_time) VALUES (",
      migration.version, ", '", migration.name, "', '", Checksum(migration), "', now())"));
}

absl::StatusOr<std::vector<std::string>> MigrateLocked(Connection& connection,
                                                       const std::vector<Migration>& known) {
  connection.Run(
      "CREATE TABLE IF NOT EXISTS schema_migration (version integer PRIMARY KEY, "
      "name text NOT NULL, checksum text NOT NULL, applied_time timestamptz NOT NULL)");
  const std::vector<Applied> applied = ReadApplied(connection);
  if (absl::Status status = CheckHistory(applied, known); !status.ok()) return status;
  std::vector<std::string> names;
  for (size_t i = applied.size(); i < known.size(); ++i) {
    Apply(connection, known[i]);
    names.emplace_back(known[i].name);
    log::Info("migration applied", {{"name", known[i].name}});
  }
  return names;
}

// For operators at a terminal. Unlike callers of the service, they see the database's own message.
absl::Status Describe(const std::exception& exception) {
  return absl::UnavailableError(absl::StrCat("database: ", exception.what()));
}

}  // namespace

absl::StatusOr<std::vector<std::string>> Migrate(const std::string& dsn,
                                                 const std::vector<Migration>& known) {
  const absl::StatusOr<std::string> complete_dsn = CompleteDsn(dsn);
  if (!complete_dsn.ok()) return complete_dsn.status();
  try {
    Connection connection(*complete_dsn);
    // The session holds the lock, so it is released when the connection closes for any reason.
    connection.Run(absl::StrCat("SELECT pg_advisory_lock(", kMigrationLock, ")"));
    return MigrateLocked(connection, known);
  } catch (const std::exception& exception) {
    return Describe(exception);
  }
}

absl::Status CheckSchema(const std::string& dsn, const std::vector<Migration>& known) {
  const absl::StatusOr<std::string> complete_dsn = CompleteDsn(dsn);
  if (!complete_dsn.ok()) return complete_dsn.status();
  try {
    Connection connection(*complete_dsn);
    const std::vector<Applied> applied = ReadApplied(connection);
    if (absl::Status status = CheckHistory(applied, known); !status.ok()) return status;
    if (applied.size() == known.size()) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(
        "the database has schema version ", applied.empty() ? 0 : applied.back().version,
        "; this contentd needs version ", known.back().version, ": run `contentd migrate` first"));
  } catch (const std::exception& exception) {
    return Describe(exception);
  }
}

}  // namespace content::postgres
