#include "schema_wait.h"

#include <csignal>

#include "base/clock.h"
#include "store/schema.h"
#include "telemetry/log.h"

namespace content {
namespace {

constexpr absl::Duration kInterval = absl::Milliseconds(500);

// Sleeps for `duration`. Returns true, at once, if a stop signal arrives.
bool StopsWithin(absl::Duration duration) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  const timespec timeout = absl::ToTimespec(duration);
  return sigtimedwait(&signals, nullptr, &timeout) > 0;
}

}  // namespace

absl::Status AwaitSchema(const std::string& url, absl::Duration wait) {
  const SteadyTime deadline = SteadyNow() + wait;
  std::string cause;
  while (true) {
    absl::Status status = store::CheckSchema(url);
    if (!absl::IsUnavailable(status) || SteadyNow() >= deadline) return status;
    if (status.message() != cause) {
      cause = std::string(status.message());
      log::Warning("waiting for the database",
                   {{"message", cause}, {"at_most", absl::FormatDuration(wait)}});
    }
    if (StopsWithin(kInterval)) {
      return absl::CancelledError("stopped while waiting for the database");
    }
  }
}

}  // namespace content
