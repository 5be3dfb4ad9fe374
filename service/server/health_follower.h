#pragma once

#include <functional>
#include <stop_token>
#include <thread>

#include "base/clock.h"
#include "content/upkeep.h"

namespace content::server {

/// Follows the health of the database: asks every second whether it answers and accepts writes, and
/// reports each change.
class HealthFollower {
 public:
  /// Called with whether the database is healthy. Called on the follower's thread; must not block.
  using Report = std::function<void(bool is_healthy)>;

  /// The database counts as not healthy until the first report. `upkeep` and `clock` must outlive
  /// the follower.
  HealthFollower(Upkeep& upkeep, Report report, SteadyClock& clock = SteadyClock::System());

  /// Stops at once.
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
