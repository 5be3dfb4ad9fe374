#include "server/janitor.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "base/await.h"
#include "telemetry/log.h"

namespace content::server {
namespace {

constexpr absl::Duration kMaxInterval = absl::Minutes(1);
constexpr absl::Duration kTimeout = absl::Seconds(10);

}  // namespace

Janitor::Janitor(Upkeep& upkeep, absl::Duration request_retention, SteadyClock& clock)
    : upkeep_(upkeep),
      request_retention_(request_retention),
      clock_(clock),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

void Janitor::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    ForgetRequests(stop);
    clock_.SleepFor(std::min(request_retention_, kMaxInterval), stop);
  }
}

void Janitor::ForgetRequests(const std::stop_token& stop) {
  // A date: the store keeps the time of each request.
  const absl::Time before = absl::Now() - request_retention_;
  int64_t total = 0;
  while (true) {
    const auto forget = [&](Callback<int64_t> done) {
      upkeep_.ForgetRequests({.deadline = clock_.Now() + kTimeout,
                              .cancelled = [stop] { return stop.stop_requested(); }},
                             before, std::move(done));
    };
    const absl::StatusOr<int64_t> count = Await<int64_t>(forget, kTimeout, stop, clock_);
    // After a failure, the next round tries again.
    if (!count.ok() || *count == 0) break;
    total += *count;
  }
  if (total > 0) log::Info("requests forgotten", {{"count", total}});
}

}  // namespace content::server
