#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/call.h"
#include "base/clock.h"
#include "base/memory_guard.h"
#include "postgres/admission.h"
#include "postgres/breaker.h"
#include "postgres/connection.h"
#include "postgres/failure.h"
#include "postgres/job.h"
#include "postgres/known_database.h"
#include "postgres/schema_watch.h"
#include "postgres/turns.h"
#include "telemetry/metrics.h"

namespace content::postgres {

/// Connections to a database, each with a thread of its own. The threads take jobs from a bounded
/// queue:
///
///   auto database = std::make_shared<KnownDatabase>(*CompleteDsn(url));
///   Pool pool({.name = "reads", .database = database, .connections = 4});
///   pool.Read<int>(context, Pace::kPrompt,
///                  [](Connection& connection) -> absl::StatusOr<int> {
///                    return connection.Read("SELECT count(*) FROM city")[0][0].as<int>();
///                  },
///                  [](absl::StatusOr<int> count) { ... });
///
/// - Accounts take turns (turns.h), and prompt jobs take turns with others.
/// - A job does not run if its callers have given up by the time a connection is free.
/// - A job runs again, while its callers wait, if it lost its connection, collided with other
///   transactions, or had a statement cancelled before its timeout.
/// - A connection is replaced, when the next job needs it, if it is broken or outdated (the
///   database has failed over since), or if its job ended with UNAVAILABLE.
/// - A connection is cut if a statement runs for 5 s longer than its timeout, or if it is outdated.
/// - A connection that has reached its lifetime goes on until a new one is open, and is then
///   replaced between two jobs. New ones are opened one at a time. If one cannot be opened, that is
///   tried again after a minute.
/// - Exceptions of Connection end here: callers get an absl::Status (failure.h).
/// - If the database refuses some of the connections, the others do the work.
/// - Jobs do not run, and get UNAVAILABLE, while the schema does not suit (Options::schema), or
///   while the database hangs (Options::breaker). One that is already running goes on.
///
/// Of the connected threads, the one that became idle last gets the next job: its memory, and that
/// of its PostgreSQL process, is likely to be in the processor's cache.
///
/// If a call allows it (CallContext::may_run_here), the calling thread runs its prompt job itself
/// while no other prompt job runs or waits and the database answers within 1 ms. That saves waking
/// a thread. One thread at a time does so. It borrows an idle worker with an open connection,
/// continues for 1 ms with prompt jobs that arrive meanwhile, and leaves the rest to the workers.
/// It never connects, sleeps or tries twice: if the connection is outdated, or after an exception,
/// the worker's own thread continues the job. If a job turns out to be slow, workers take over
/// those that wait after 20 ms at most. After 50 ms its connection is cut, so a database that hangs
/// does not keep the thread.
///
/// Thread-safe. A job costs two allocations, two locks each of two mutexes and, if a thread is
/// idle, waking it.
class Pool {
 public:
  struct Options {
    /// Shown to operators.
    std::string name = {};
    std::shared_ptr<KnownDatabase> database = {};
    /// Each new session looks at the schema before its first job, and the sessions that are open
    /// heed what others have seen. Outlives the pool. nullptr: any schema will do.
    SchemaWatch* schema = nullptr;
    int connections = 1;
    /// Maximum number of calls that wait for a connection; further ones get RESOURCE_EXHAUSTED.
    size_t queue_limit = 1000;
    /// Maximum time of a statement, however long its caller waits.
    absl::Duration statement_timeout = absl::Seconds(10);
    /// Number of open connections reserved for prompt jobs, if at least one is left for the others.
    /// Must be less than `connections`.
    int prompt_connections = 0;
    /// Lifetime of a connection, of which up to a tenth is taken off by chance, so that connections
    /// that were opened together are not replaced together.
    absl::Duration connection_lifetime = absl::InfiniteDuration();
    /// Learns whether the database answers. Outlives the pool. nullptr: nobody does.
    Breaker* breaker = nullptr;
    /// While memory is short, calls are refused (Admission). Outlives the pool. nullptr: it is
    /// never short.
    const MemoryGuard* memory = nullptr;
    /// Whether jobs run even if the breaker is open: by them it learns when it may close.
    bool runs_probes = false;
    SteadyClock* clock = &SteadyClock::System();
  };

  using Connection = postgres::Connection;
  using Job = BasicJob<Connection>;

  explicit Pool(Options options);

  /// Waits for running jobs, and answers waiting ones with UNAVAILABLE. Their callbacks, but nobody
  /// else, may still call the pool, and get the same answer.
  ~Pool();

  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Runs `read(Connection&)` on a connection, possibly more than once, and calls `done` with its
  /// result (an absl::StatusOr<T>, or an absl::Status if T is void). `done` is called on a thread
  /// of the pool, on one that may run jobs or, if too many calls wait or the database hangs, at
  /// once on the calling thread with RESOURCE_EXHAUSTED or UNAVAILABLE.
  template <class T, class Function>
  void Read(CallContext context, Pace pace, Function read, Callback<T> done) {
    static_assert(std::is_invocable_v<Function&, Connection&>);
    auto function = [read = std::move(read)](Connection& connection, bool) mutable {
      return read(connection);
    };
    Submit(std::move(context), pace, std::move(function), std::move(done));
  }

  /// Does the same with `write(Connection&, bool in_doubt)`. If `in_doubt`, an earlier attempt may
  /// have been committed, and `write` must find out whether it was. If this cannot be determined,
  /// `done` is called with OUTCOME_UNKNOWN.
  template <class T, class Function>
  void Write(CallContext context, Pace pace, Function write, Callback<T> done) {
    static_assert(std::is_invocable_v<Function&, Connection&, bool>);
    Submit(std::move(context), pace, std::move(write), std::move(done));
  }

  /// Queues a job of `account`, whose calls have been admitted. Never refuses it. If
  /// `may_run_here`, the calling thread may run it, and others, if they are prompt.
  void Schedule(std::unique_ptr<Job> job, Account account, Pace pace, bool may_run_here);

  /// Answers all jobs that wait for a connection with UNAVAILABLE: the database hangs, and so may
  /// all threads that would take them.
  void RefuseWaiting();

  /// Limits the calls that wait for a connection of this pool.
  Admission& admission() { return admission_; }

  const SteadyClock& clock() const { return *options_.clock; }

  struct Stats {
    int open_connections = 0;
    int busy_connections = 0;
    size_t waiting_calls = 0;
    /// Jobs that wait for a connection. A batch of calls is one, which is prompt or not.
    size_t prompt_jobs = 0;
    size_t other_jobs = 0;
  };

  /// Returns how busy the pool is. Does not wait for the database.
  Stats GetStats();

  struct Numbers {
    /// How long attempts at jobs took, connecting included if they had to.
    metrics::Histogram attempts{metrics::kSeconds};
    /// Errors of the database, by their places in kErrorClasses.
    metrics::Counters<size_t, kErrorClasses.size()> errors;
  };

  const Numbers& numbers() const { return numbers_; }

  const Options& options() const { return options_; }

  /// Returns the version of the database; empty while no connection is open. Does not wait for the
  /// database.
  std::string DatabaseVersion();

 private:
  template <class T, class Function>
  class CallJob;

  struct QueuedJob {
    std::unique_ptr<Job> job;
    Pace pace;
  };

  // A thread with its connection; runs the jobs.
  class Worker;

  template <class T, class Function>
  void Submit(CallContext context, Pace pace, Function function, Callback<T> done);

  // Returns whether a free connection may take a job that is not prompt. Requires mutex_.
  bool MayBeginSlowJob() const;

  // Returns whether a job that is not prompt waits because too few connections are open. Requires
  // mutex_.
  bool NeedsConnection() const;

  int OpenConnections() const;

  // Returns the queue whose first job a free connection should take; nullptr if there is none.
  // Requires mutex_.
  FairQueue<QueuedJob>* NextQueue();

  // Gives `worker` the first job of `queue`. Requires mutex_.
  void Assign(FairQueue<QueuedJob>& queue, Worker& worker);
  // To be called when `worker` has done a job. Requires mutex_.
  void NoteEnd(const Worker& worker);

  // Returns whether a worker other than this one is connected or may soon be, and will look for a
  // job. Requires mutex_.
  bool MayOthersServe(const Worker& worker) const;

  void Serve(Worker& worker);
  // Connects the worker, without the lock, unless it is connected. Returns false if the database
  // has no connection left for it.
  bool Prepare(std::unique_lock<std::mutex>& lock, Worker& worker);
  // Replaces the worker's connection, without the lock, if its successor is open. Returns whether
  // it was.
  static bool Renew(std::unique_lock<std::mutex>& lock, Worker& worker);
  void Rest(std::unique_lock<std::mutex>& lock, Worker& worker);
  // Returns the job of a worker that cannot connect to its queue. Requires mutex_.
  void LeaveToOthers(Worker& worker);
  // Requires mutex_.
  void AddIdle(Worker& worker);

  // Each requires mutex_.
  void Wake(Worker& worker);
  void WakeIdleWorker();
  void WakeIdleWorkersForQueuedJobs();
  void WakeWorkerToConnect();
  void WakeIdleWorkersToRenew();

  // Whether the calling thread may run a prompt job. Requires mutex_.
  bool MayRunHere() const;
  // Runs prompt jobs on the calling thread, as a guest of an idle worker.
  void RunHere(std::unique_lock<std::mutex> lock);
  // Whether a new prompt job need not wake a worker, because a caller's thread is about to take it.
  // Requires mutex_.
  bool IsLeftToCaller() const;
  // Whether RunHere should take another job. Requires mutex_.
  bool MayGoOnHere();

  // The watchdog.
  void Watch(const std::stop_token& stop);
  void AwaitTick(const std::stop_token& stop);
  void GuardCaller();

  // Opens new connections for those that have reached their lifetime.
  void OpenSuccessors(const std::stop_token& stop);

  SteadyTime Now() const { return options_.clock->Now(); }
  std::vector<QueuedJob> TakeQueuedJobs();

  const Options options_;
  Numbers numbers_;
  Admission admission_;
  std::stop_source stop_;
  std::mutex mutex_;
  FairQueue<QueuedJob> any_queue_;     // Guarded by mutex_.
  FairQueue<QueuedJob> prompt_queue_;  // Guarded by mutex_.
  Pace last_pace_ = Pace::kPrompt;     // of the last job that was assigned. Guarded by mutex_.
  // Workers without a job, those with a connection last. The last one gets the next job. Guarded by
  // mutex_.
  std::vector<Worker*> idle_;
  bool is_quick_ = false;  // Whether the last prompt job was. Guarded by mutex_.
  // The worker whose connection a caller's thread uses, or nullptr. Guarded by mutex_.
  Worker* borrowed_ = nullptr;
  SteadyTime borrowed_since_ = SteadyTime::InfinitePast();  // Or was last. Guarded by mutex_.
  std::condition_variable returned_;  // Notified when borrowed_ becomes nullptr.
  std::condition_variable_any guard_wanted_;
  int busy_ = 0;       // Workers with a job. Guarded by mutex_.
  int busy_slow_ = 0;  // Workers with a job that is not prompt. Guarded by mutex_.
  std::vector<std::unique_ptr<Worker>> workers_;  // Constant after the constructor.
  // Must end after the workers' threads: without it, a worker whose connection hangs would never
  // end.
  std::jthread watchdog_;
  std::vector<std::jthread> threads_;
  std::jthread renewer_;  // if connections have a lifetime
};

// A call that waits in the pool's queue.
template <class T, class Function>
class Pool::CallJob final : public Job {
 public:
  CallJob(Admission::Ticket ticket, CallContext context, Function function, Callback<T> done)
      : ticket_(std::move(ticket)),
        context_(std::move(context)),
        function_(std::move(function)),
        done_(std::move(done)) {}

  CallContext Begin() override {
    ticket_ = {};
    return std::move(context_);
  }

  absl::Status Run(Connection& connection, bool in_doubt) override {
    answer_ = function_(connection, in_doubt);
    return StatusOf(answer_);
  }

  void Finish(absl::Status status) override {
    ticket_ = {};
    if (status.ok()) {
      std::move(done_)(std::move(answer_));
    } else {
      std::move(done_)(std::move(status));
    }
  }

 private:
  static absl::Status StatusOf(const absl::Status& status) { return status; }
  template <class Value>
  static absl::Status StatusOf(const absl::StatusOr<Value>& value) {
    return value.status();
  }

  Admission::Ticket ticket_;
  CallContext context_;
  Function function_;
  Callback<T> done_;
  typename Callback<T>::Answer answer_;
};

template <class T, class Function>
void Pool::Submit(CallContext context, Pace pace, Function function, Callback<T> done) {
  const Account account = context.account();
  absl::StatusOr<Admission::Ticket> ticket = admission_.Admit(account, context.confirms);
  if (!ticket.ok()) return std::move(done)(ticket.status());
  const bool may_run_here = context.may_run_here;
  Schedule(std::make_unique<CallJob<T, Function>>(*std::move(ticket), std::move(context),
                                                  std::move(function), std::move(done)),
           account, pace, may_run_here);
}

}  // namespace content::postgres
