#pragma once

#include <string>

#include "absl/status/status.h"
#include "postgres/migrator.h"

// What a restore from a backup has to know of the databases that it replaces and makes.
namespace content::store {

/// FAILED_PRECONDITION if a table has rows that only its users, or other programs, can have
/// written.
absl::Status CheckIsEmpty(const std::string& dsn);

/// Makes a database that has just been restored ready for use: brings its schema up to date, and
/// lets PostgreSQL look at the tables, because a backup has no statistics for its planner.
///
/// FAILED_PRECONDITION if it is none of contentd's, or not all of one, if its tables are in another
/// schema than PostgreSQL looks for them in, or if it has a newer schema than this binary works
/// with.
absl::Status PrepareRestored(const std::string& dsn, const postgres::MigrateOptions& options);

}  // namespace content::store
