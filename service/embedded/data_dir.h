#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "embedded/process.h"

// What lies where in a data directory, who owns it and who may enter it.
namespace content::embedded {

/// How PostgreSQL names its socket in the socket's directory.
inline constexpr absl::string_view kSocketName = "/.s.PGSQL.5432";

/// Absolute paths below a data directory.
struct Layout {
  std::string root;
  std::string lock;     ///< Locked by the process that owns the data directory; holds its id.
  std::string cluster;  ///< The database's files.
  std::string partial;  ///< The same while they are made; renamed to `cluster` when complete.
  std::string socket;   ///< The directory of the unix socket.
  std::string log;      ///< What the database's programs write.
};

/// FAILED_PRECONDITION if a unix socket below `data_dir` could not be named to clients.
absl::StatusOr<Layout> LayoutOf(const std::string& data_dir);

/// Ownership of a data directory, until it is destroyed or this process ends, however it does.
class Lock {
 public:
  /// Creates the data directory if it is missing. FAILED_PRECONDITION if another Lock holds it, or,
  /// as root, if a user could change it who is neither root nor the owner of both the directory and
  /// the cluster in it.
  static absl::StatusOr<Lock> Take(const Layout& layout);

  Lock(Lock&& other) noexcept;
  Lock& operator=(Lock&&) = delete;
  ~Lock();

 private:
  explicit Lock(int fd) : fd_(fd) {}
  int fd_;
};

/// Whether some process owns the data directory. Never disturbs one that is taking the lock.
bool IsLocked(const Layout& layout);

/// Who runs the database: this process's user. PostgreSQL refuses to run as root, so that for root
/// it is the owner of the existing cluster, else `postgres`, else `nobody`. FAILED_PRECONDITION if
/// another user's cluster is there, or if the directory is closed to the database's user.
absl::StatusOr<User> DatabaseUser(const Layout& layout);

/// Makes a directory that only `user` (and root) can enter, unless it exists. FAILED_PRECONDITION
/// if something else is there.
absl::Status MakePrivateDirectory(const std::string& path, const User& user);

/// Replaces what a small file holds, without a moment in which it is empty. False, with errno, if
/// that fails.
bool Overwrite(int fd, absl::string_view text);

/// FAILED_PRECONDITION: "cannot DO: REASON", of the given errno.
absl::Status Unusable(const std::string& what, int error_number);

}  // namespace content::embedded
