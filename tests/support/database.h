#pragma once

#include <string>

struct pg_conn;

namespace content::testing {

/// libpq connection string of a new, empty database on a PostgreSQL of this process's own, which is
/// started on first use and removed at exit. `migrated`: with the service's schema.
std::string NewDatabase(bool migrated = true);

/// A connection of the test's own.
class Session {
 public:
  explicit Session(const std::string& url);
  ~Session();

  /// Runs SQL and returns the first column of the last result's first row, or "". Fails the test on
  /// an error.
  std::string Run(const std::string& sql);

 private:
  pg_conn* connection_;
};

/// Session::Run on a connection that ends with the call.
std::string Query(const std::string& url, const std::string& sql);

/// A directory of this process's own that is removed at exit. A PostgreSQL that runs as another
/// user can enter it.
std::string ScratchDirectory();

}  // namespace content::testing
