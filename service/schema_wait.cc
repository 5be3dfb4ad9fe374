#include "schema_wait.h"

#include "base/clock.h"
#include "store/schema.h"
#include "telemetry/log.h"

namespace content {
namespace {

constexpr absl::Duration kInterval = absl::Milliseconds(500);
// Of durations that are logged.
constexpr absl::Duration kPrecision = absl::Milliseconds(100);

}  // namespace

absl::Status AwaitSchema(const std::string& url, absl::Duration wait) {
  const SteadyTime deadline = SteadyNow() + wait;
  std::string cause;
  while (true) {
    absl::Status status = store::CheckSchema(url);
    const absl::Duration left = deadline - SteadyNow();
    if (!absl::IsUnavailable(status) || left <= absl::ZeroDuration()) return status;
    if (status.message() != cause) {
      cause = std::string(status.message());
      log::Warning(
          "waiting for the database",
          {{"message", cause}, {"at_most", absl::FormatDuration(absl::Ceil(left, kPrecision))}});
    }
    SteadyClock::System().SleepFor(kInterval, {});
  }
}

}  // namespace content
