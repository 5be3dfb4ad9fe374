#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/call_trace.h"
#include "postgres/connection.h"

namespace content::postgres {

/// A transaction (read committed) on a connection. It is rolled back unless it is committed:
///
///   Transaction transaction(connection);
///   const Result locked = transaction.Exec("SELECT n FROM counter WHERE id = $1 FOR UPDATE", id);
///   transaction.Queue("UPDATE counter SET n = $2 WHERE id = $1", id, locked[0][0].as<int>() + 1);
///   transaction.Commit();
///
/// A round trip costs more than most statements. So BEGIN is sent with the first statement, and a
/// statement whose result is not needed can be sent with the next one or with the commit (Queue).
/// Queued statements are sent as text together with their parameters, which the server may log:
/// never queue text from users.
///
/// Throws like Connection. Not thread-safe.
class Transaction {
 public:
  explicit Transaction(Connection& connection);
  ~Transaction();

  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// Sends the queued statements, then runs this one and returns its result.
  template <class... Args>
  Result Exec(const std::string& sql, Args&&... args) {
    return ExecPrepared(sql, MakeParameters(std::forward<Args>(args)...));
  }

  /// Runs a statement in one round trip with the queued ones and returns its result. `args` must
  /// not contain text from users.
  template <class... Args>
  Result ExecWithQueued(const std::string& sql, Args&&... args) {
    Queue(sql, std::forward<Args>(args)...);
    return Send();
  }

  /// Runs a statement, whose result is dropped, with the next statement or with the commit. `args`
  /// must not contain text from users.
  template <class... Args>
  void Queue(const std::string& sql, Args&&... args) {
    Append(sql, MakeParameters(std::forward<Args>(args)...));
  }

  /// See Connection.
  bool is_distributed() const { return connection_.is_distributed(); }

  /// Sends the queued statements and commits. If the connection is lost before PostgreSQL has
  /// confirmed or refused the commit, or the database has failed over by then, or somebody has
  /// cancelled the commit's wait for a standby, throws an exception that ToFailure (failure.h)
  /// reports as kOutcomeUnknown.
  void Commit();

 private:
  struct Impl;

  Result ExecPrepared(const std::string& sql, const Parameters& parameters);
  void Append(const std::string& sql, const Parameters& parameters);

  // Sends the queued statements and returns the result of the last one.
  // The database may take `extra_limit` longer than the statements' timeouts.
  Result Send(absl::Duration extra_limit = absl::ZeroDuration(),
              CallTrace::Kind kind = CallTrace::Kind::kStatement);

  Connection& connection_;
  std::unique_ptr<Impl> impl_;
  std::string queued_ = "BEGIN";
  int queued_count_ = 0;  // statements in queued_ that have a timeout each
  bool is_open_ = false;  // in the database
};

}  // namespace content::postgres
