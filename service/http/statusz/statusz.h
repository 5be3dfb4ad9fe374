#pragma once

#include <prometheus/metric_family.h>

#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "http/statusz/history.h"
#include "http/statusz/problems.h"
#include "http/statusz/status.h"
#include "telemetry/log.h"

namespace content::statusz {

/// Returns the page of a process that does not serve because it is in `phase`, kStarting or
/// kStopping.
std::string PageOutOfService(std::vector<prometheus::MetricFamily> numbers, Phase phase);

/// The status page, for people: whether the server is well, why not, and what it is doing. Looks at
/// the numbers of /metrics every History::kInterval, and whenever somebody reads the page.
///
/// Thread-safe.
class Statusz {
 public:
  struct Sources {
    std::function<std::vector<prometheus::MetricFamily>()> numbers;  ///< as on /metrics
    std::function<Phase()> phase;
    std::function<std::vector<log::RecentEvent>()> events = log::RecentWarningsAndErrors;
    std::function<absl::Time()> now = absl::Now;
    SteadyClock* clock = &SteadyClock::System();
  };

  explicit Statusz(Sources sources);
  ~Statusz() = default;

  Statusz(const Statusz&) = delete;
  Statusz& operator=(const Statusz&) = delete;

  /// Returns the page as it is now.
  std::string Page();

 private:
  void Run(const std::stop_token& stop);
  Status Look(const Numbers& numbers);

  const Sources sources_;
  History history_;
  std::mutex mutex_;
  Onsets onsets_;        // Guarded by mutex_.
  std::jthread thread_;  // Last: it uses the other members.
};

}  // namespace content::statusz
