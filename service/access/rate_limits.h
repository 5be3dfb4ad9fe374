#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>

#include "absl/time/time.h"
#include "access/recent.h"
#include "base/clock.h"

namespace content::access {

/// Limits how often something may happen for each of many keys. After a pause, `limit` events may
/// come at once; further ones are due evenly, `limit` in each window. Keeps only a point in time
/// for each key, and only the keys used last: at most 2 * 65,536. Thread-safe.
class RateLimits {
 public:
  explicit RateLimits(absl::Duration window) : window_(window) {}

  /// Counts an event, and returns zero. If it comes too early, it is not counted, and the result is
  /// how long to wait.
  absl::Duration Admit(uint64_t key, int limit, SteadyTime now);

 private:
  static constexpr size_t kCapacity = 65'536;

  const absl::Duration window_;
  std::mutex mutex_;
  // When each key's past events will have been worked off, at the pace of the limit.
  Recent<uint64_t, SteadyTime> free_at_{kCapacity};  // Guarded by mutex_.
};

}  // namespace content::access
