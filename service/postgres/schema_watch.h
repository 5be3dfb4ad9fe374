#pragma once

#include <atomic>

#include "absl/status/status.h"
#include "postgres/connection.h"

namespace content::postgres {

/// Which schema the database has. It may be migrated while a server runs, or lose a migration in a
/// failover.
///
/// Thread-safe.
class SchemaWatch {
 public:
  /// `needed_version`: the schema that this program is made for.
  explicit SchemaWatch(int needed_version) : needed_version_(needed_version) {}

  /// Looks, logs what is new, and returns UNAVAILABLE if this program does not work with the
  /// schema. Throws like Connection.
  absl::Status Look(Connection& connection);

  /// Returns whether the schema suited at the last look; true before the first. Costs an atomic
  /// load.
  bool is_suitable() const { return is_suitable_; }

  /// Returns the schema's version at the last look; 0 before the first.
  int version() const { return version_; }

 private:
  const int needed_version_;
  std::atomic<int> version_ = 0;
  std::atomic<bool> is_suitable_ = true;
};

}  // namespace content::postgres
