#include "access/rate_limits.h"

#include <algorithm>

namespace content::access {

absl::Duration RateLimits::Admit(uint64_t key, int limit, SteadyTime now) {
  const absl::Duration pace = window_ / limit;
  const std::lock_guard lock(mutex_);
  SteadyTime* const remembered = free_at_.Find(key);
  SteadyTime& free_at = remembered != nullptr ? *remembered : free_at_.Insert(key, now);
  free_at = std::max(free_at, now);
  const absl::Duration early = (free_at - now) + pace - window_;
  if (early > absl::ZeroDuration()) return early;
  free_at += pace;
  return absl::ZeroDuration();
}

}  // namespace content::access
