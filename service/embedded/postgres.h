#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

// A private PostgreSQL as a child process, for a first run and for tests.
namespace content::embedded {

struct Options {
  /// Holds everything: the lock, the cluster, its socket and its log. Created if missing.
  std::string data_dir;
  /// For disposable databases: no fsync. Never set by the server.
  bool durable = true;
};

/// A running PostgreSQL (Debian's binaries, 15 to 17) that listens on a unix socket only.
///
/// Owns its data directory exclusively (a lock file) and the server process, which is started again
/// if it dies, and ends with this process even if that is killed. Thread-safe.
class Postgres {
 public:
  /// Initialises the cluster on first use, recovers it after a crash, and returns when it takes
  /// connections. As root the database runs as another user (`postgres`, or `nobody`).
  ///
  /// The database of an owner that was killed is stopped first.
  ///
  /// Takes as long as recovery needs. Errors: FAILED_PRECONDITION if another process owns the data
  /// directory, if no suitable PostgreSQL is installed, or if the directory cannot be used (not
  /// reachable for the database's user, open to others' changes, path too long for a socket);
  /// CANCELLED if the caller has blocked SIGTERM or SIGINT and one comes meanwhile (it stays
  /// pending); INTERNAL with the end of the database's log if it still does not start after some
  /// seconds.
  static absl::StatusOr<std::unique_ptr<Postgres>> Start(const Options& options);

  /// Stops the database (fast shutdown: no client is waited for, everything committed is on disk)
  /// and waits for its end.
  ~Postgres();

  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;

  /// libpq connection string of the database `content`, as its owner.
  const std::string& url() const;

  /// Process id of the database server, or of the last one while it is about to be started again;
  /// for tests that kill it.
  int pid() const;

 private:
  class Impl;
  explicit Postgres(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Connection string of the database that another process runs on this data directory (as the
/// import does beside a server). Waits up to 30 s for one that is being started, for the first time
/// or again after a crash. NOT_FOUND at once if no other process owns the data directory, and after
/// that time if its database does not become ready.
absl::StatusOr<std::string> RunningUrl(const std::string& data_dir);

}  // namespace content::embedded
