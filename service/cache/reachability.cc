#include "cache/reachability.h"

namespace content::cache {
namespace {

constexpr absl::Duration kTryInterval = absl::Milliseconds(100);

// Later, when nobody has tried for a while, it is better to try than to believe it.
constexpr absl::Duration kMemory = absl::Seconds(5);

}  // namespace

void Reachability::Answered(SteadyTime now) {
  const std::lock_guard lock(mutex_);
  answered_at_ = now;
  away_ = false;
}

void Reachability::NotAnswered(SteadyTime since, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  if (answered_at_ > since) return;
  away_ = true;
  away_at_ = now;
}

bool Reachability::IsAway(SteadyTime now) const {
  const std::lock_guard lock(mutex_);
  return away_ && now - away_at_ <= kMemory;
}

bool Reachability::MayTry(SteadyTime now) {
  const std::lock_guard lock(mutex_);
  if (now - tried_at_ < kTryInterval) return false;
  tried_at_ = now;
  return true;
}

}  // namespace content::cache
