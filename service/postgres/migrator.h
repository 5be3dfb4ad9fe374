#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// Brings a database's schema up to date.
namespace content::postgres {

struct Migration {
  int version;  // 1, 2, 3, ...
  absl::string_view name;
  absl::string_view sql;
};

/// Applies those of `known`, which is sorted by version, that the database lacks, each in a
/// transaction, and returns their names. An advisory lock makes concurrent processes take turns.
/// FAILED_PRECONDITION if the database has a newer schema, or was migrated by other files.
absl::StatusOr<std::vector<std::string>> Migrate(const std::string& dsn,
                                                 const std::vector<Migration>& known);

/// OK if all of `known` and nothing else has been applied to the database; otherwise
/// FAILED_PRECONDITION with the version it has, the version that is needed, and what to do.
absl::Status CheckSchema(const std::string& dsn, const std::vector<Migration>& known);

}  // namespace content::postgres
