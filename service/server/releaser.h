#pragma once

#include <stop_token>
#include <thread>

#include "absl/time/time.h"
#include "base/clock.h"
#include "content/upkeep.h"

namespace content::server {

/// Shows scheduled articles to readers when their time has come. Several servers may do so
/// concurrently.
class Releaser {
 public:
  /// Maximum time between two looks at the schedule, which other servers may change.
  static constexpr absl::Duration kMaxInterval = absl::Milliseconds(250);

  /// `upkeep` and `clock` must outlive the releaser.
  explicit Releaser(Upkeep& upkeep, SteadyClock& clock = SteadyClock::System());

  /// Stops without waiting for an article under way.
  ~Releaser() = default;

  Releaser(const Releaser&) = delete;
  Releaser& operator=(const Releaser&) = delete;

 private:
  void Run(const std::stop_token& stop);
  absl::Duration ReleaseArticles(const std::stop_token& stop);

  Upkeep& upkeep_;
  SteadyClock& clock_;
  std::jthread thread_;  // Last: it uses the other members.
};

}  // namespace content::server
