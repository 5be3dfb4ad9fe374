#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/call.h"
#include "base/clock.h"
#include "cache/entry.h"
#include "cache/flight.h"
#include "cache/freshness_policy.h"
#include "cache/lookup.h"
#include "cache/reachability.h"
#include "cache/shard.h"
#include "content/article_source.h"

namespace content::cache {

/// What must wait until the mutex of a shard has been released. It is collected while the mutex is
/// held, and Flights::Run does it.
struct PendingActions {
  /// Answers `read`.
  void Reply(Shard& shard, WaitingRead read, Answer answer);

  /// Looks `read` up again, under the name of which its own is an alias.
  void Follow(WaitingRead read, const std::string& alias_of);

  std::vector<FlightPtr> departures;
  std::vector<std::pair<WaitingRead, Answer>> replies;
  std::vector<WaitingRead> restarted;
};

/// The questions under way, from the first read that needs the answer to the last one that gets it:
///
///   Join   a read needs something: it waits for the flight that brings it, or begins one
///   Run    the flight is sent to the source
///   Land   the answer is learned, and the reads are answered, join another flight or start over
///
/// Thread-safe. Join and Begin need the mutex of the shard; the others must not be called with it.
class Flights {
 public:
  /// `resolve` looks a read up as if it had just come, under WaitingRead::name. All references must
  /// outlive this.
  Flights(ArticleSource& source, const FreshnessPolicy& policy, Reachability& database,
          SteadyClock& clock, std::function<void(WaitingRead)> resolve);

  Flights(const Flights&) = delete;
  Flights& operator=(const Flights&) = delete;

  /// Has `read` wait for a flight that brings what it needs. RESOURCE_EXHAUSTED if too many reads
  /// wait for that already and nothing stale can be answered.
  void Join(Shard& shard, Entry& entry, WaitingRead read, PendingActions& actions);

  /// Begins a flight. The caller has it sent: as a departure, or by itself.
  FlightPtr Begin(Shard& shard, Entry& entry, Question question,
                  std::shared_ptr<const LoadPage> load = nullptr);

  void Run(PendingActions actions);

  /// Ends a flight with what the source has answered.
  void Land(const FlightPtr& flight, const absl::StatusOr<Snapshot>& snapshot);

  /// How long a question that confirms may take. Its answer is worth having even if nobody waits
  /// for it any more.
  CallContext ConfirmationContext() const;

  /// Cancels what only confirms, and waits until all flights have landed.
  void Drain();

 private:
  void Send(const FlightPtr& flight);
  CallContext ContextOf(const FlightPtr& flight) const;
  void NoteReachability(const Flight& flight, const absl::Status& status);
  void Settle(const Flight& flight, const absl::StatusOr<Snapshot>& snapshot, WaitingRead read,
              SteadyTime now, PendingActions& actions);

  ArticleSource& source_;
  const FreshnessPolicy& policy_;
  Reachability& database_;
  SteadyClock& clock_;
  const std::function<void(WaitingRead)> resolve_;
  std::atomic<bool> draining_ = false;
  std::atomic<bool> rollback_logged_ = false;

  std::mutex mutex_;  // May be locked while the mutex of a shard is held, not the other way round.
  std::condition_variable all_landed_;
  int under_way_ = 0;  // Guarded by mutex_.
};

}  // namespace content::cache
