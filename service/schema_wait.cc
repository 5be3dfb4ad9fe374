#include "schema_wait.h"

#include "base/clock.h"
#include "store/schema.h"
#include "telemetry/log.h"

namespace content {
namespace {

constexpr absl::Duration kInterval = absl::Milliseconds(500);

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
    SteadyClock::System().SleepFor(kInterval, {});
  }
}

}  // namespace content
