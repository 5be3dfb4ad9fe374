#include "server/health.h"

#include <chrono>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "base/await.h"
#include "telemetry/log.h"

namespace content::server {
namespace {

constexpr std::chrono::seconds kInterval{1};
constexpr absl::Duration kCheckTimeout = absl::Seconds(2);

}  // namespace

HealthFollower::HealthFollower(Store& store, grpc::HealthCheckServiceInterface& health,
                               std::vector<std::string> services)
    : store_(store), health_(health), services_(std::move(services)) {
  Set(false);
  thread_ = std::jthread([this](const std::stop_token& stop) { Follow(stop); });
}

void HealthFollower::Stop() {
  thread_.request_stop();
  thread_.join();
  Set(false);
}

void HealthFollower::Follow(const std::stop_token& stop) {
  bool serving = false;
  while (!stop.stop_requested()) {
    const bool answers = Ask(stop);
    if (stop.stop_requested()) return;
    if (answers != serving) {
      serving = answers;
      Set(serving);
      (serving ? log::Info : log::Warning)("health changed", {{"serving", serving}});
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kInterval, [] { return false; });
  }
}

bool HealthFollower::Ask(const std::stop_token& stop) {
  const auto check = [this](Callback<void> done) {
    store_.Check({.deadline = SteadyNow() + kCheckTimeout, .cancelled = nullptr}, std::move(done));
  };
  return Await<void>(check, kCheckTimeout, stop).ok();
}

void HealthFollower::Set(bool serving) {
  health_.SetServingStatus(serving);
  for (const std::string& service : services_) health_.SetServingStatus(service, serving);
}

}  // namespace content::server
