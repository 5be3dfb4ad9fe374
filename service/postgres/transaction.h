#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "postgres/connection.h"

namespace content::postgres {

/// A transaction (read committed) on a connection. It is rolled back unless it is committed.
///
/// A round trip costs more than most statements. So BEGIN travels with the first statement, and a
/// statement whose result nobody needs travels with the next one or with the commit (Queue). What
/// travels together is sent as text, parameters included, and a server's log may show it: no text
/// of users may be queued.
///
/// Throws like Connection. Not thread-safe.
class Transaction {
 public:
  explicit Transaction(Connection& connection);
  ~Transaction();

  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// Runs a statement, after those in the queue.
  template <class... Args>
  Result Exec(const std::string& sql, Args&&... args) {
    return ExecPrepared(sql, MakeParameters(std::forward<Args>(args)...));
  }

  /// Runs a statement in one round trip with the queue. No text of users may be among `args`.
  template <class... Args>
  Result ExecWithQueued(const std::string& sql, Args&&... args) {
    Queue(sql, std::forward<Args>(args)...);
    return Send();
  }

  /// Runs a statement, for its effect alone, before the next one or the commit. No text of users
  /// may be among `args`.
  template <class... Args>
  void Queue(const std::string& sql, Args&&... args) {
    Append(sql, MakeParameters(std::forward<Args>(args)...));
  }

  /// Commits, after what is queued. An exception that says "in doubt" (failure.h) means that the
  /// outcome is not known: PostgreSQL has not refused the commit on a connection that is still
  /// open.
  void Commit();

 private:
  struct Impl;

  Result ExecPrepared(const std::string& sql, const Parameters& parameters);
  void Append(const std::string& sql, const Parameters& parameters);

  // Sends the queue and returns the result of its last statement.
  Result Send();

  Connection& connection_;
  std::unique_ptr<Impl> impl_;
  std::string queued_ = "BEGIN";
  bool is_open_ = false;  // in the database
};

}  // namespace content::postgres
