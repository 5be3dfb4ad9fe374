#include "server/janitor.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "base/await.h"
#include "telemetry/log.h"

namespace content::server {
namespace {

constexpr absl::Duration kMaxInterval = absl::Minutes(1);
constexpr absl::Duration kForgetTimeout = absl::Seconds(10);

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
  int64_t total = 0;
  while (true) {
    const auto forget = [&](Callback<ForgottenRequests> done) {
      upkeep_.ForgetRequests({.deadline = clock_.Now() + kForgetTimeout,
                              .cancelled = [stop] { return stop.stop_requested(); }},
                             request_retention_, std::move(done));
    };
    const auto forgotten = Await<ForgottenRequests>(forget, kForgetTimeout, stop, clock_);
    if (!forgotten.ok()) break;  // the next round tries again
    if (forgotten->count == 0) break;
    total += forgotten->count;
  }
  if (total > 0) log::Info("requests forgotten", {{"days", total}});
}

}  // namespace content::server
