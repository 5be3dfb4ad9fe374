#include "server/janitor.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "base/await.h"
#include "telemetry/log.h"

namespace content::server {
namespace {

constexpr absl::Duration kLongestInterval = absl::Minutes(1);
constexpr absl::Duration kTimeout = absl::Seconds(10);

}  // namespace

Janitor::Janitor(Store& store, absl::Duration request_retention)
    : store_(store),
      request_retention_(request_retention),
      thread_([this](const std::stop_token& stop) { Work(stop); }) {}

void Janitor::Work(const std::stop_token& stop) {
  const auto interval = absl::ToChronoMilliseconds(std::min(request_retention_, kLongestInterval));
  while (!stop.stop_requested()) {
    ForgetRequests(stop);
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, interval, [] { return false; });
  }
}

void Janitor::ForgetRequests(const std::stop_token& stop) {
  const absl::Time before = absl::Now() - request_retention_;
  int64_t forgotten = 0;
  while (true) {
    const CallContext context{.deadline = SteadyNow() + kTimeout,
                              .cancelled = [stop] { return stop.stop_requested(); }};
    const absl::StatusOr<int64_t> count = Await<int64_t>(
        [&](Callback<int64_t> done) { store_.ForgetRequests(context, before, std::move(done)); },
        kTimeout, stop);
    // What failed is tried again next time.
    if (!count.ok() || *count == 0) break;
    forgotten += *count;
  }
  if (forgotten > 0) log::Info("requests forgotten", {{"count", forgotten}});
}

}  // namespace content::server
