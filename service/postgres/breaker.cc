#include "postgres/breaker.h"

#include <algorithm>

#include "base/errors.h"
#include "telemetry/log.h"

namespace content::postgres {

bool Breaker::Look(SteadyTime now) {
  const std::lock_guard lock(mutex_);
  const uint64_t answers = answers_.load(std::memory_order_relaxed);
  const bool has_answered = answers != seen_answers_;
  seen_answers_ = answers;
  if (has_answered && is_open_.exchange(false)) {
    log::Info("database answers again", {{"after", absl::FormatDuration(now - silent_since_)}});
  }
  if (is_open_) return true;
  Measure(!has_answered && waiting_.load(std::memory_order_relaxed) > 0, now);
  if (!silence_ || *silence_ < kSuspicion) return false;
  if (*silence_ >= kSuspicion + kPatience) {
    is_open_ = true;
    log::Error("database does not answer", {});
  }
  return true;
}

void Breaker::Measure(bool silent, SteadyTime now) {
  const absl::Duration step = std::min(now - last_look_, 2 * kLookInterval);
  last_look_ = now;
  if (!silent) {
    silence_.reset();
  } else if (!silence_) {
    silence_ = absl::ZeroDuration();
    silent_since_ = now;
  } else {
    *silence_ += step;
  }
}

absl::Status DoesNotAnswer() { return StoreUnavailable("the database does not answer"); }

}  // namespace content::postgres
