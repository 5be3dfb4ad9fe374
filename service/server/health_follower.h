#pragma once

#include <functional>
#include <stop_token>
#include <thread>

#include "base/clock.h"
#include "content/upkeep.h"

namespace content::server {

/// Follows the health of the database: checks every second whether it responds and accepts writes,
/// and reports each change.
class HealthFollower {
 public:
  /// Receives whether the database is healthy. Called on the follower's thread; must not block.
  using Report = std::function<void(bool is_healthy)>;

  /// The database counts as unhealthy until the first report. `upkeep` and `clock` must outlive the
  /// follower.
  HealthFollower(Upkeep& upkeep, Report report, SteadyClock& clock = SteadyClock::System());

  /// Stops without waiting for a check under way.
  ~HealthFollower() = default;

  HealthFollower(const HealthFollower&) = delete;
  HealthFollower& operator=(const HealthFollower&) = delete;

 private:
  void Follow(const std::stop_token& stop);
  bool Check(const std::stop_token& stop);

  Upkeep& upkeep_;
  const Report report_;
  SteadyClock& clock_;
  std::jthread thread_;  // Last: it uses the other members.
};

}  // namespace content::server
