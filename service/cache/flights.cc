#include "cache/flights.h"

#include <algorithm>

#include "content/errors.h"
#include "telemetry/log.h"

namespace content::cache {
namespace {

constexpr absl::Duration kConfirmationTimeout = absl::Seconds(10);

// Maximum number of reads that wait for one flight. They cost the database nothing, but each keeps
// a call open. (The source limits the number of flights.)
constexpr size_t kMaxWaiters = 10'000;
constexpr absl::Duration kCrowdRetry = absl::Milliseconds(100);

}  // namespace

void PendingActions::Reply(Shard& shard, WaitingRead read, Answer answer) {
  if (!read.is_miss) shard.CountHit(read.lookup);
  if (answer.ok() && answer->stale_age) shard.CountStaleAnswer();
  replies.emplace_back(std::move(read), std::move(answer));
}

void PendingActions::Follow(WaitingRead read, const std::string& alias_of) {
  ++read.steps;
  read.name = alias_of;
  restarted.push_back(std::move(read));
}

Flights::Flights(ArticleSource& source, const FreshnessPolicy& policy, Reachability& database,
                 SteadyClock& clock, std::function<void(WaitingRead)> resolve)
    : source_(source),
      policy_(policy),
      database_(database),
      clock_(clock),
      resolve_(std::move(resolve)) {}

void Flights::Join(Shard& shard, Entry& entry, WaitingRead read, PendingActions& actions) {
  if (!std::exchange(read.is_miss, true)) shard.CountMiss(read.lookup);
  if (++read.steps > WaitingRead::kMaxSteps) {
    actions.restarted.push_back(std::move(read));  // where it is answered with an error
    return;
  }
  // Whichever thread lands the flight goes on with the read.
  const bool may_run_here = std::exchange(read.context.may_run_here, false);
  Question question = QuestionFor(entry, read.lookup);
  Flight* flight = entry.FindFlight(question);
  if (flight == nullptr) {
    actions.departures.push_back(Begin(shard, entry, std::move(question), read.load));
    flight = actions.departures.back().get();
    flight->may_run_here = may_run_here;
    flight->account = read.context.account();
  }
  if (flight->waiters.size() < kMaxWaiters) {
    flight->waiters.push_back(std::move(read));
    return;
  }
  std::optional<Answer> answer = policy_.FromMemoryIfStale(entry, read, clock_.Now());
  actions.Reply(shard, std::move(read), answer ? *std::move(answer) : Overloaded(kCrowdRetry));
}

FlightPtr Flights::Begin(Shard& shard, Entry& entry, Question question,
                         std::shared_ptr<const LoadPage> load) {
  auto flight = std::make_shared<Flight>(Flight{.shard = shard,
                                                .entry = entry,
                                                .question = std::move(question),
                                                .load = std::move(load),
                                                .begun_tick = shard.NextTick(),
                                                .begun_at = clock_.Now()});
  shard.AddFlight(flight);
  const std::lock_guard lock(mutex_);
  ++under_way_;
  return flight;
}

void Flights::Run(PendingActions actions) {
  for (const FlightPtr& flight : actions.departures) Send(flight);
  for (auto& [read, answer] : actions.replies) std::move(read.done)(std::move(answer));
  for (WaitingRead& read : actions.restarted) resolve_(std::move(read));
}

void Flights::Send(const FlightPtr& flight) {
  CallContext context = ContextOf(flight);
  auto land = [this, flight](auto answer) { Land(flight, ToSnapshot(std::move(answer))); };
  switch (flight->question.kind) {
    case Question::Kind::kState:
      return source_.ReadArticleState(std::move(context), flight->entry.name, std::move(land));
    case Question::Kind::kArticle:
      return source_.ReadArticle(std::move(context), flight->entry.name, *flight->question.view,
                                 std::move(land));
    case Question::Kind::kPage:
      return (*flight->load)(std::move(context), std::move(land));
  }
}

CallContext Flights::ContextOf(const FlightPtr& flight) const {
  CallContext context =
      flight->question.kind == Question::Kind::kState ? ConfirmationContext() : ReadContext(flight);
  context.may_run_here = flight->may_run_here;
  context.account_of = [account = flight->account] { return account; };
  return context;
}

// A read has the latest deadline of the callers that wait for it, and is cancelled once none does.
CallContext Flights::ReadContext(const FlightPtr& flight) const {
  CallContext context{.deadline = SteadyTime::InfinitePast(), .cancelled = [this, flight] {
                        const SteadyTime now = clock_.Now();
                        const std::lock_guard lock(flight->shard.mutex);
                        return std::all_of(flight->waiters.begin(), flight->waiters.end(),
                                           [now](const WaitingRead& read) {
                                             return !CheckCaller(read.context, now).ok();
                                           });
                      }};
  const std::lock_guard lock(flight->shard.mutex);
  for (const WaitingRead& read : flight->waiters) {
    context.deadline = std::max(context.deadline, read.context.deadline);
  }
  return context;
}

CallContext Flights::ConfirmationContext() const {
  return {.deadline = clock_.Now() + kConfirmationTimeout,
          .cancelled = [this] { return draining_.load(); },
          .confirms = true};
}

void Flights::Land(const FlightPtr& flight, const absl::StatusOr<Snapshot>& snapshot) {
  NoteReachability(*flight, snapshot.status());
  Shard& shard = flight->shard;
  bool rolled_back = false;
  PendingActions actions;
  {
    const std::lock_guard lock(shard.mutex);
    Entry& entry = flight->entry;
    shard.RemoveFlight(flight);
    if (snapshot.ok() && !flight->is_abandoned) {
      rolled_back = entry.Learn(*flight, *snapshot, shard.NextTick());
    }
    const SteadyTime now = clock_.Now();
    for (WaitingRead& read : std::exchange(flight->waiters, {})) {
      AnswerOrContinue(*flight, snapshot, std::move(read), now, actions);
    }
    shard.Reaccount(entry);
  }
  if (rolled_back && !rollback_logged_.exchange(true)) log::Warning("database set back");
  Run(std::move(actions));
  const std::lock_guard lock(mutex_);
  if (--under_way_ == 0) all_landed_.notify_all();
}

void Flights::NoteReachability(const Flight& flight, const absl::Status& status) {
  const SteadyTime now = clock_.Now();
  if (status.ok() || absl::IsNotFound(status)) {
    database_.OnAnswer(now);
  } else if (absl::IsUnavailable(status)) {
    database_.OnNoAnswer(flight.begun_at, now);
  }
}

// Returns whether `read`, whose flight the source has refused, should try another: the refusal may
// concern only the account that began the flight, and this read is of another. Once for each read,
// because its next flight may be a third account's.
bool Flights::TriesAfterRefusal(const Flight& flight, const absl::Status& status,
                                WaitingRead& read) {
  if (!absl::IsResourceExhausted(status) || read.context.account() == flight.account) return false;
  return !std::exchange(read.was_refused_with_another, true);
}

// Answers a read whose flight has landed, or makes it continue. Requires the shard's mutex.
void Flights::AnswerOrContinue(const Flight& flight, const absl::StatusOr<Snapshot>& snapshot,
                               WaitingRead read, SteadyTime now, PendingActions& actions) {
  Entry& entry = flight.entry;
  if (entry.kind == Entry::Kind::kAlias) {
    return actions.Follow(std::move(read), entry.extra->alias_of);
  }
  if (!TriesAfterRefusal(flight, snapshot.status(), read)) {
    if (std::optional<Answer> answer = policy_.FromFlight(flight, snapshot, read, now)) {
      return actions.Reply(flight.shard, std::move(read), *std::move(answer));
    }
  }
  if (absl::Status status = CheckCaller(read.context, now); !status.ok()) {
    return actions.Reply(flight.shard, std::move(read), std::move(status));
  }
  Join(flight.shard, entry, std::move(read), actions);
}

void Flights::Drain() {
  draining_ = true;
  std::unique_lock lock(mutex_);
  all_landed_.wait(lock, [this] { return under_way_ == 0; });
}

}  // namespace content::cache
