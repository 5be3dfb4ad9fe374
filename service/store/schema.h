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

/// Call postgres::Migrate and postgres::CheckSchema with KnownMigrations().
absl::StatusOr<std::vector<std::string>> Migrate(const std::string& dsn);
absl::Status CheckSchema(const std::string& dsn);

}  // namespace content::store
