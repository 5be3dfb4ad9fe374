#pragma once

#include <atomic>
#include <cstddef>
#include <stop_token>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "base/clock.h"
#include "cache/flights.h"
#include "cache/reachability.h"
#include "cache/shard.h"
#include "cache/work_signal.h"
#include "content/article_source.h"

namespace content::cache {

/// The maintenance thread. Every round takes a tenth of `max_staleness`, in which the thread
/// - confirms warm articles ahead of time, many with one question;
/// - answers waiting reads that were cancelled or whose deadline has passed;
/// - detects that the database does not respond, and answers waiting reads with stale data.
/// It sleeps while nothing is warm and no flight is under way.
class Refresher {
 public:
  /// All references must outlive this object. `maintenance` must be the signal of `shards`.
  Refresher(ShardSet& shards, WorkSignal& maintenance, ArticleSource& source,
            const FreshnessPolicy& policy, Reachability& database, Flights& flights,
            SteadyClock& clock, absl::Duration max_staleness);

  Refresher(const Refresher&) = delete;
  Refresher& operator=(const Refresher&) = delete;

  /// Ends the thread. Questions that it sent may still be under way.
  void Stop();

 private:
  void RunMaintenance(const std::stop_token& stop);
  bool HasWork() const;
  void Maintain(Shard& shard);
  bool IsUnanswered(const Flight& flight, SteadyTime oldest_read_start, SteadyTime now) const;
  void AnswerOverdue(Flight& flight, SteadyTime now, PendingActions& actions);
  std::vector<FlightPtr> BeginConfirmations(Shard& shard, SteadyTime now);
  void SendTogether(std::vector<FlightPtr> flights);

  ShardSet& shards_;
  WorkSignal& maintenance_;
  ArticleSource& source_;
  const FreshnessPolicy& policy_;
  Reachability& database_;
  Flights& flights_;
  SteadyClock& clock_;
  const absl::Duration max_staleness_;
  std::atomic<int> questions_ = 0;  // under way, each for the states of many articles
  std::jthread thread_;             // Last: it uses the other members.
};

}  // namespace content::cache
