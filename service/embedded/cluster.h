#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "embedded/data_dir.h"
#include "embedded/process.h"

// The database cluster: its files and the server that runs on them.
namespace content::embedded {

/// Returns the directory of PostgreSQL's programs, of the version that made the cluster, or of the
/// newest one installed if there is no cluster yet. FAILED_PRECONDITION if it is not installed.
absl::StatusOr<std::string> FindPrograms(const Layout& layout);

/// NOT_FOUND if the data directory does not exist, or has no complete cluster in it.
absl::Status CheckClusterExists(const Layout& layout);

/// Creates the cluster, with the empty database `content`, unless it exists. A crash leaves either
/// a complete cluster or none. INTERNAL with PostgreSQL's output if that fails.
absl::Status MakeCluster(const Layout& layout, const std::string& programs, const User& user,
                         bool durable);

/// Returns the command that serves the cluster.
Command ServerCommand(const Layout& layout, const std::string& programs, const User& user,
                      bool durable);

/// Returns the libpq connection string of the database `content`.
std::string UrlOf(const Layout& layout);

struct Postmaster {
  pid_t pid;
  bool is_ready;  ///< It accepts connections.
};

/// Returns the process that serves the cluster, whoever started it; nullopt if there is none.
std::optional<Postmaster> FindPostmaster(const Layout& layout);

/// Writes the id of this process into the lock files that a killed database left behind, so that
/// the next database, a child of this process, takes them over. The caller must own the data
/// directory, and no database may run.
absl::Status ClaimLockFiles(const Layout& layout);

/// Returns when the names in a directory are on disk, or at once if its file system has no such
/// promise to give.
absl::Status SyncDirectory(const std::string& path);

/// Removes a directory with all that it contains, if it exists. Tries for two seconds, because a
/// program of a killed owner may take a moment to end, and may still write or remove files.
absl::Status RemoveDirectory(const std::string& path);

}  // namespace content::embedded
