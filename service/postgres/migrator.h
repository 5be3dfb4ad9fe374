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

/// Applies the missing migrations, each in a transaction, and returns their names. `known` must be
/// sorted by version. Concurrent processes take turns (an advisory lock). FAILED_PRECONDITION if
/// the database has a newer schema or was migrated with different files.
absl::StatusOr<std::vector<std::string>> Migrate(const std::string& dsn,
                                                 const std::vector<Migration>& known);

/// Returns OK if exactly the migrations `known` have been applied. Otherwise FAILED_PRECONDITION
/// with a message that gives the actual and the required version and says what to do.
absl::Status CheckSchema(const std::string& dsn, const std::vector<Migration>& known);

}  // namespace content::postgres
