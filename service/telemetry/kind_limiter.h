#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "telemetry/log.h"

namespace content::log {

/// Decides which events are written: of each kind (level, name and Event::kind) kBurst at once, and
/// one in kInterval after that. Counts the others. Not thread-safe.
class KindLimiter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr int kBurst = 10;
  static constexpr std::chrono::seconds kInterval{1};

  /// Returns nullopt if the event is not to be written; otherwise the number of events of its kind
  /// that were not written since the last one that was.
  std::optional<uint64_t> Admit(Level level, Event event, Time now);

  /// Whether events were suppressed whose number has not been told.
  bool HasSuppressed() const { return kinds_with_suppressed_ > 0; }

  struct Suppressed {
    Level level;
    std::string name;
    std::string kind;
    uint64_t count;
  };

  /// Returns the kinds of which one could have been written a kInterval ago, but none came that
  /// would have told the number of those that were suppressed. At Time::max(): all kinds.
  std::vector<Suppressed> TakeUntold(Time now);

 private:
  using Kind = std::tuple<Level, std::string, std::string>;

  struct Bucket {
    Time full_at;  // When there will be kBurst tokens again, if none is taken until then.
    uint64_t suppressed = 0;
  };

  std::map<Kind, Bucket, std::less<>> buckets_;
  size_t kinds_with_suppressed_ = 0;
};

}  // namespace content::log
