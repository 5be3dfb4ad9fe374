#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// One connection to PostgreSQL. The only file that knows that libpqxx 6.4 (Debian 12) and 7.10
// (Debian 13) differ.
namespace content::store {

namespace internal {

#if PQXX_VERSION_MAJOR >= 7
using SnapshotTransaction =
    pqxx::transaction<pqxx::isolation_level::repeatable_read, pqxx::write_policy::read_only>;
#else
using SnapshotTransaction =
    pqxx::transaction<pqxx::isolation_level::repeatable_read, pqxx::readwrite_policy::read_only>;
#endif

// Parameters travel as text.
inline const std::string& ParameterText(const std::string& value) { return value; }
inline std::string ParameterText(const char* value) { return value; }
inline std::string ParameterText(bool value) { return value ? "true" : "false"; }
template <class Number>
std::string ParameterText(Number value) {
  return std::to_string(value);
}

template <class... Args>
pqxx::result ExecutePrepared(pqxx::transaction_base& transaction, const std::string& name,
                             const Args&... args) {
#if PQXX_VERSION_MAJOR >= 7
  return transaction.exec(pqxx::prepped{name}, pqxx::params{ParameterText(args)...});
#else
  return transaction.exec_prepared(name, ParameterText(args)...);
#endif
}

}  // namespace internal

/// libpq connection string with what every connection of ours has: a name, a connect timeout and a
/// fast discovery of dead peers; what `url` (a URI or keywords) sets itself wins. Throws
/// pqxx::usage_error, without a password in it, if `url` cannot be parsed.
std::string CompleteUrl(absl::string_view url);

/// A session. It never reconnects by itself: a broken one throws and is thrown away. Not
/// thread-safe. All methods throw pqxx exceptions.
class Connection {
 public:
  explicit Connection(const std::string& url);

  /// Sets what a session relies on and a server's configuration could take away, and returns the
  /// server's version. Before any other use but migrations.
  std::string PrepareSession();

  bool is_open() const { return connection_->is_open(); }

  /// Lets no statement run longer than `limit`, rounded up to a power of two in milliseconds, nor
  /// longer than `most`: rounding keeps the setting, and saves its round trip, while callers'
  /// deadlines differ a little.
  void LimitStatements(absl::Duration limit, absl::Duration most);

  /// Ends the connection under whoever waits on it, who then gets pqxx::broken_connection. The only
  /// method that may be called from another thread while one runs, on an open connection.
  void Sever() const;

  /// Runs one statement: in the Snapshot that is open, or else outside a transaction block, where
  /// it costs a third of one inside.
  template <class... Args>
  pqxx::result Read(const std::string& sql, const Args&... args) {
    const std::string& name = Prepared(sql);
    if (snapshot_ != nullptr) return internal::ExecutePrepared(*snapshot_, name, args...);
    pqxx::nontransaction transaction(*connection_);
    return internal::ExecutePrepared(transaction, name, args...);
  }

  /// Runs commands that take no parameters and are not prepared, in one transaction block.
  void RunScript(const std::string& sql);

  /// Runs one command outside a transaction block, not prepared.
  void Run(const std::string& sql);

 private:
  friend class Transaction;
  friend class Snapshot;

  /// Name of the prepared statement for `sql`, prepared on first use. `sql` must be one of a
  /// bounded set of texts.
  const std::string& Prepared(const std::string& sql);

  std::unique_ptr<pqxx::connection> connection_;
  std::map<std::string, std::string> prepared_;
  int64_t preparations_ = 0;
  internal::SnapshotTransaction* snapshot_ = nullptr;  // while a Snapshot is open
  int64_t statement_timeout_ms_ = 0;
};

/// A transaction (read committed) on a connection; rolled back unless committed.
///
/// Waiting for the database costs more than most of what it is asked: so BEGIN goes with the first
/// statement, and what need not be waited for with the next one or the commit. Such statements
/// carry their parameters in their text, which a server's log shows: no users' words go there.
class Transaction {
 public:
  explicit Transaction(Connection& connection);
  ~Transaction();

  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  template <class... Args>
  pqxx::result Exec(const std::string& sql, const Args&... args) {
    const std::string& name = connection_.Prepared(sql);
    if (!queued_.empty()) Send();
    return internal::ExecutePrepared(session_, name, args...);
  }

  /// The same together with what is queued. No users' words may be among `args`.
  template <class... Args>
  pqxx::result ExecWithQueued(const std::string& sql, const Args&... args) {
    Queue(sql, args...);
    return Send();
  }

  /// Runs the statement before the next one or the commit, for its effect alone. No users' words
  /// may be among `args`.
  template <class... Args>
  void Queue(const std::string& sql, const Args&... args) {
    Append(connection_.Prepared(sql), {internal::ParameterText(args)...});
  }

  /// Throws pqxx::in_doubt_error if the outcome is not known: unless PostgreSQL itself says that it
  /// has refused something, on a connection that is still open.
  void Commit();

 private:
  void Append(const std::string& name, const std::vector<std::string>& parameters);

  // Result of the last statement.
  pqxx::result Send();

  Connection& connection_;
  pqxx::nontransaction session_;
  std::string queued_ = "BEGIN";
  bool open_ = false;  // in the database
};

/// While it lives, all reads on the connection see the database as it was at one moment.
class Snapshot {
 public:
  explicit Snapshot(Connection& connection)
      : connection_(connection), transaction_(*connection.connection_) {
    connection_.snapshot_ = &transaction_;
  }
  ~Snapshot() { connection_.snapshot_ = nullptr; }

  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 private:
  Connection& connection_;
  internal::SnapshotTransaction transaction_;
};

}  // namespace content::store
