#include "server/health_follower.h"

#include <utility>

#include "base/await.h"
#include "telemetry/log.h"

namespace content::server {
namespace {

constexpr absl::Duration kInterval = absl::Seconds(1);
constexpr absl::Duration kCheckTimeout = absl::Seconds(3);  // one host may take 2 s to connect to

}  // namespace

HealthFollower::HealthFollower(Upkeep& upkeep, Report report, SteadyClock& clock)
    : upkeep_(upkeep),
      report_(std::move(report)),
      clock_(clock),
      thread_([this](const std::stop_token& stop) { Follow(stop); }) {}

void HealthFollower::Follow(const std::stop_token& stop) {
  bool was_healthy = false;
  while (!stop.stop_requested()) {
    const bool is_healthy = Check(stop);
    if (stop.stop_requested()) return;
    if (is_healthy != was_healthy) {
      was_healthy = is_healthy;
      report_(is_healthy);
      (is_healthy ? log::Info : log::Warning)("health changed", {{"serving", is_healthy}});
    }
    clock_.SleepFor(kInterval, stop);
  }
}

bool HealthFollower::Check(const std::stop_token& stop) {
  const auto check = [this](Callback<void> done) {
    upkeep_.Check({.deadline = clock_.Now() + kCheckTimeout}, std::move(done));
  };
  return Await<void>(check, kCheckTimeout, stop, clock_).ok();
}

}  // namespace content::server
