#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "postgres/result.h"

namespace content::postgres {

/// Parameters of a statement, as text.
using Parameters = std::vector<std::string>;

/// A parameter as text: a string, a number or a boolean.
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

/// A session. It never reconnects by itself: one that breaks throws, and is thrown away.
///
/// Its methods throw exceptions, which the jobs of a Pool let pass: the pool turns them into an
/// absl::Status (failure.h). Not thread-safe.
class Connection {
 public:
  /// Connects. `dsn` is a CompleteDsn.
  explicit Connection(const std::string& dsn);
  ~Connection();

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Sets what sessions rely on and a server's configuration could take away, and returns the
  /// server's version. To be called before anything else but a migration.
  std::string PrepareSession();

  bool is_open() const;

  /// Ends statements that run longer than `limit`, rounded up to a power of two in milliseconds, or
  /// than `max`. Rounding keeps the setting, and saves a round trip, while callers' deadlines
  /// differ only a little.
  void SetStatementTimeout(absl::Duration limit, absl::Duration max);

  /// Shuts down the socket under whoever waits on it, who then gets an exception. The only method
  /// that another thread may call while one runs. The connection must be open.
  void ShutdownSocket() const;

  /// Runs one statement: in the Snapshot that is open, or else outside a transaction block, which
  /// costs a third as much. `sql` must be one of a bounded set of texts, because it is prepared.
  template <class... Args>
  Result Read(const std::string& sql, Args&&... args) {
    return ReadPrepared(sql, MakeParameters(std::forward<Args>(args)...));
  }

  /// Runs statements without parameters, not prepared, in one transaction block.
  void RunScript(const std::string& sql);

  /// Runs one statement outside a transaction block, not prepared.
  void Run(const std::string& sql);

 private:
  friend class Transaction;
  friend class Snapshot;
  struct Impl;

  Result ReadPrepared(const std::string& sql, const Parameters& parameters);

  // Name of the prepared statement for `sql`, which is prepared on first use.
  const std::string& Prepare(const std::string& sql);

  std::unique_ptr<Impl> impl_;
  int64_t statement_timeout_ms_ = 0;
};

/// While it lives, all reads on the connection see the database as of one moment.
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
