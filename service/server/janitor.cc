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

Janitor::Janitor(Upkeep& upkeep, Retentions retentions, SteadyClock& clock)
    : upkeep_(upkeep),
      retentions_(retentions),
      clock_(clock),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

void Janitor::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    ForgetAuditEvents(stop);  // First: it renews the retention, and requests may take long.
    ForgetRequests(stop);
    clock_.SleepFor(std::min(retentions_.requests, kMaxInterval), stop);
  }
}

CallContext Janitor::Context(const std::stop_token& stop) const {
  return {.deadline = clock_.Now() + kForgetTimeout,
          .cancelled = [stop] { return stop.stop_requested(); }};
}

void Janitor::ForgetAuditEvents(const std::stop_token& stop) {
  int64_t total = 0;
  while (true) {
    const auto forget = [&](Callback<int64_t> done) {
      upkeep_.ForgetAuditEvents(Context(stop), retentions_.audit_events, std::move(done));
    };
    const auto forgotten = Await<int64_t>(forget, kForgetTimeout, stop, clock_);
    if (!forgotten.ok() || *forgotten == 0) break;  // the next round tries again
    total += *forgotten;
  }
  if (total > 0) log::Info("audit events forgotten", {{"events", total}});
}

void Janitor::ForgetRequests(const std::stop_token& stop) {
  int64_t total = 0;
  while (true) {
    const auto forget = [&](Callback<ForgottenRequests> done) {
      upkeep_.ForgetRequests(Context(stop), retentions_.requests, std::move(done));
    };
    const auto forgotten = Await<ForgottenRequests>(forget, kForgetTimeout, stop, clock_);
    if (!forgotten.ok()) break;  // the next round tries again
    if (forgotten->count == 0) break;
    total += forgotten->count;
  }
  if (total > 0) log::Info("requests forgotten", {{"days", total}});
}

}  // namespace content::server
