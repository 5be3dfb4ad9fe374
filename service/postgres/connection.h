#pragma once

#include <atomic>
#include <memory>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/call_trace.h"
#include "base/clock.h"
#include "postgres/known_database.h"
#include "postgres/result.h"
#include "postgres/statement_monitor.h"

namespace pqxx {
class transaction_base;
}

namespace content::postgres {

/// The parameters of a statement, as text.
using Parameters = std::vector<std::string>;

/// Returns a parameter as text. Takes a string, an integer or a boolean.
inline std::string ParameterText(std::string value) { return value; }
inline std::string ParameterText(const char* value) { return value; }
inline std::string ParameterText(bool value) { return value ? "true" : "false"; }
template <class Number, class = std::enable_if_t<std::is_integral_v<Number>>>
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
/// Never reconnects. Once broken, every method throws, and the connection must be discarded.
///
/// Methods report errors by exceptions. A Pool's jobs let them through: the pool turns them into an
/// absl::Status (failure.h). Not thread-safe, except for is_outdated, ShutdownIfOverdue and
/// ShutdownSocket.
class Connection {
 public:
  /// Connects. `dsn` is a CompleteDsn; unless it says otherwise, connecting takes at most 2 s for
  /// each host. `clock` times statements and must outlive the connection. Throws a ConnectError.
  explicit Connection(const std::string& dsn, const SteadyClock& clock = SteadyClock::System());
  ~Connection();

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Brings the session into a known state (session.h) and returns the server's version. Must be
  /// called before the first statement. Throws a ConnectError if the server is a standby or is not
  /// admitted to `known`, which must outlive the connection. nullptr: any database will do.
  std::string PrepareSession(KnownDatabase* known = nullptr);

  bool is_open() const;

  /// Which database this is. PrepareSession must have returned.
  const DatabaseId& database() const { return database_; }

  /// Returns whether the database has since failed over to another server. Thread-safe.
  bool is_outdated() const {
    const KnownDatabase* const known = known_;
    return known != nullptr && known->IsOutdated(database_);
  }
  /// Returns whether the database is one of Citus, whose tables may be distributed. PrepareSession
  /// finds out.
  bool is_distributed() const { return is_distributed_; }

  /// Makes the database cancel statements that run longer than `limit`, or than `max` if that is
  /// shorter.
  ///
  /// `limit` is raised to at least 128 ms and rounded up to a power of two in milliseconds. So the
  /// setting, whose change takes a round trip, rarely changes, and the statement that changes it
  /// has enough time under the old setting.
  void SetStatementTimeout(absl::Duration limit, absl::Duration max);

  /// Returns how long the last failed statement ran.
  absl::Duration failed_after() const { return monitor_.failed_after(); }

  /// Shuts down the socket if the current statement has run for 5 s longer than the statement
  /// timeout; the thread that waits for it then gets an exception. Returns whether it shut the
  /// socket down. Thread-safe.
  bool ShutdownIfOverdue();

  /// Makes the current use of the socket, or else the next one, fail. Thread-safe.
  void ShutdownSocket() const;

  /// Runs one statement: in the open Snapshot if there is one, otherwise outside a transaction
  /// block, which costs a third as much. `sql` is prepared and the prepared statement kept, so
  /// `sql` must come from a bounded set of texts.
  template <class... Args>
  Result Read(const std::string& sql, Args&&... args) {
    return ReadPrepared(sql, MakeParameters(std::forward<Args>(args)...));
  }

  /// Runs statements without parameters in one transaction and one round trip, without preparing
  /// them. So locks are not held any longer if this process stops.
  void RunScript(const std::string& sql);

  /// Runs one statement outside a transaction block, or several in one transaction, in one round
  /// trip and without preparing them.
  void Run(const std::string& sql);

 private:
  friend class Transaction;
  friend class Snapshot;
  friend class TracedSession;
  struct Impl;

  Result ReadPrepared(const std::string& sql, const Parameters& parameters);

  void RunWithin(absl::Duration limit, const std::string& sql);

  // Runs a statement in a transaction of libpqxx's. Prepares it on first use, unless it has a
  // comment.
  Result Execute(pqxx::transaction_base& transaction, const std::string& sql,
                 const Parameters& parameters);

  // Returns the name of the prepared statement for `sql`. Prepares it on first use.
  const std::string& Prepare(const std::string& sql);

  StatementMonitor monitor_;
  std::unique_ptr<Impl> impl_;
  bool is_distributed_ = false;
  std::string comment_;  // before each statement; empty unless a sampled call is worked for
  DatabaseId database_;  // Written before known_.
  std::atomic<const KnownDatabase*> known_ = nullptr;
  // The time limit of statements, for the monitor.
  absl::Duration statement_timeout_ = absl::InfiniteDuration();
};

/// Opens a session on each host of `database`, for a moment, so that the latest timeline is known
/// even if an old primary still answers, and the next sessions begin with its host. Skips hosts
/// that cannot be reached or are standbys. A host that does not answer takes some seconds. Returns
/// early if `stop` is requested. Thread-safe.
void LookAtHosts(KnownDatabase& database, const std::stop_token& stop = {});

/// While it exists, all reads on its connection see the database as of one moment. At most one per
/// connection at a time.
class Snapshot {
 public:
  explicit Snapshot(Connection& connection);
  ~Snapshot();

  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 private:
  Connection& connection_;
};

/// While it exists, the session of its connection works for a call, and if that is sampled, its
/// statements begin with the id of its trace, as sqlcommenter writes it, so that pg_stat_activity
/// and the database's log show it: `/*trace_id='4bf92f3577b34da6a3ce929d0e0e4736'*/`. The round
/// trips are then steps of the trace. At most one per connection at a time.
///
/// That takes no round trip. But a statement with a comment cannot be one that was prepared, so
/// PostgreSQL plans it again: 0.2 ms for a read.
class TracedSession {
 public:
  /// `trace` may be nullptr: nobody wants to know.
  TracedSession(Connection& connection, CallTrace* trace);
  ~TracedSession();

  TracedSession(const TracedSession&) = delete;
  TracedSession& operator=(const TracedSession&) = delete;

 private:
  Connection* const connection_;  // nullptr if the call is not sampled
};

}  // namespace content::postgres
