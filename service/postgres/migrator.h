#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "postgres/connection.h"

// Brings a database's schema up to date.
namespace content::postgres {

struct Migration {
  int version;  // 1, 2, 3, ...
  absl::string_view name;
  absl::string_view sql;
};

/// Applies the missing migrations, each in a transaction, and returns their names. `known` must be
/// sorted by version. Concurrent processes take turns (an advisory lock). If none is missing, only
/// reads.
///
/// FAILED_PRECONDITION if the database does not fit: its encoding is not UTF-8, it has a newer
/// schema or was migrated with different files, or this user may not see or change it. UNAVAILABLE
/// if it cannot be reached, and another attempt may succeed.
absl::StatusOr<std::vector<std::string>> Migrate(const std::string& dsn,
                                                 const std::vector<Migration>& known);

/// Calls `use` with a session of the database. Returns its status, or an error like those of
/// Migrate if it throws or the database does not fit.
absl::Status UseDatabase(const std::string& dsn,
                         const std::function<absl::Status(Connection&)>& use);

/// Returns OK if exactly the migrations `known` have been applied. Otherwise an error like those of
/// Migrate, or FAILED_PRECONDITION with a message that gives the actual and the required version
/// and says what to do.
absl::Status CheckSchema(const std::string& dsn, const std::vector<Migration>& known);

}  // namespace content::postgres
