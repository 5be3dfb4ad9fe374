#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// The database's schema, by version.
namespace content::store {

struct Migration {
  int version;  // 1, 2, 3, ...
  absl::string_view name;
  absl::string_view sql;
};

/// The migrations this binary holds (deploy/migrations), in order of version.
std::vector<Migration> KnownMigrations();

/// Version of the schema that this binary works with.
int NeededSchemaVersion();

/// Applies the migrations that the database lacks, each in a transaction, and returns their names.
/// An advisory lock makes processes that do this at the same time take turns. FAILED_PRECONDITION
/// if the database has a newer schema than this binary knows, or was migrated by other files.
absl::StatusOr<std::vector<std::string>> Migrate(const std::string& url);

/// OK if the database has exactly the needed version, otherwise FAILED_PRECONDITION saying which
/// one it has, which is needed, and what to do.
absl::Status CheckSchema(const std::string& url);

}  // namespace content::store
