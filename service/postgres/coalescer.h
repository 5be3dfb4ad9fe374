#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/call.h"
#include "base/clock.h"
#include "base/errors.h"
#include "postgres/admission.h"
#include "postgres/job.h"
#include "telemetry/metrics.h"

namespace content::postgres {

class Pool;

/// A request that was added to a Coalescer and has not been answered.
template <class Item, class Answer>
struct PendingRequest {
  Item item;
  CallContext context;
  Callback<Answer> done;
  Account account = kOwnWork;     // of the caller
  Admission::Ticket ticket = {};  // while it waits for a connection
  bool alone = false;             // must run alone: it may have made a batch fail
};

/// The answers of a batch, one per request. nullopt means that the request must run again.
template <class Answer>
using BatchAnswers = std::vector<std::optional<absl::StatusOr<Answer>>>;

/// Returns whether `next` may join a batch, which has at most `max_size` requests.
template <class Request>
bool MayJoin(const Request& next, const std::vector<Request>& batch, size_t max_size) {
  if (batch.empty()) return true;
  return batch.size() < max_size && !batch.back().alone && !next.alone;
}

/// Runs requests in batches. When a connection becomes free, it takes the waiting requests that may
/// share statements, and each request gets its own answer. A single request starts at once. The
/// busier the executor is, the larger the batches and the cheaper each request.
///
///   // Declared before the pool, because the pool's jobs use it.
///   Coalescer<ReadPolicy<std::string, Article>> articles_{
///       pool_, {[](Connection& connection, const std::vector<std::string>& names) {
///         return ReadArticles(connection, names);
///       }}};
///   Pool pool_;
///
///   articles_.Add(context, "name", [](absl::StatusOr<Article> article) { ... });
///
/// The policy, ReadPolicy or WritePolicy, decides which requests may share a batch and in which
/// order they run. The Coalescer does everything else:
/// - It takes a place in the executor's Admission for each waiting request.
/// - It chooses the requests of a batch late, when the connection is available.
/// - It drops requests whose caller has given up.
/// - If a batch fails, perhaps because of one request, it runs its requests one by one.
/// - Requests that run again go before those that came later.
/// - It answers all waiting requests when the executor ends.
///
/// `Policy` has the types Item, Answer, Request (a PendingRequest) and Batch (with a member
/// `requests`), and these methods. All but the const Run and MayBeCausedByOne are called with the
/// Coalescer's mutex held:
///   absl::Status CheckKey(const Item&, Account)
///                                           RESOURCE_EXHAUSTED if too many requests with the same
///                                           key wait already, in all or of the account
///   void Add(Request, size_t limit_per_key) puts a request into the queue, in which accounts
///                                           take turns. At most `limit_per_key` with one key
///                                           should wait
///   int WantedJobs(Pace) const              number of jobs that should wait for a connection
///   Batch Take(Pace)                        removes the requests of one job; may be empty
///   void Release(const Batch&, std::vector<Request> again, bool one_by_one)
///                                           ends the job of a batch. `again` goes to the front;
///                                           it runs one by one if `one_by_one`, otherwise it had
///                                           no answer
///   bool MayBeCausedByOne(const absl::Status&) const
///                                           whether a batch may have failed because of a single
///                                           request; thread-safe
///   std::vector<Request> TakeAll()          removes all waiting requests
///   BatchAnswers<Answer> Run(Connection&, std::vector<Request>&, Pace, bool in_doubt) const
///                                           runs the requests; may be called by several threads;
///                                           may throw the exceptions of Connection
///
/// `Executor` has the types Connection and Job (a BasicJob), and the methods
/// Schedule(job, account, pace, may_run_here), admission() and clock(). Pool is one.
///
/// Thread-safe. Must outlive the executor, which need not exist yet.
template <class PolicyType, class Executor = Pool>
class Coalescer {
 public:
  using Policy = PolicyType;
  using Item = typename Policy::Item;
  using Answer = typename Policy::Answer;

  /// `batch_sizes` gets the number of requests of each batch, and outlives the coalescer. nullptr:
  /// nobody wants to know.
  Coalescer(Executor& executor, Policy policy, metrics::Histogram* batch_sizes = nullptr)
      : executor_(executor), batch_sizes_(batch_sizes), policy_(std::move(policy)) {}

  Coalescer(const Coalescer&) = delete;
  Coalescer& operator=(const Coalescer&) = delete;

  /// Adds a request. Calls `done` on a thread of the executor, or on one that may run jobs
  /// (CallContext::may_run_here), or, if too many requests wait, at once on the calling thread with
  /// RESOURCE_EXHAUSTED. Blocks only if `context.may_run_here`.
  void Add(CallContext context, Item item, Callback<Answer> done) {
    const bool may_run_here = context.may_run_here;
    const Account account = context.account();
    std::unique_lock lock(mutex_);
    absl::StatusOr<Admission::Ticket> ticket = Admit(item, account, context.confirms);
    if (!ticket.ok()) {
      lock.unlock();
      return std::move(done)(ticket.status());
    }
    policy_.Add({std::move(item), std::move(context), std::move(done), account, *std::move(ticket)},
                executor_.admission().limit_per_key());
    ScheduleWanted(std::move(lock), may_run_here);
  }

  /// Answers the requests that wait. Batches that are being done go on.
  void RefuseWaiting(const absl::Status& status) {
    std::vector<Request> requests;
    {
      const std::lock_guard lock(mutex_);
      requests = policy_.TakeAll();
    }
    for (Request& request : requests) std::move(request.done)(status);
  }

  /// When the oldest of the batches that are being done was given to a connection; InfiniteFuture
  /// if there is none. Connecting counts, waiting for a connection does not. Does not block.
  SteadyTime OldestBatchStart() {
    const std::lock_guard lock(mutex_);
    return batch_starts_.empty() ? SteadyTime::InfiniteFuture() : *batch_starts_.begin();
  }

 private:
  using Request = typename Policy::Request;
  using Batch = typename Policy::Batch;

  // Takes a place for a request. mutex_ must be held.
  absl::StatusOr<Admission::Ticket> Admit(const Item& item, Account account, bool confirms) {
    if (absl::Status status = policy_.CheckKey(item, account); !status.ok()) {
      executor_.admission().CountRefusal(Refusal::kKey);
      return status;
    }
    return executor_.admission().Admit(account, confirms);
  }

  // The work for one batch.
  class BatchJob final : public Executor::Job {
   public:
    BatchJob(Coalescer& coalescer, Pace pace) : coalescer_(coalescer), pace_(pace) {}

    CallContext Begin() override {
      start_ = coalescer_.executor_.clock().Now();
      batch_ = coalescer_.TakeBatch(pace_, start_);
      CallContext context{.deadline = SteadyTime::InfinitePast(),
                          .cancelled = [this] { return AreAllCancelled(); }};
      for (const Request& request : batch_->requests) {
        context.deadline = std::max(context.deadline, request.context.deadline);
      }
      return context;
    }

    absl::Status Run(typename Executor::Connection& connection, bool in_doubt) override {
      answers_ =
          std::as_const(coalescer_.policy_).Run(connection, batch_->requests, pace_, in_doubt);
      // The work may be committed, so it must not be done again.
      if (answers_.size() != batch_->requests.size()) {
        FailInvariant("a batch has more or fewer answers than requests");
      }
      return absl::OkStatus();
    }

    void Finish(absl::Status status) override {
      if (!batch_) return coalescer_.AnswerAll(pace_, status);
      if (!status.ok()) answers_.assign(batch_->requests.size(), status);
      coalescer_.FinishBatch(*std::move(batch_), start_, std::move(answers_), status);
    }

   private:
    bool AreAllCancelled() const {
      return std::all_of(batch_->requests.begin(), batch_->requests.end(),
                         [](const Request& request) { return request.context.is_cancelled(); });
    }

    Coalescer& coalescer_;
    const Pace pace_;
    SteadyTime start_;
    std::optional<Batch> batch_;  // nullopt until the job has begun
    BatchAnswers<Answer> answers_;
  };

  // Schedules the jobs that the policy wants and that are not scheduled yet. Releases the mutex
  // first, so that a thread that is woken does not wait for it.
  void ScheduleWanted(std::unique_lock<std::mutex> lock, bool may_run_here = false) {
    const int prompt = ClaimUnscheduled(Pace::kPrompt);
    const int any = ClaimUnscheduled(Pace::kAny);
    lock.unlock();
    for (int i = 0; i < prompt; ++i) Schedule(Pace::kPrompt, may_run_here);
    for (int i = 0; i < any; ++i) Schedule(Pace::kAny, may_run_here);
  }

  // Requires mutex_.
  int ClaimUnscheduled(Pace pace) {
    int& scheduled = Scheduled(pace);
    const int unscheduled = std::max(policy_.WantedJobs(pace) - scheduled, 0);
    scheduled += unscheduled;
    return unscheduled;
  }

  // A batch is of several accounts, which have taken turns for it, so the job is nobody's.
  void Schedule(Pace pace, bool may_run_here) {
    executor_.Schedule(std::make_unique<BatchJob>(*this, pace), kOwnWork, pace, may_run_here);
  }

  // Requires mutex_.
  int& Scheduled(Pace pace) { return pace == Pace::kPrompt ? scheduled_prompt_ : scheduled_any_; }

  Batch TakeBatch(Pace pace, SteadyTime now) {
    std::unique_lock lock(mutex_);
    --Scheduled(pace);
    batch_starts_.insert(now);
    Batch batch = policy_.Take(pace);
    ScheduleWanted(std::move(lock));  // another connection may take the rest
    batch.requests = DropAbandoned(std::move(batch.requests), now);
    if (batch_sizes_ != nullptr && !batch.requests.empty()) {
      batch_sizes_->Observe(static_cast<double>(batch.requests.size()));
    }
    return batch;
  }

  // Answers the requests whose callers have given up, and returns the others. None waits any more.
  std::vector<Request> DropAbandoned(std::vector<Request> requests, SteadyTime now) {
    std::vector<Request> wanted;
    wanted.reserve(requests.size());
    for (Request& request : requests) {
      request.ticket = {};
      if (absl::Status status = CheckCaller(request.context, now); status.ok()) {
        wanted.push_back(std::move(request));
      } else {
        std::move(request.done)(std::move(status));
      }
    }
    return wanted;
  }

  void FinishBatch(Batch batch, SteadyTime start, BatchAnswers<Answer> answers,
                   const absl::Status& status) {
    const bool one_by_one =
        batch.requests.size() > 1 && std::as_const(policy_).MayBeCausedByOne(status);
    std::vector<Request> again;
    for (size_t i = 0; i < batch.requests.size(); ++i) {
      if (!one_by_one && answers[i]) continue;
      Request& request = again.emplace_back(std::move(batch.requests[i]));
      request.ticket = executor_.admission().Readmit(request.account);
      request.alone |= one_by_one;
    }
    // The next batch starts before the callers of this one are answered.
    std::unique_lock lock(mutex_);
    batch_starts_.erase(batch_starts_.find(start));
    policy_.Release(batch, std::move(again), one_by_one);
    ScheduleWanted(std::move(lock));
    for (size_t i = 0; i < batch.requests.size(); ++i) {
      Callback<Answer>& done = batch.requests[i].done;  // empty if the request runs again
      if (done) std::move(done)(*std::move(answers[i]));
    }
  }

  // For a job that the executor ends before it begins: it ends itself, or the database hangs.
  void AnswerAll(Pace pace, const absl::Status& status) {
    {
      const std::lock_guard lock(mutex_);
      --Scheduled(pace);
    }
    RefuseWaiting(status);
  }

  Executor& executor_;
  metrics::Histogram* const batch_sizes_;
  std::mutex mutex_;
  Policy policy_;             // Guarded by mutex_, except for Run and MayBeCausedByOne.
  int scheduled_prompt_ = 0;  // Guarded by mutex_.
  int scheduled_any_ = 0;     // Guarded by mutex_.
  std::multiset<SteadyTime> batch_starts_;  // Of the batches being done. Guarded by mutex_.
};

}  // namespace content::postgres
