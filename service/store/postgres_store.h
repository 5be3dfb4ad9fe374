#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/memory_guard.h"
#include "content/store.h"

namespace content::store {

struct PostgresOptions {
  /// libpq connection string or URI.
  std::string url;
  /// The same for the connection that notifies other instances, which LISTENs. Empty: `url`.
  std::string direct_url = {};
  /// Connections for reads and for writes, each with its own thread. At least 1.
  int read_connections = 4;
  int write_connections = 4;
  /// Maximum number of calls that wait for a read connection, and also for a write connection.
  /// Further calls get RESOURCE_EXHAUSTED. A single account gets half of the places.
  int queue_limit = 1000;
  /// Maximum number of articles that are published in one transaction. Twice as many calls wait,
  /// and as many of a single account.
  int articles_per_commit = 50;
  /// While memory is short, calls are refused (postgres::Admission). Outlives the store. nullptr:
  /// it is never short.
  const MemoryGuard* memory = nullptr;
  /// Maximum time of a statement.
  absl::Duration statement_timeout = absl::Seconds(10);
  /// Lifetime of a connection, of which up to a tenth is taken off by chance. The one that replaces
  /// it is opened first, so each pool may have one more for a moment.
  absl::Duration connection_lifetime = absl::InfiniteDuration();
  /// Number of readers' reports that move a comment to PENDING; 0: none do.
  int report_threshold = 5;
  /// Whether this instance and others notify each other of changes by NOTIFY. Takes one more
  /// connection.
  bool notifications = true;
};

/// Returns a Store on PostgreSQL. It connects on first use, and again when a connection breaks; if
/// the URL names several hosts, it looks at all of them first, and from time to time. The
/// database must have the schema of this version (schema.h). The destructor answers waiting calls
/// with UNAVAILABLE. So are all calls while the database answers nobody (postgres/breaker.h).
/// FAILED_PRECONDITION if the URL cannot be parsed.
absl::StatusOr<std::unique_ptr<Store>> NewPostgresStore(const PostgresOptions& options);

/// Returns FAILED_PRECONDITION if a pooler in front of the database does not have the connections
/// left that such a store needs. Opens as many, for a moment.
absl::Status CheckPoolSize(const PostgresOptions& options);

}  // namespace content::store
