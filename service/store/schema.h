#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "postgres/migrator.h"

// The database's schema, by version.
namespace content::store {

/// Returns the migrations in this binary (deploy/migrations), sorted by version.
std::vector<postgres::Migration> KnownMigrations();

/// Returns the version of the schema that this binary requires.
int NeededSchemaVersion();

/// Calls postgres::Migrate with KnownMigrations(). If a migration has emptied the search index,
/// also fills it; if that is interrupted, the next call goes on with it.
absl::StatusOr<std::vector<std::string>> Migrate(const std::string& dsn,
                                                 const postgres::MigrateOptions& options = {});

/// Calls postgres::CheckSchema with KnownMigrations(). FAILED_PRECONDITION also if the search index
/// is not yet filled, or if this user lacks a right on a table.
absl::Status CheckSchema(const std::string& dsn);

/// Returns OK if both connection strings lead to the same database, otherwise FAILED_PRECONDITION,
/// or an error like those of Migrate.
absl::Status CheckSameDatabase(const std::string& dsn, const std::string& other_dsn);

}  // namespace content::store
