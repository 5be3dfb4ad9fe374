#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/memory_guard.h"
#include "content/store.h"
#include "postgres/pool.h"
#include "telemetry/metrics.h"

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
  /// and as many of a single account. Imports of comments have places beside them.
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

/// What a store has counted.
struct StoreNumbers {
  /// The number of calls that shared a statement or a transaction.
  metrics::Histogram read_batches{kBatchSizes};
  metrics::Histogram comment_batches{kBatchSizes};
  metrics::Histogram article_batches{kBatchSizes};
  metrics::Histogram import_batches{kBatchSizes};
  /// From a commit until this server's own notification of it came back from the database.
  metrics::Histogram notification_lags{metrics::kSeconds};

  static constexpr std::initializer_list<double> kBatchSizes = {1, 2, 4, 8, 16, 32, 64, 128};
};

/// How a store's database is doing.
struct DatabaseState {
  /// Whether the last Check found that it responds, accepts writes, and has connections for this
  /// server.
  bool is_up = false;
  /// Whether it answers nobody, so that calls are refused at once.
  bool hangs = false;
  /// Its version; empty while no connection is open.
  std::string version = {};
  /// PostgreSQL's timeline, which rises with each failover; 0 before the first connection.
  uint32_t timeline = 0;
  /// How far its clock is ahead of this machine's. nullopt before the first Check.
  std::optional<absl::Duration> clock_skew = {};
  /// How long after the primary the standbys apply what it commits, by the names of their
  /// connections. Empty if this user may not see them.
  std::map<std::string, absl::Duration> replication_lags = {};
};

/// A Store, and what its operators see of it. All methods are thread-safe, and do not wait for the
/// database.
class ObservedStore : public Store {
 public:
  virtual const StoreNumbers& numbers() const = 0;
  virtual DatabaseState GetDatabaseState() = 0;

  /// Whether this program works with the schema that the database had at the last look.
  virtual bool is_schema_suitable() const = 0;

  /// The connections, by the kind of work that they serve.
  virtual const std::vector<postgres::Pool*>& pools() = 0;
};

/// Returns a store on PostgreSQL. It connects on first use, and again when a connection breaks; if
/// the URL names several hosts, it looks at all of them first, and from time to time. The
/// database must have the schema of this version (schema.h). The destructor answers waiting calls
/// with UNAVAILABLE. So are all calls while the database answers nobody (postgres/breaker.h).
/// FAILED_PRECONDITION if the URL cannot be parsed.
absl::StatusOr<std::unique_ptr<ObservedStore>> NewPostgresStore(const PostgresOptions& options);

/// Returns FAILED_PRECONDITION if a pooler in front of the database does not have the connections
/// left that such a store needs. Opens as many, for a moment.
absl::Status CheckPoolSize(const PostgresOptions& options);

}  // namespace content::store
