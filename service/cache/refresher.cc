#include "cache/refresher.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace content::cache {
namespace {

// A round visits all shards. It is split into steps, so that not all articles are queried at once,
// but not into many, because every wake-up has a cost.
constexpr absl::Duration kMinRound = absl::Milliseconds(10);
constexpr absl::Duration kMaxRound = absl::Milliseconds(100);
constexpr int kRoundsPerStaleness = 10;
constexpr absl::Duration kMinStep = absl::Milliseconds(5);

// The age at which a warm article is confirmed, as a fraction of `max_staleness`. The rest is the
// time until its shard is visited and the answer arrives.
constexpr double kDueAge = 0.7;

// Maximum number of articles in one question, and of such questions under way, so that the database
// is not overloaded. A warm article that is not confirmed in time is confirmed when it is read.
constexpr size_t kMaxArticlesPerQuestion = 500;
constexpr int kMaxQuestions = 4;

// How long the database may work on the cheapest question, without answering any other, before it
// counts as away.
constexpr absl::Duration kPatience = absl::Milliseconds(500);

}  // namespace

Refresher::Refresher(ShardSet& shards, WorkSignal& maintenance, ArticleSource& source,
                     const FreshnessPolicy& policy, Reachability& database, Flights& flights,
                     SteadyClock& clock, absl::Duration max_staleness)
    : shards_(shards),
      maintenance_(maintenance),
      source_(source),
      policy_(policy),
      database_(database),
      flights_(flights),
      clock_(clock),
      max_staleness_(max_staleness),
      thread_([this](const std::stop_token& stop) { RunMaintenance(stop); }) {}

void Refresher::Stop() { thread_ = {}; }

void Refresher::RunMaintenance(const std::stop_token& stop) {
  const absl::Duration round =
      std::clamp(max_staleness_ / kRoundsPerStaleness, kMinRound, kMaxRound);
  const size_t steps = std::min(shards_.size(), static_cast<size_t>(round / kMinStep));
  const size_t shards_per_step = (shards_.size() + steps - 1) / steps;
  while (!stop.stop_requested()) {
    maintenance_.AwaitWork(clock_, stop, [this] { return HasWork(); });
    for (size_t i = 0; i < shards_.size() && !stop.stop_requested();) {
      const SteadyTime next_step = clock_.Now() + round / steps;
      const size_t end = std::min(i + shards_per_step, shards_.size());
      while (i < end) Maintain(shards_[i++]);
      clock_.SleepUntil(next_step, stop);
    }
  }
}

bool Refresher::HasWork() const {
  for (size_t i = 0; i < shards_.size(); ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    if (shards_[i].NeedsMaintenance()) return true;
  }
  return false;
}

void Refresher::Maintain(Shard& shard) {
  const SteadyTime oldest_read_start = source_.OldestReadStart();
  const SteadyTime now = clock_.Now();
  PendingActions actions;
  std::vector<FlightPtr> confirmations;
  {
    const std::lock_guard lock(shard.mutex);
    for (const FlightPtr& flight : shard.flights()) {
      if (IsUnanswered(*flight, oldest_read_start, now)) {
        database_.OnNoAnswer(flight->begun_at, now);
      }
      AnswerOverdue(*flight, now, actions);
    }
    confirmations = BeginConfirmations(shard, now);
  }
  flights_.Run(std::move(actions));
  SendTogether(std::move(confirmations));
}

// Returns whether a question that is cheap for the database has been unanswered for too long,
// although the database has been busy for as long with this question or an earlier one. A question
// that waits for a connection says nothing about the database; neither does a slow page.
bool Refresher::IsUnanswered(const Flight& flight, SteadyTime oldest_read_start,
                             SteadyTime now) const {
  return flight.question.kind == Question::Kind::kState && now - flight.begun_at > kPatience &&
         now - oldest_read_start > kPatience;
}

// Answers the reads whose callers no longer wait and, while the database is away, those that have
// waited long enough. Requires the shard's mutex.
void Refresher::AnswerOverdue(Flight& flight, SteadyTime now, PendingActions& actions) {
  const bool waits_in_vain = now - flight.begun_at > kPatience && database_.IsAway(now);
  for (WaitingRead& read : std::exchange(flight.waiters, {})) {
    std::optional<Answer> answer;
    if (absl::Status status = CheckCaller(read.context, now); !status.ok()) {
      answer = std::move(status);
    } else if (waits_in_vain) {
      answer = policy_.FromMemoryIfStale(flight.entry, read, now);
    }
    if (answer) {
      actions.Reply(flight.shard, std::move(read), *std::move(answer));
    } else {
      flight.waiters.push_back(std::move(read));
    }
  }
}

// Begins flights for the warm articles that are due. Requires the shard's mutex.
std::vector<FlightPtr> Refresher::BeginConfirmations(Shard& shard, SteadyTime now) {
  std::vector<FlightPtr> flights;
  if (database_.IsAway(now) || questions_ >= kMaxQuestions) return flights;
  const SteadyTime due = now - kDueAge * max_staleness_;
  for (Entry* const entry : shard.TakeDue(due, kMaxArticlesPerQuestion)) {
    flights.push_back(flights_.Begin(shard, *entry, StateQuestion()));
  }
  return flights;
}

// Sends one question for the states of all these articles.
void Refresher::SendTogether(std::vector<FlightPtr> flights) {
  if (flights.empty()) return;
  std::vector<std::string> ids;
  for (const FlightPtr& flight : flights) ids.push_back(flight->entry.name);
  ++questions_;
  auto land = [this, flights = std::move(flights)](
                  absl::StatusOr<std::vector<std::optional<ArticleState>>> answer) {
    --questions_;
    for (size_t i = 0; i < flights.size(); ++i) {
      using State = absl::StatusOr<std::optional<ArticleState>>;
      flights_.Land(flights[i],
                    ToSnapshot(answer.ok() ? State(std::move((*answer)[i])) : answer.status()));
    }
  };
  source_.ReadArticleStates(flights_.ConfirmationContext(), std::move(ids), std::move(land));
}

}  // namespace content::cache
