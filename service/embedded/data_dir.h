#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "embedded/process.h"

// The data directory: its layout, its lock, and its permissions.
namespace content::embedded {

/// Name of PostgreSQL's socket in its directory.
inline constexpr absl::string_view kSocketName = "/.s.PGSQL.5432";

/// Absolute paths below a data directory.
struct Layout {
  std::string root;
  std::string lock;     ///< Locked by the process that owns the data directory; contains its id.
  std::string cluster;  ///< The files of the database.
  std::string partial;  ///< A cluster under construction, renamed to `cluster` when complete.
  std::string socket;   ///< Directory of the unix socket.
  std::string log;      ///< Output of PostgreSQL's programs.
};

/// FAILED_PRECONDITION if clients could not name a unix socket below `data_dir`.
absl::StatusOr<Layout> LayoutOf(const std::string& data_dir);

/// Ownership of a data directory. Ends with this object or, at the latest, with the process.
class Lock {
 public:
  /// Creates the data directory if it is missing. FAILED_PRECONDITION if another Lock holds it. For
  /// root also if the directory can be changed by a user other than root and the owner of both the
  /// directory and the cluster in it.
  static absl::StatusOr<Lock> Take(const Layout& layout);

  Lock(Lock&& other) noexcept;
  Lock& operator=(Lock&&) = delete;
  ~Lock();

 private:
  explicit Lock(int fd) : fd_(fd) {}
  int fd_;
};

/// Returns whether a process owns the data directory. Never interferes with a process that is
/// taking the lock.
bool IsLocked(const Layout& layout);

/// Returns the user that runs the database: the user of this process. PostgreSQL refuses to run as
/// root, so for root it is the owner of the existing cluster, or else `postgres`, or else `nobody`.
/// FAILED_PRECONDITION if the existing cluster belongs to another user, or if the database's user
/// cannot enter the data directory.
absl::StatusOr<User> DatabaseUser(const Layout& layout);

/// Creates a directory that only `user` (and root) can enter, unless it exists. FAILED_PRECONDITION
/// if something else has that path.
absl::Status MakePrivateDirectory(const std::string& path, const User& user);

/// Replaces the content of a small file, which is never empty in between. Returns false and sets
/// errno on failure.
bool Overwrite(int fd, absl::string_view text);

}  // namespace content::embedded
