#include "cache/reachability.h"

namespace content::cache {
namespace {

constexpr absl::Duration kProbeInterval = absl::Milliseconds(100);

// After this long without a question, asking is better than trusting the last result.
constexpr absl::Duration kMemory = absl::Seconds(5);

}  // namespace

void Reachability::OnAnswer(SteadyTime now) {
  const std::lock_guard lock(mutex_);
  answered_at_ = now;
  away_ = false;
}

void Reachability::OnNoAnswer(SteadyTime sent_at, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  if (answered_at_ > sent_at) return;
  away_ = true;
  away_at_ = now;
}

bool Reachability::IsAway(SteadyTime now) const {
  const std::lock_guard lock(mutex_);
  return away_ && now - away_at_ <= kMemory;
}

bool Reachability::TryProbe(SteadyTime now) {
  const std::lock_guard lock(mutex_);
  if (now - probed_at_ < kProbeInterval) return false;
  probed_at_ = now;
  return true;
}

}  // namespace content::cache
