#include "telemetry/kind_limiter.h"

#include <algorithm>
#include <utility>

namespace content::log {
namespace {

using Time = KindLimiter::Time;

// When a bucket that is full at `full_at` has one token again, at the latest.
Time NextTokenAt(Time full_at) {
  return full_at - (KindLimiter::kBurst - 1) * KindLimiter::kInterval;
}

}  // namespace

std::optional<uint64_t> KindLimiter::Admit(Level level, Event event, Time now) {
  auto bucket = buckets_.find(std::tuple(level, event.name, event.kind));
  if (bucket == buckets_.end()) {
    Kind kind(level, event.name, event.kind);
    bucket = buckets_.emplace(std::move(kind), Bucket{.full_at = now}).first;
  }
  auto& [full_at, suppressed] = bucket->second;
  if (now < NextTokenAt(full_at)) {
    if (suppressed++ == 0) ++kinds_with_suppressed_;
    return std::nullopt;
  }
  full_at = std::max(full_at, now) + kInterval;
  if (suppressed > 0) --kinds_with_suppressed_;
  return std::exchange(suppressed, 0);
}

std::vector<KindLimiter::Suppressed> KindLimiter::TakeUntold(Time now) {
  std::vector<Suppressed> untold;
  for (auto& [kind, bucket] : buckets_) {
    if (bucket.suppressed == 0 || now < NextTokenAt(bucket.full_at) + kInterval) continue;
    const auto& [level, name, part] = kind;
    untold.push_back({level, name, part, std::exchange(bucket.suppressed, 0)});
    --kinds_with_suppressed_;
  }
  return untold;
}

}  // namespace content::log
