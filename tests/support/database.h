#pragma once

#include <string>

struct pg_conn;

namespace content::testing {

/// Whether tests run on Citus: whether the environment has TEST_ON_CITUS. If Citus is not installed
/// then, all tests of this process are skipped.
bool OnCitus();

/// Returns the libpq connection string of a new, empty database. It is on this process's own
/// PostgreSQL, which is started on first use and removed at exit. `migrated`: with the service's
/// schema, whose tables are distributed over two workers on Citus.
std::string NewDatabase(bool migrated = true);

/// The same, without migrating it, for a database created with these options of CREATE DATABASE.
std::string NewDatabaseWith(const std::string& options);

/// Returns `url` for another user, a role that is made with these options of CREATE ROLE (LOGIN).
/// It has the rights of everybody.
std::string UrlOfNewRole(const std::string& url, const std::string& options = "");

/// A connection for the test itself.
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

/// Returns the number of statements in the database of `url` that wait for a lock.
int WaitersForLocks(const std::string& url);

/// Waits until there are that many. Fails the test if that takes too long.
void AwaitWaitersForLocks(const std::string& url, int count);

/// Cancels the statements that wait for locks, and those that replace them, until none waits.
void CancelWaitersForLocks(const std::string& url);

/// While it exists, the database of `url` accepts no connections and has none.
class Outage {
 public:
  explicit Outage(const std::string& url);
  ~Outage();

  Outage(const Outage&) = delete;
  Outage& operator=(const Outage&) = delete;

 private:
  const std::string name_;
};

/// Returns a directory that is removed when this process exits. A PostgreSQL that runs as another
/// user can enter it.
std::string ScratchDirectory();

}  // namespace content::testing
