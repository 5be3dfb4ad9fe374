#include "server/releaser.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "base/await.h"

namespace content::server {
namespace {

constexpr absl::Duration kReleaseTimeout = absl::Seconds(10);
constexpr absl::Duration kPauseAfterFailure = absl::Seconds(1);
// An error that is logged each time, and that time does not mend.
constexpr absl::Duration kPauseAfterInternalError = absl::Seconds(10);

}  // namespace

Releaser::Releaser(Upkeep& upkeep, SteadyClock& clock)
    : upkeep_(upkeep), clock_(clock), thread_([this](const std::stop_token& stop) { Run(stop); }) {}

void Releaser::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) clock_.SleepFor(ReleaseArticles(stop), stop);
}

// Releases the articles that are due. Returns when to look again.
absl::Duration Releaser::ReleaseArticles(const std::stop_token& stop) {
  while (true) {
    const auto release = [&](Callback<absl::Duration> done) {
      upkeep_.ReleaseNextArticle({.deadline = clock_.Now() + kReleaseTimeout,
                                  .cancelled = [stop] { return stop.stop_requested(); }},
                                 std::move(done));
    };
    const auto due_in = Await<absl::Duration>(release, kReleaseTimeout, stop, clock_);
    if (absl::IsInternal(due_in.status())) return kPauseAfterInternalError;
    if (!due_in.ok()) return kPauseAfterFailure;
    if (*due_in > absl::ZeroDuration()) return std::min(*due_in, kMaxInterval);
  }
}

}  // namespace content::server
