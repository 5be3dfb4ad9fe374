#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "absl/time/time.h"
#include "telemetry/log.h"

namespace content::log {

/// Counts the warnings and errors of each kind, and remembers when the last one was; not their
/// fields. Forgets the kind that was seen longest ago if there are more than kMaxKinds.
/// Thread-safe.
class RecentEvents {
 public:
  static constexpr size_t kMaxKinds = 64;

  void Add(Level level, Event event, absl::Time now);

  /// Returns the last one first.
  std::vector<RecentEvent> List() const;

 private:
  using Kind = std::tuple<Level, std::string, std::string>;

  struct Seen {
    uint64_t count = 0;
    absl::Time last;
  };

  void ForgetOldest();

  mutable std::mutex mutex_;
  std::map<Kind, Seen, std::less<>> kinds_;  // Guarded by mutex_.
};

}  // namespace content::log
