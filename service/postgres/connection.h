#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "postgres/result.h"
#include "postgres/statement_monitor.h"

namespace content::postgres {

/// The parameters of a statement, as text.
using Parameters = std::vector<std::string>;

/// The text of a parameter: a string, a number or a boolean.
inline std::string ParameterText(std::string value) { return value; }
inline std::string ParameterText(const char* value) { return value; }
inline std::string ParameterText(bool value) { return value ? "true" : "false"; }
template <class Number, class = std::enable_if_t<std::is_arithmetic_v<Number>>>
std::string ParameterText(Number value) {
  return std::to_string(value);
}

template <class... Args>
Parameters MakeParameters(Args&&... args) {
  Parameters parameters;
  parameters.reserve(sizeof...(args));
  (parameters.push_back(ParameterText(std::forward<Args>(args))), ...);
  return parameters;
}

/// A session with the database:
///
///   for (const Row row : connection.Read("SELECT name FROM city WHERE id = ANY ($1)", "{1,2}")) {
///     names.push_back(row[0].as<std::string>());
///   }
///
/// It never reconnects. A connection that breaks throws from then on, and is thrown away.
///
/// The methods throw exceptions, which the jobs of a Pool let pass: the pool turns them into an
/// absl::Status (failure.h). Not thread-safe, but for ShutdownIfOverdue and ShutdownSocket.
class Connection {
 public:
  /// Connects, which takes 3 s at most unless `dsn`, a CompleteDsn, says otherwise. Statements are
  /// timed by `clock`.
  explicit Connection(const std::string& dsn, const SteadyClock& clock = SteadyClock::System());
  ~Connection();

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Makes the settings that our statements rely on, whatever the server's configuration is, and
  /// returns the server's version. Called first, except for migrations.
  std::string PrepareSession();

  bool is_open() const;

  /// Has the database end statements that run longer than `limit`, but never longer than `max`.
  ///
  /// `limit` is raised to 128 ms, and rounded up to a power of two in milliseconds. So the setting
  /// rarely changes, which takes a round trip; and the statement that changes it, which runs under
  /// the old setting, has time enough.
  void SetStatementTimeout(absl::Duration limit, absl::Duration max);

  /// How long the last statement ran that failed.
  absl::Duration failed_after() const { return monitor_.failed_after(); }

  /// Shuts down the socket if the database is overdue with the current statement: 5 s beyond the
  /// statement timeout. The thread that waits for the statement then gets an exception. Returns
  /// true if it did. Thread-safe.
  bool ShutdownIfOverdue();

  /// Makes the current or next use of the socket fail. Thread-safe.
  void ShutdownSocket() const;

  /// Runs one statement, in the open Snapshot if there is one. Otherwise it runs outside a
  /// transaction block, which costs a third as much. `sql` is prepared and kept, so it must be one
  /// of a bounded set of texts.
  template <class... Args>
  Result Read(const std::string& sql, Args&&... args) {
    return ReadPrepared(sql, MakeParameters(std::forward<Args>(args)...));
  }

  /// Runs statements without parameters in one transaction block. They are not prepared.
  void RunScript(const std::string& sql);

  /// Runs one statement outside a transaction block. It is not prepared.
  void Run(const std::string& sql);

 private:
  friend class Transaction;
  friend class Snapshot;
  struct Impl;

  Result ReadPrepared(const std::string& sql, const Parameters& parameters);

  // Returns the name of the prepared statement for `sql`. Prepares it on first use.
  const std::string& Prepare(const std::string& sql);

  StatementMonitor monitor_;
  std::unique_ptr<Impl> impl_;
  // The limit of a statement, for the monitor.
  absl::Duration statement_timeout_ = absl::InfiniteDuration();
};

/// While a Snapshot lives, all reads on its connection see the database as of one moment. At most
/// one for a connection at a time.
class Snapshot {
 public:
  explicit Snapshot(Connection& connection);
  ~Snapshot();

  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 private:
  Connection& connection_;
};

}  // namespace content::postgres
