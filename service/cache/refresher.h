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

/// The maintenance thread. In rounds of a tenth of `max_staleness` it
/// - confirms warm articles ahead of time, many by one question;
/// - answers waiting reads whose caller has gone or whose deadline has passed;
/// - finds out that the database does not answer, and answers waiting reads with what is stale.
/// It sleeps while nothing is warm and no flight is under way.
class Refresher {
 public:
  /// All references must outlive this. `maintenance` must be the signal of `shards`.
  Refresher(ShardSet& shards, WorkSignal& maintenance, ArticleSource& source,
            const FreshnessPolicy& policy, Reachability& database, Flights& flights,
            SteadyClock& clock, absl::Duration max_staleness);

  Refresher(const Refresher&) = delete;
  Refresher& operator=(const Refresher&) = delete;

  /// Ends the thread. Questions that it has sent may still be under way.
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
  std::atomic<int> questions_ = 0;  // that confirm many articles and are under way
  std::jthread thread_;             // Last: it uses the other members.
};

}  // namespace content::cache
