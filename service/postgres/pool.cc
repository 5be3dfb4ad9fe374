#include "postgres/pool.h"

#include <algorithm>
#include <iterator>

#include "absl/random/random.h"
#include "base/errors.h"
#include "postgres/failure.h"
#include "telemetry/log.h"

namespace content::postgres {
namespace {

constexpr int kMaxCollisions = 3;
constexpr int kMaxLosses = 1;
// A late timer cancels one statement. More cancellations than this are somebody's decision.
constexpr int kMaxCancellations = 5;
constexpr absl::Duration kReconnectDelay = absl::Milliseconds(200);
constexpr absl::Duration kLogInterval = absl::Seconds(10);
constexpr absl::Duration kWatchInterval = absl::Seconds(1);

// A plan suits the sizes that its tables had when it was made, and a new database grows quickly. A
// plan for small tables joins by scanning them: 30 ms for 200,000 comments.
constexpr absl::Duration kPlanLifetime = absl::Seconds(5);
constexpr char kDiscardPlans[] = "DISCARD PLANS";

// A random time, so that colliding transactions do not collide again.
absl::Duration CollisionDelay(int collisions) {
  thread_local absl::BitGen random;
  return absl::Milliseconds(absl::Uniform(random, 1, 10 << collisions));
}

// The failed attempts of a job.
struct Attempts {
  int collisions = 0;
  int losses = 0;
  int cancellations = 0;
  bool in_doubt = false;  // one of them may have been committed

  // Returns the final status of the job. It must not say "not done" if an attempt may have been
  // committed.
  absl::Status Failed(absl::Status status) const {
    return in_doubt ? OutcomeUnknown() : std::move(status);
  }
};

}  // namespace

// Used by its own thread only, except where a member says otherwise.
class Pool::Worker {
 public:
  Worker(const Options& options, std::stop_token stop)
      : options_(options), stop_(std::move(stop)) {}

  std::condition_variable wake;
  bool is_called = false;  // Set when there may be a job. Guarded by the pool's mutex_.

  void Do(Job& job) {
    const CallContext context = job.Begin();
    job.Finish(Run(job, context));
  }

  // Thread-safe.
  void CutConnectionIfHanging() {
    const std::lock_guard lock(mutex_);
    if (connection_ != nullptr && connection_->ShutdownIfOverdue()) {
      log::Error("database does not answer", {});
    }
  }

  // Returns the version of the connected database; empty if no connection is open. Thread-safe.
  std::string DatabaseVersion() {
    const std::lock_guard lock(mutex_);
    return database_version_;
  }

 private:
  SteadyTime Now() const { return options_.clock->Now(); }

  // Runs the job until it has a final outcome, and returns it.
  absl::Status Run(Job& job, const CallContext& context) {
    Attempts attempts;
    while (true) {
      const SteadyTime now = Now();
      if (absl::Status status = CheckCaller(context, now); !status.ok()) {
        return attempts.Failed(std::move(status));
      }
      const absl::Duration limit = std::min(context.deadline - now, options_.statement_timeout);
      try {
        if (!Open(limit, now)) return attempts.Failed(StoreUnavailable());
        return job.Run(*connection_, attempts.in_doubt);
      } catch (const std::exception& exception) {
        absl::Status status =
            PrepareRetry(ToFailure(exception, connection_->is_open()), limit, attempts);
        if (!status.ok()) return attempts.Failed(std::move(status));
      }
    }
  }

  // Returns OK if the job should run again after this failure, otherwise its outcome. `limit` is
  // the time that each of its statements had.
  absl::Status PrepareRetry(Failure failure, absl::Duration limit, Attempts& attempts) {
    switch (failure.kind) {
      case Failure::Kind::kFinal:
        return std::move(failure.status);
      case Failure::Kind::kContention:
        if (++attempts.collisions > kMaxCollisions) return std::move(failure.status);
        options_.clock->SleepFor(CollisionDelay(attempts.collisions), stop_);
        return absl::OkStatus();
      case Failure::Kind::kCancelled:
        // A statement that was cancelled before `limit` had passed was not cancelled by this job's
        // timeout: it ran before that was set, or a timer of the previous job fired late.
        if (connection_->failed_after() >= limit) return std::move(failure.status);
        if (++attempts.cancellations > kMaxCancellations) return std::move(failure.status);
        return absl::OkStatus();
      case Failure::Kind::kOutcomeUnknown:
        attempts.in_doubt = true;
        [[fallthrough]];
      case Failure::Kind::kConnectionLost:
        Replace(nullptr);
        if (++attempts.losses > kMaxLosses) return std::move(failure.status);
        return absl::OkStatus();
    }
    return std::move(failure.status);
  }

  // Makes connection_ ready for a job whose statements have this limit. Returns false if the
  // database cannot be reached. May throw like the methods of Connection.
  bool Open(absl::Duration limit, SteadyTime now) {
    if (connection_ == nullptr && !Connect(now)) return false;
    connection_->SetStatementTimeout(limit, options_.statement_timeout);
    if (now >= plans_until_) {
      connection_->Run(kDiscardPlans);
      plans_until_ = now + kPlanLifetime;
    }
    return true;
  }

  bool Connect(SteadyTime now) {
    if (now < next_connect_) return false;
    try {
      Replace(std::make_unique<Connection>(options_.dsn, *options_.clock));
      SetDatabaseVersion(connection_->PrepareSession());
      plans_until_ = now + kPlanLifetime;
      return true;
    } catch (const std::exception& exception) {
      Replace(nullptr);
      if (now >= next_log_) {
        log::Warning("database unreachable", {{"message", absl::string_view(exception.what())}});
        next_log_ = now + kLogInterval;
      }
      next_connect_ = Now() + kReconnectDelay;
      return false;
    }
  }

  void Replace(std::unique_ptr<Connection> connection) {
    {
      const std::lock_guard lock(mutex_);
      connection_.swap(connection);
      database_version_.clear();
    }
    // The old connection is closed here, without the lock, because closing may take long.
  }

  void SetDatabaseVersion(std::string version) {
    const std::lock_guard lock(mutex_);
    database_version_ = std::move(version);
  }

  const Options& options_;
  const std::stop_token stop_;  // of the pool
  SteadyTime next_connect_ = SteadyTime::InfinitePast();
  SteadyTime next_log_ = SteadyTime::InfinitePast();
  SteadyTime plans_until_ = SteadyTime::InfinitePast();
  std::mutex mutex_;
  // Written by the worker's thread with mutex_ held. Read by that thread without it, and by others
  // with mutex_ held.
  std::unique_ptr<Connection> connection_;
  std::string database_version_;  // Guarded by mutex_.
};

Pool::Pool(Options options) : options_(std::move(options)), admission_(options_.queue_limit) {
  for (int i = 0; i < options_.connections; ++i) {
    workers_.push_back(std::make_unique<Worker>(options_, stop_.get_token()));
  }
  watchdog_ = std::jthread([this](const std::stop_token& stop) { CutHangingConnections(stop); });
  for (const auto& worker : workers_) {
    threads_.emplace_back([this, &worker] { Serve(*worker); });
  }
}

Pool::~Pool() {
  {
    const std::lock_guard lock(mutex_);
    stop_.request_stop();
  }
  for (const auto& worker : workers_) worker->wake.notify_one();
  threads_.clear();  // joins them
  // Callbacks may schedule more jobs, which are answered too.
  for (auto jobs = TakeQueuedJobs(); !jobs.empty(); jobs = TakeQueuedJobs()) {
    for (QueuedJob& queued : jobs) queued.job->Finish(StoreUnavailable());
  }
}

std::vector<Pool::QueuedJob> Pool::TakeQueuedJobs() {
  std::vector<QueuedJob> jobs;
  const std::lock_guard lock(mutex_);
  for (std::deque<QueuedJob>* queue : {&any_queue_, &prompt_queue_}) {
    std::move(queue->begin(), queue->end(), std::back_inserter(jobs));
    queue->clear();
  }
  return jobs;
}

void Pool::Schedule(std::unique_ptr<Job> job, Pace pace) {
  const std::lock_guard lock(mutex_);
  std::deque<QueuedJob>& queue = pace == Pace::kPrompt ? prompt_queue_ : any_queue_;
  queue.push_back({std::move(job), pace, ++job_count_});
  if (idle_.empty() || (pace == Pace::kAny && !MayBeginSlowJob())) return;
  Worker& worker = *idle_.back();
  idle_.pop_back();
  worker.is_called = true;
  worker.wake.notify_one();
}

Pool::Stats Pool::GetStats() {
  Stats stats;
  stats.open_connections =
      static_cast<int>(std::count_if(workers_.begin(), workers_.end(), [](const auto& worker) {
        return !worker->DatabaseVersion().empty();
      }));
  stats.waiting_calls = admission_.waiting();
  const std::lock_guard lock(mutex_);
  stats.busy_connections = busy_;
  return stats;
}

std::string Pool::DatabaseVersion() {
  for (const auto& worker : workers_) {
    if (std::string version = worker->DatabaseVersion(); !version.empty()) return version;
  }
  return "";
}

bool Pool::MayBeginSlowJob() const {
  return busy_slow_ < options_.connections - options_.prompt_connections;
}

std::deque<Pool::QueuedJob>* Pool::NextQueue() {
  const bool has_slow = !any_queue_.empty() && MayBeginSlowJob();
  if (prompt_queue_.empty()) return has_slow ? &any_queue_ : nullptr;
  // In order of arrival, so that neither kind starves where no connection is reserved.
  const bool slow_is_next = has_slow && any_queue_.front().number < prompt_queue_.front().number;
  return slow_is_next ? &any_queue_ : &prompt_queue_;
}

void Pool::Serve(Worker& worker) {
  std::unique_lock lock(mutex_);
  while (!stop_.stop_requested()) {
    std::deque<QueuedJob>* const queue = NextQueue();
    if (queue == nullptr) {
      Rest(lock, worker);
      continue;
    }
    QueuedJob next = std::move(queue->front());
    queue->pop_front();
    const int slow = next.pace == Pace::kAny ? 1 : 0;
    ++busy_;
    busy_slow_ += slow;
    lock.unlock();
    worker.Do(*next.job);
    next.job.reset();
    lock.lock();
    --busy_;
    busy_slow_ -= slow;
  }
}

void Pool::Rest(std::unique_lock<std::mutex>& lock, Worker& worker) {
  worker.is_called = false;
  idle_.push_back(&worker);
  worker.wake.wait(lock, [&] { return worker.is_called || stop_.stop_requested(); });
}

void Pool::CutHangingConnections(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    options_.clock->SleepFor(kWatchInterval, stop);
    for (const auto& worker : workers_) worker->CutConnectionIfHanging();
  }
}

}  // namespace content::postgres
