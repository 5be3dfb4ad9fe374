#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "embedded/data_dir.h"
#include "embedded/process.h"

// A private PostgreSQL as a child process, for a first run and for tests.
namespace content::embedded {

struct Options {
  /// Contains the lock, the cluster, its socket and its log.
  std::string data_dir;
  /// Whether to create the directory and the cluster if they are missing.
  bool create = true;
  /// False for disposable databases, which then do not fsync. The server never sets this.
  bool durable = true;
};

/// A running PostgreSQL (Debian's binaries, 15 to 17) that listens on a unix socket only.
///
/// Owns its data directory exclusively, by a lock file. Restarts the server process if it dies. The
/// server process ends with this process, even if this process is killed. Thread-safe.
class Postgres {
 public:
  /// Initialises the cluster on first use if `options.create`, recovers it after a crash, and
  /// returns when it accepts connections, which takes as long as recovery needs. First stops a
  /// database whose owner was killed. If this process runs as root, the database runs as another
  /// user (`postgres`, or `nobody`).
  ///
  /// Errors:
  ///   NOT_FOUND            there is no cluster, and `options.create` is false; nothing was created
  ///   FAILED_PRECONDITION  another process owns the data directory; no suitable PostgreSQL is
  ///                        installed; or the directory cannot be used (the database's user cannot
  ///                        enter it, others can change it, its path is too long for a socket)
  ///   CANCELLED            SIGTERM or SIGINT, blocked by the caller, arrived; it stays pending
  ///   INTERNAL             the database still does not start after some seconds; with the end of
  ///                        its log
  static absl::StatusOr<std::unique_ptr<Postgres>> Start(const Options& options);

  /// The same for `user`, if the caller owns the data directory, and does so for as long as the
  /// result exists. Serves `layout.cluster`, which may have another name than a server's.
  static absl::StatusOr<std::unique_ptr<Postgres>> StartOwned(const Layout& layout,
                                                              const User& user,
                                                              bool durable = true);

  /// Stops the database and waits until it has ended. The shutdown does not wait for clients;
  /// everything that was committed stays on disk.
  ~Postgres();

  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;

  /// Returns the libpq connection string of the database `content`, as its owner.
  const std::string& url() const;

  /// Returns the process id of the database server; during a restart, that of the previous one. For
  /// tests that kill it.
  int pid() const;

 private:
  class Impl;
  explicit Postgres(std::unique_ptr<Impl> impl);

  std::optional<Lock> lock_;  // nullopt if the caller holds it
  std::unique_ptr<Impl> impl_;
};

/// Returns the connection string of the database that another process runs in this data directory.
/// Waits up to 30 s for a database that is being started or restarted. NOT_FOUND at once if no
/// other process owns the data directory, and after 30 s if its database does not become ready.
absl::StatusOr<std::string> RunningUrl(const std::string& data_dir);

/// Stops the database of an owner that was killed, if there is one. The caller must own the data
/// directory. FAILED_PRECONDITION if it does not stop.
absl::Status StopOrphan(const Layout& layout);

}  // namespace content::embedded
