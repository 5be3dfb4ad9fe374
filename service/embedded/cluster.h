#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "embedded/data_dir.h"
#include "embedded/process.h"

// The database's files, and what runs on them.
namespace content::embedded {

/// The directory of PostgreSQL's programs: of the version that made the cluster, or of the newest
/// one if there is no cluster yet. FAILED_PRECONDITION if it is not installed.
absl::StatusOr<std::string> FindPrograms(const Layout& layout);

/// Makes the cluster with the empty database `content`, unless it exists. A crash leaves either the
/// whole cluster or none. INTERNAL with PostgreSQL's own words if that fails.
absl::Status MakeCluster(const Layout& layout, const std::string& programs, const User& user,
                         bool durable);

/// The command that serves the cluster.
Command ServerCommand(const Layout& layout, const std::string& programs, const User& user,
                      bool durable);

/// libpq connection string of the database `content`.
std::string UrlOf(const Layout& layout);

struct Postmaster {
  pid_t pid;
  bool is_ready;  ///< Takes connections.
};

/// The process that serves the cluster, whoever started it.
std::optional<Postmaster> FindPostmaster(const Layout& layout);

/// Makes the lock files that a killed database left name this process, so that its child, the next
/// database, takes them over. Only for the owner of the data directory, while no database runs.
absl::Status ClaimLockFiles(const Layout& layout);

}  // namespace content::embedded
