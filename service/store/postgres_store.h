#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "content/store.h"

namespace content::store {

struct PostgresOptions {
  /// libpq connection string or URI.
  std::string url;
  /// Connections for reads and for writes; each has a thread of its own.
  int read_connections = 4;
  int write_connections = 4;
  /// Calls that may wait for a connection, for reads and for writes; more get RESOURCE_EXHAUSTED.
  int queue_limit = 1000;
  /// No statement runs longer.
  absl::Duration statement_timeout = absl::Seconds(10);
  /// Whether changes are told to, and heard from, other instances by NOTIFY, on one more
  /// connection.
  bool notifications = true;
};

/// A Store on PostgreSQL. Connects when it is first used, and again when a connection breaks; the
/// database's schema must be the needed one (migrations.h). FAILED_PRECONDITION if the URL cannot
/// be parsed. Its destructor answers what still waits with UNAVAILABLE.
absl::StatusOr<std::unique_ptr<Store>> NewPostgresStore(const PostgresOptions& options);

}  // namespace content::store
