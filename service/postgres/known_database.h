#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "postgres/dsn.h"

namespace content::postgres {

/// Names a history of a database. Two histories have the same name if two standbys were promoted
/// from one timeline and neither knew of the other's promotion. Whatever promotes standbys has to
/// prevent that (deploy/OPERATING.md): there is no other name that every user may read.
struct DatabaseId {
  /// PostgreSQL's system identifier, which a primary shares with its standbys. 0: not known.
  uint64_t system = 0;
  /// PostgreSQL's timeline, which rises whenever a standby is promoted: to the first number of
  /// which that standby knows no history.
  uint32_t timeline = 0;

  /// Returns it as a short text.
  std::string ToString() const;
};

/// Returns what a session learned (session.h): `timeline` is in hexadecimal, and empty on a
/// standby. Throws a ConnectError for a standby: it takes no writes, lags behind, and if it is
/// promoted, its sessions live on.
DatabaseId ReadDatabaseId(absl::string_view system, absl::string_view timeline);

/// The database that a process works with: where it is, and which history of it the process has
/// seen. All connections share it, and it outlives them.
///
///   KnownDatabase database(*CompleteDsn(url));
///   database.TryHosts([&](const std::string& dsn) {
///     connection.emplace(dsn);
///     connection->PrepareSession(&database);
///   });
///
/// The first session decides which database it is. A session on a later timeline shows that the
/// database has failed over to a standby, which may lack the last commits: all earlier sessions are
/// then outdated. A session on an earlier timeline, such as that of an old primary that came back,
/// or with another system is refused.
///
/// Thread-safe.
class KnownDatabase {
 public:
  /// `dsn` is a CompleteDsn. `on_failover` is called when the database has failed over, before any
  /// session on the new timeline is used. It must not connect.
  explicit KnownDatabase(const std::string& dsn, std::function<void()> on_failover = nullptr);

  /// Another way to the same database, such as one around a pooler: what either learns, both know.
  KnownDatabase(const std::string& dsn, const KnownDatabase& same);

  KnownDatabase(const KnownDatabase&) = delete;
  KnownDatabase& operator=(const KnownDatabase&) = delete;

  /// Returns a connection string for each host, which names all hosts and begins with that one.
  /// The first begins with the host of the last session, so that a host that is down does not make
  /// every connection wait.
  std::vector<std::string> Dsns() const;

  /// Calls `open` with these connection strings until it does not throw a ConnectError about a
  /// wrong server or one that has no connection left, such as a pooler in front of a lost primary.
  /// libpq goes on to the next host only if one does not answer.
  void TryHosts(absl::FunctionRef<void(const std::string& dsn)> open) const;

  /// Takes note of a new session on this host. Throws a ConnectError, and logs `database refused`,
  /// if the session must not be used.
  void Admit(const DatabaseId& id, absl::string_view host, absl::string_view port);

  /// Returns whether a session must not be used any more. Costs an atomic load.
  bool IsOutdated(const DatabaseId& id) const { return id.timeline != history_->timeline; }

  /// Returns the latest history. Does not block.
  DatabaseId id() const { return {history_->system, history_->timeline}; }

 private:
  // What is known of the database, whichever way leads to it.
  struct History {
    explicit History(std::function<void()> listener) : on_failover(std::move(listener)) {}

    const std::function<void()> on_failover;
    std::atomic<uint64_t> system = 0;    // Written with the mutex held.
    std::atomic<uint32_t> timeline = 0;  // Written with the mutex held.
    std::mutex mutex;
    SteadyTime next_log = SteadyTime::InfinitePast();  // Guarded by the mutex.
  };

  // Requires the mutex of history_.
  void Refuse(const DatabaseId& id) const;
  void Prefer(absl::string_view host, absl::string_view port);

  const std::vector<HostDsn> hosts_;
  const std::shared_ptr<History> history_;
  std::atomic<size_t> first_host_ = 0;
};

}  // namespace content::postgres
