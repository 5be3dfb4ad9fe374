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

/// Actions that must wait until a shard's mutex has been released. They are collected while it is
/// held; Flights::Run executes them.
struct PendingActions {
  /// Answers `read`.
  void Reply(Shard& shard, WaitingRead read, Answer answer);

  /// Looks `read` up again, under the key `alias_of`.
  void Follow(WaitingRead read, const std::string& alias_of);

  std::vector<FlightPtr> departures;
  std::vector<std::pair<WaitingRead, Answer>> replies;
  std::vector<WaitingRead> restarted;
};

/// All flights, from the first read that needs an answer to the last read that gets it:
///
///   Join   makes a read wait for a flight under way, or for a new one
///   Run    sends new flights to the source
///   Land   stores the answer; each waiting read is answered, joins another flight or starts over
///
/// Thread-safe. Join and Begin must be called with the shard's mutex held, all other methods
/// without it.
class Flights {
 public:
  /// `resolve` looks up a read like a new one, under WaitingRead::name. All references must outlive
  /// this object.
  Flights(ArticleSource& source, const FreshnessPolicy& policy, Reachability& database,
          SteadyClock& clock, std::function<void(WaitingRead)> resolve);

  Flights(const Flights&) = delete;
  Flights& operator=(const Flights&) = delete;

  /// Makes `read` wait for a flight that answers it. If too many reads wait for that flight
  /// already, answers `read` with stale data or else with RESOURCE_EXHAUSTED.
  void Join(Shard& shard, Entry& entry, WaitingRead read, PendingActions& actions);

  /// Begins a flight. The caller must have it sent, through PendingActions::departures or by other
  /// means.
  FlightPtr Begin(Shard& shard, Entry& entry, Question question,
                  std::shared_ptr<const LoadPage> load = nullptr);

  void Run(PendingActions actions);

  /// Ends a flight with the source's answer.
  void Land(const FlightPtr& flight, const absl::StatusOr<Snapshot>& snapshot);

  /// Returns the context of a question that confirms. It is not cancelled when nobody waits any
  /// more, because the answer is useful anyway.
  CallContext ConfirmationContext() const;

  /// Cancels the questions that only confirm, and waits until all flights have landed.
  void Drain();

 private:
  void Send(const FlightPtr& flight);
  CallContext ContextOf(const FlightPtr& flight) const;
  CallContext ReadContext(const FlightPtr& flight) const;
  static bool TriesAfterRefusal(const Flight& flight, const absl::Status& status,
                                WaitingRead& read);
  void NoteReachability(const Flight& flight, const absl::Status& status);
  void AnswerOrContinue(const Flight& flight, const absl::StatusOr<Snapshot>& snapshot,
                        WaitingRead read, SteadyTime now, PendingActions& actions);

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
