#pragma once

#include <sys/types.h>

#include <string>

namespace content::testing {

/// A running PgBouncer (https://www.pgbouncer.org) in front of the PostgreSQL of a connection
/// string. Killed when the thread that started it ends, if not before.
class PgBouncer {
 public:
  struct Options {
    /// session, transaction or statement.
    std::string mode = "session";
    /// Connections to PostgreSQL for each database.
    int pool_size = 50;
    /// More lines of the [pgbouncer] section of its configuration.
    std::string settings = "";
  };

  /// Returns whether Debian's package is installed.
  static bool IsInstalled();

  /// Starts it and waits until it answers. `url` has the form of NewDatabase's.
  explicit PgBouncer(const std::string& url);
  PgBouncer(const std::string& url, Options options);
  ~PgBouncer();

  PgBouncer(const PgBouncer&) = delete;
  PgBouncer& operator=(const PgBouncer&) = delete;

  /// Returns `url` through the pooler. `url` names a database of the same PostgreSQL. Sessions
  /// belong to the role `content`, whichever it names.
  std::string UrlOf(const std::string& url) const;

  /// Changes the mode while it runs.
  void SetMode(const std::string& mode);

 private:
  void WriteConfiguration() const;
  // Runs a statement of the administration console.
  void Command(const std::string& statement) const;

  Options options_;
  std::string server_directory_;  // of PostgreSQL's socket
  std::string directory_;
  pid_t pid_ = -1;
};

}  // namespace content::testing
