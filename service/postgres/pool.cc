#include "postgres/pool.h"

#include <algorithm>
#include <optional>

#include "absl/cleanup/cleanup.h"
#include "absl/random/random.h"
#include "base/errors.h"
#include "postgres/connect_error.h"
#include "postgres/failure.h"
#include "postgres/server_error.h"
#include "telemetry/log.h"

namespace content::postgres {
namespace {

constexpr int kMaxCollisions = 3;
constexpr int kMaxLosses = 1;
// A late timer cancels one statement. More cancellations than this are deliberate.
constexpr int kMaxCancellations = 5;
constexpr absl::Duration kReconnectDelay = absl::Milliseconds(200);
// After a connection that has reached its lifetime could not be replaced.
constexpr absl::Duration kRenewalDelay = absl::Minutes(1);
constexpr double kLifetimeJitter = 0.1;
constexpr absl::Duration kConnectLogInterval = absl::Seconds(10);
constexpr absl::Duration kWatchInterval = absl::Seconds(1);

// A caller's thread runs jobs while they take less than kQuick, for kMaxTimeHere in all.
constexpr absl::Duration kQuick = absl::Milliseconds(1);
constexpr absl::Duration kMaxTimeHere = absl::Milliseconds(1);
// More calls than this are better served by a worker beside it.
constexpr size_t kMaxCallsBehindCaller = 1;
// After this time workers take over the jobs that wait behind it.
constexpr absl::Duration kSlow = absl::Milliseconds(2);
// After this time its connection is cut.
constexpr absl::Duration kMaxWaitHere = absl::Milliseconds(50);
// How often the watchdog checks a caller's thread, and for how long after it last ran a job.
constexpr absl::Duration kGuardInterval = absl::Milliseconds(10);
constexpr absl::Duration kGuardTime = absl::Seconds(1);

// A plan suits the sizes that its tables had when it was made, and a new database grows quickly. A
// plan for small tables joins by scanning them: 30 ms for 200,000 comments.
constexpr absl::Duration kPlanLifetime = absl::Seconds(5);
constexpr char kDiscardPlans[] = "DISCARD PLANS";

constexpr char kSelectBackend[] = "SELECT pg_catalog.pg_backend_pid()";

// A random time, so that colliding transactions do not collide again.
absl::Duration CollisionDelay(int collisions) {
  thread_local absl::BitGen random;
  return absl::Milliseconds(absl::Uniform(random, 1, 10 << collisions));
}

absl::Duration WithJitter(absl::Duration lifetime) {
  thread_local absl::BitGen random;
  return lifetime * absl::Uniform(random, 1 - kLifetimeJitter, 1.0);
}

const Breaker* BreakerToHeed(const Pool::Options& options) {
  return options.runs_probes ? nullptr : options.breaker;
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

// Used by one thread at a time, its own or one that borrowed it, except where a member says
// otherwise.
class Pool::Worker {
 public:
  Worker(const Options& options, Numbers& numbers, std::stop_token stop)
      : options_(options), numbers_(numbers), stop_(std::move(stop)) {}

  std::condition_variable wake;
  bool is_called = false;     // Set when there may be a job. Guarded by the pool's mutex_.
  bool is_preparing = false;  // May be about to connect. Guarded by the pool's mutex_.

  void Assign(QueuedJob queued) {
    job_ = std::move(queued.job);
    pace_ = queued.pace;
  }

  // Gives back a job that has not begun.
  QueuedJob Unassign() { return {std::move(job_), pace_}; }

  // Whether it has a job that is not done.
  bool has_job() const { return job_ != nullptr; }

  // The pace of its last job.
  Pace pace() const { return pace_; }

  // Whether the database answered the last attempt of its last job within kQuick.
  bool was_quick() const { return took_ < kQuick; }

  bool is_connected() const {
    return connection_ != nullptr && connection_->is_open() && !connection_->is_outdated();
  }

  // Connects, if its job has not begun and no connection is open. Returns false if the database has
  // no connection left for it.
  bool Prepare() {
    if (context_ || is_connected() || is_refused()) return true;
    Disconnect();
    return Connect(Now()) || !is_turned_away_;
  }

  // Whether its connection has reached its lifetime and has no successor. Thread-safe.
  bool MustRenew() {
    const std::lock_guard lock(mutex_);
    return Now() >= renew_at_ && connection_ != nullptr && !connection_->is_outdated() &&
           !successor_version_ && !is_refused();
  }

  // Opens a successor for its connection, which may be in use meanwhile. Only one thread may do so
  // at a time.
  void OpenSuccessor() {
    try {
      std::string version = OpenIn(successor_);
      const std::lock_guard lock(mutex_);
      successor_version_ = std::move(version);
    } catch (const std::exception& exception) {
      CountError(kConnectionException);
      log::Warning("database connection not renewed",
                   {{"pool", options_.name}, {"message", DescribeError(exception)}});
      const std::lock_guard lock(mutex_);
      renew_at_ = Now() + kRenewalDelay;
    }
  }

  // Thread-safe.
  bool HasSuccessor() {
    const std::lock_guard lock(mutex_);
    return successor_version_.has_value();
  }

  // Replaces its connection by the successor that was opened.
  void TakeSuccessor() {
    Take(successor_, successor_version_.value_or(""));
    const std::lock_guard lock(mutex_);
    successor_version_.reset();  // From now on, the next one may be opened in its place.
  }

  // Whether it has a connection, which may be broken. Thread-safe.
  bool HasConnection() {
    const std::lock_guard lock(mutex_);
    return !database_version_.empty();
  }

  // Begins its job on a caller's thread, where it neither sleeps nor connects. The job stays if it
  // could not be tried, or failed and should be tried again.
  void TryHere() { Try(/*may_connect=*/false); }

  void Complete() {
    while (has_job()) Try(/*may_connect=*/true);
  }

  // Thread-safe.
  void CutConnection() {
    const std::lock_guard lock(mutex_);
    if (connection_ == nullptr) return;
    connection_->ShutdownSocket();
    log::Warning("database is slow");
  }

  // Cuts a connection that hangs, or that leads to an old primary, which may hang. Thread-safe.
  void CutUselessConnection() {
    const std::lock_guard lock(mutex_);
    for (Connection* const connection :
         {connection_.get(), next_connection_.get(), successor_.get()}) {
      if (connection == nullptr) continue;
      if (connection->is_outdated()) {
        connection->ShutdownSocket();
      } else if (connection->ShutdownIfOverdue()) {
        log::Error("database connection cut", {});
      }
    }
  }

  // Returns the version of the connected database; empty if no connection is open. Thread-safe.
  std::string DatabaseVersion() {
    const std::lock_guard lock(mutex_);
    return database_version_;
  }

 private:
  SteadyTime Now() const { return options_.clock->Now(); }

  // Whether no job may begin, because the database hangs.
  bool is_refused() const {
    const Breaker* const breaker = BreakerToHeed(options_);
    return breaker != nullptr && breaker->is_open();
  }

  void Try(bool may_connect) {
    if (!context_) Begin();
    if (std::optional<absl::Status> outcome = Attempt(may_connect)) Finish(*std::move(outcome));
  }

  void Begin() {
    took_ = absl::InfiniteDuration();
    attempts_ = {};
    context_ = job_->Begin();
  }

  void Finish(absl::Status status) {
    job_->Finish(std::move(status));
    context_.reset();
    job_.reset();
  }

  // Returns the outcome of the job, or nullopt if it should be tried again.
  std::optional<absl::Status> Attempt(bool may_connect) {
    if (failure_) {
      absl::Status status = PrepareRetry(*std::exchange(failure_, std::nullopt));
      if (!status.ok()) return attempts_.Failed(std::move(status));
    }
    const SteadyTime now = Now();
    if (absl::Status status = CheckCaller(*context_, now); !status.ok()) {
      return attempts_.Failed(std::move(status));
    }
    if (is_refused()) return attempts_.Failed(DoesNotAnswer());
    limit_ = std::min(context_->deadline - now, options_.statement_timeout);
    Breaker::Question question(options_.breaker);
    try {
      // What began after a failover must not be answered by the old primary.
      if (connection_ == nullptr || connection_->is_outdated()) {
        if (!may_connect) return std::nullopt;
        Disconnect();
        if (!Connect(now)) return attempts_.Failed(StoreUnavailable());
      }
      if (absl::Status ready = SetUp(limit_, now); !ready.ok()) {
        question.NoteAnswer();  // It has told its schema.
        return attempts_.Failed(std::move(ready));
      }
      absl::Status status = job_->Run(*connection_, attempts_.in_doubt);
      question.NoteAnswer();
      took_ = Now() - now;
      numbers_.attempts.Observe(took_);
      // The session may be the cause: one that began while the database was read-only stays so.
      if (absl::IsUnavailable(status)) Disconnect();
      return status;
    } catch (const std::exception& exception) {
      if (connection_->is_open()) question.NoteAnswer();
      numbers_.attempts.Observe(Now() - now);
      failure_ = ToFailure(exception, connection_->is_open());
      if (!failure_->sqlstate.empty()) CountError(failure_->sqlstate);
      return std::nullopt;
    }
  }

  // Returns OK if the job should run again after this failure, otherwise its outcome. May sleep.
  absl::Status PrepareRetry(Failure failure) {
    switch (failure.kind) {
      case Failure::Kind::kFinal:
        return std::move(failure.status);
      case Failure::Kind::kContention:
        if (++attempts_.collisions > kMaxCollisions) return std::move(failure.status);
        options_.clock->SleepFor(CollisionDelay(attempts_.collisions), stop_);
        return absl::OkStatus();
      case Failure::Kind::kCancelled:
        // A statement that was cancelled before `limit_` had passed was not cancelled by this job's
        // timeout: it ran before that was set, or a timer of the previous job fired late.
        if (connection_->failed_after() >= limit_) return std::move(failure.status);
        if (++attempts_.cancellations > kMaxCancellations) return std::move(failure.status);
        return absl::OkStatus();
      case Failure::Kind::kReadOnly:
        // Each new session costs the database a process. So a new one is kept for a while.
        if (Now() - connected_at_ < kReconnectDelay) return std::move(failure.status);
        return PrepareRetryOnNewSession(std::move(failure));
      case Failure::Kind::kOutcomeUnknown:
        attempts_.in_doubt = true;
        [[fallthrough]];
      case Failure::Kind::kConnectionLost:
        return PrepareRetryOnNewSession(std::move(failure));
    }
    return std::move(failure.status);
  }

  absl::Status PrepareRetryOnNewSession(Failure failure) {
    Disconnect();
    return ++attempts_.losses > kMaxLosses ? std::move(failure.status) : absl::OkStatus();
  }

  // Makes connection_ ready for a job whose statements have this limit. Returns UNAVAILABLE if the
  // database has an unsuitable schema. May throw like the methods of Connection.
  absl::Status SetUp(absl::Duration limit, SteadyTime now) {
    connection_->SetStatementTimeout(limit, options_.statement_timeout);
    if (absl::Status status = CheckSchema(); !status.ok()) return status;
    if (now >= plans_until_) {
      CheckBackend();
      connection_->Run(kDiscardPlans);
      plans_until_ = now + kPlanLifetime;
    }
    return absl::OkStatus();
  }

  // Whoever migrates lets servers know first, and then looks for their sessions. So a new session
  // learns of it here, and an older one is found.
  absl::Status CheckSchema() {
    SchemaWatch* const schema = options_.schema;
    if (schema == nullptr || (has_suited_ && schema->is_suitable())) return absl::OkStatus();
    absl::Status status = schema->Look(*connection_);
    has_suited_ = status.ok();
    return status;
  }

  // Makes the next statement fail if another PostgreSQL process than before runs the session: a
  // pooler has changed its mode. New sessions are then refused (pooler.h).
  void CheckBackend() {
    const std::string backend(connection_->Read(kSelectBackend)[0][0].text());
    if (!backend_.empty() && backend != backend_) connection_->ShutdownSocket();
    backend_ = backend;
  }

  bool Connect(SteadyTime now) {
    if (now < next_connect_) return false;
    try {
      Take(next_connection_, OpenIn(next_connection_));
      is_turned_away_ = false;
      return true;
    } catch (const std::exception& exception) {
      CountError(kConnectionException);
      const auto* error = dynamic_cast<const ConnectError*>(&exception);
      is_turned_away_ = error != nullptr && error->is_turned_away();
      if (now >= next_log_) {
        log::Warning("database unreachable",
                     {{"pool", options_.name}, {"message", DescribeError(exception)}});
        next_log_ = now + kConnectLogInterval;
      }
      next_connect_ = Now() + kReconnectDelay;
      return false;
    }
  }

  // Opens a connection in `place`, where the watchdog sees it; it is empty again if that fails.
  // Returns the version of the database. Throws like the methods of Connection.
  std::string OpenIn(std::unique_ptr<Connection>& place) {
    Breaker::Question question(options_.breaker);
    std::string version;
    absl::Cleanup forget = [&] { Put(nullptr, place); };
    try {
      options_.database->TryHosts([&](const std::string& dsn) {
        Put(std::make_unique<Connection>(dsn, *options_.clock), place);
        version = place->PrepareSession(options_.database.get());
      });
    } catch (const ConnectError& error) {
      if (error.is_answer()) question.NoteAnswer();
      throw;
    }
    question.NoteAnswer();
    std::move(forget).Cancel();
    return version;
  }

  void Put(std::unique_ptr<Connection> connection, std::unique_ptr<Connection>& place) {
    const std::lock_guard lock(mutex_);
    place.swap(connection);
  }

  // Replaces its connection, if any, by the one that was opened in `place`.
  void Take(std::unique_ptr<Connection>& place, std::string version) {
    const SteadyTime now = Now();
    std::unique_ptr<Connection> old;
    {
      const std::lock_guard lock(mutex_);
      old = std::exchange(connection_, std::move(place));
      database_version_ = std::move(version);
      renew_at_ = now + WithJitter(options_.connection_lifetime);
    }
    connected_at_ = now;
    plans_until_ = now + kPlanLifetime;
    backend_.clear();
    has_suited_ = false;
  }

  void Disconnect() {
    std::unique_ptr<Connection> old;  // closed without the lock, because closing may take long
    const std::lock_guard lock(mutex_);
    old = std::move(connection_);
    database_version_.clear();
  }

  void CountError(absl::string_view sqlstate) { numbers_.errors.Add(ErrorClassOf(sqlstate)); }

  const Options& options_;
  Numbers& numbers_;
  const std::stop_token stop_;  // of the pool

  std::unique_ptr<Job> job_;
  Pace pace_ = Pace::kAny;
  std::optional<CallContext> context_;  // nullopt until the job has begun
  Attempts attempts_;
  std::optional<Failure> failure_;  // of the last attempt, if that is to be followed by another
  absl::Duration limit_;            // the time that each of its statements has
  absl::Duration took_;             // infinite if the last attempt was not answered

  bool is_turned_away_ = false;
  SteadyTime connected_at_ = SteadyTime::InfinitePast();
  SteadyTime next_connect_ = SteadyTime::InfinitePast();
  SteadyTime next_log_ = SteadyTime::InfinitePast();
  SteadyTime plans_until_ = SteadyTime::InfinitePast();
  bool has_suited_ = false;  // whether the schema suited when the connection last looked
  std::string backend_;      // the id of the connection's PostgreSQL process; empty if not known
  std::mutex mutex_;
  // Written with mutex_ held by the thread that uses the worker. Read by that thread without it,
  // and by others with mutex_ held.
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<Connection> next_connection_;         // The same, while it is being opened.
  std::string database_version_;                        // Guarded by mutex_.
  SteadyTime renew_at_ = SteadyTime::InfiniteFuture();  // Guarded by mutex_.
  // Written with mutex_ held: by the thread that opens it, then by the one that uses the worker.
  std::unique_ptr<Connection> successor_;
  // nullopt until the successor is open. Written with mutex_ held, like that.
  std::optional<std::string> successor_version_;
};

Pool::Pool(Options options)
    : options_(std::move(options)),
      admission_(options_.queue_limit, BreakerToHeed(options_), options_.memory) {
  for (int i = 0; i < options_.connections; ++i) {
    workers_.push_back(std::make_unique<Worker>(options_, numbers_, stop_.get_token()));
  }
  watchdog_ = std::jthread([this](const std::stop_token& stop) { Watch(stop); });
  for (const auto& worker : workers_) {
    threads_.emplace_back([this, &worker] { Serve(*worker); });
  }
  if (options_.connection_lifetime == absl::InfiniteDuration()) return;
  renewer_ = std::jthread([this](const std::stop_token& stop) { OpenSuccessors(stop); });
}

Pool::~Pool() {
  {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return borrowed_ == nullptr; });
    stop_.request_stop();
  }
  for (const auto& worker : workers_) worker->wake.notify_one();
  renewer_ = {};     // joins it
  threads_.clear();  // joins them
  // Callbacks may schedule more jobs, which are answered too.
  for (auto jobs = TakeQueuedJobs(); !jobs.empty(); jobs = TakeQueuedJobs()) {
    for (QueuedJob& queued : jobs) queued.job->Finish(StoreUnavailable());
  }
}

std::vector<Pool::QueuedJob> Pool::TakeQueuedJobs() {
  std::vector<QueuedJob> jobs;
  const std::lock_guard lock(mutex_);
  for (FairQueue<QueuedJob>* queue : {&any_queue_, &prompt_queue_}) {
    while (!queue->empty()) jobs.push_back(queue->Take());
  }
  return jobs;
}

void Pool::Schedule(std::unique_ptr<Job> job, Account account, Pace pace, bool may_run_here) {
  std::unique_lock lock(mutex_);
  const bool is_prompt = pace == Pace::kPrompt;
  const bool runs_here = may_run_here && is_prompt && MayRunHere();
  (is_prompt ? prompt_queue_ : any_queue_).Add(account, {std::move(job), pace});
  if (runs_here) return RunHere(std::move(lock));
  if (is_prompt && IsLeftToCaller()) return;
  if (is_prompt || MayBeginSlowJob()) {
    WakeIdleWorker();
  } else {
    WakeWorkerToConnect();
  }
}

void Pool::RefuseWaiting() {
  for (QueuedJob& queued : TakeQueuedJobs()) queued.job->Finish(DoesNotAnswer());
}

Pool::Stats Pool::GetStats() {
  Stats stats;
  stats.open_connections = OpenConnections();
  stats.waiting_calls = admission_.waiting();
  const std::lock_guard lock(mutex_);
  stats.busy_connections = busy_;
  stats.prompt_jobs = prompt_queue_.size();
  stats.other_jobs = any_queue_.size();
  return stats;
}

int Pool::OpenConnections() const {
  return static_cast<int>(std::count_if(workers_.begin(), workers_.end(), [](const auto& worker) {
    return worker->HasConnection();
  }));
}

bool Pool::MayOthersServe(const Worker& worker) const {
  if (!idle_.empty() && idle_.back()->is_connected()) return true;  // LeaveToOthers wakes it
  // The others look for a job when they have done theirs.
  return std::any_of(workers_.begin(), workers_.end(), [&](const auto& other) {
    const bool is_idle = std::find(idle_.begin(), idle_.end(), other.get()) != idle_.end();
    return other.get() != &worker && !is_idle && (other->is_preparing || other->HasConnection());
  });
}

std::string Pool::DatabaseVersion() {
  for (const auto& worker : workers_) {
    if (std::string version = worker->DatabaseVersion(); !version.empty()) return version;
  }
  return "";
}

// Connections that the database refuses are not there for prompt jobs. But one slow job may always
// run.
bool Pool::MayBeginSlowJob() const {
  if (options_.prompt_connections == 0 || busy_slow_ == 0) return true;
  return busy_slow_ < OpenConnections() - options_.prompt_connections;
}

bool Pool::NeedsConnection() const {
  return !any_queue_.empty() && !MayBeginSlowJob() &&
         busy_slow_ < options_.connections - options_.prompt_connections;
}

FairQueue<Pool::QueuedJob>* Pool::NextQueue() {
  const bool has_slow = !any_queue_.empty() && MayBeginSlowJob();
  if (prompt_queue_.empty()) return has_slow ? &any_queue_ : nullptr;
  // In turn, so that neither kind starves where no connection is reserved.
  return has_slow && last_pace_ == Pace::kPrompt ? &any_queue_ : &prompt_queue_;
}

void Pool::Assign(FairQueue<QueuedJob>& queue, Worker& worker) {
  worker.Assign(queue.Take());
  last_pace_ = worker.pace();
  ++busy_;
  if (worker.pace() == Pace::kAny) ++busy_slow_;
}

void Pool::NoteEnd(const Worker& worker) {
  --busy_;
  if (worker.pace() == Pace::kAny) {
    --busy_slow_;
  } else {
    is_quick_ = worker.was_quick();
  }
}

void Pool::Serve(Worker& worker) {
  std::unique_lock lock(mutex_);
  bool may_connect = true;  // without a job; once before it rests
  while (!stop_.stop_requested()) {
    if (Renew(lock, worker)) continue;
    if (FairQueue<QueuedJob>* const queue = NextQueue()) {
      Assign(*queue, worker);
    } else if (may_connect && !worker.is_connected() && NeedsConnection()) {
      Prepare(lock, worker);
      may_connect = false;
    } else {
      Rest(lock, worker);
      may_connect = true;
    }
    if (!worker.has_job()) continue;
    if (!Prepare(lock, worker) && MayOthersServe(worker)) {
      LeaveToOthers(worker);
      Rest(lock, worker);
      continue;
    }
    // If no worker can do the job, this one tells its callers that there is no connection.
    lock.unlock();
    worker.Complete();
    lock.lock();
    NoteEnd(worker);
  }
}

bool Pool::Prepare(std::unique_lock<std::mutex>& lock, Worker& worker) {
  if (worker.is_connected()) return true;
  worker.is_preparing = true;
  lock.unlock();
  const bool is_ready = worker.Prepare();
  lock.lock();
  worker.is_preparing = false;
  // More connections may allow more slow jobs.
  if (worker.is_connected()) WakeIdleWorkersForQueuedJobs();
  return is_ready;
}

bool Pool::Renew(std::unique_lock<std::mutex>& lock, Worker& worker) {
  if (worker.has_job() || !worker.HasSuccessor()) return false;
  lock.unlock();  // Closing the old connection may take long.
  worker.TakeSuccessor();
  lock.lock();
  return true;
}

// When it returns, a caller's thread may have left the worker a job.
void Pool::Rest(std::unique_lock<std::mutex>& lock, Worker& worker) {
  worker.is_called = false;
  AddIdle(worker);
  worker.wake.wait(lock, [&] { return worker.is_called || stop_.stop_requested(); });
}

void Pool::LeaveToOthers(Worker& worker) {
  QueuedJob queued = worker.Unassign();
  const bool is_prompt = queued.pace == Pace::kPrompt;
  --busy_;
  if (!is_prompt) --busy_slow_;
  (is_prompt ? prompt_queue_ : any_queue_).PutBack(std::move(queued));
  if (!idle_.empty() && idle_.back()->is_connected()) WakeIdleWorker();
}

void Pool::AddIdle(Worker& worker) {
  idle_.insert(worker.is_connected() ? idle_.end() : idle_.begin(), &worker);
}

void Pool::Wake(Worker& worker) {
  worker.is_called = true;
  worker.wake.notify_one();
}

void Pool::WakeIdleWorker() {
  if (idle_.empty()) return;
  Wake(*idle_.back());
  idle_.pop_back();
}

void Pool::WakeIdleWorkersForQueuedJobs() {
  const size_t slow_jobs = !any_queue_.empty() && MayBeginSlowJob() ? any_queue_.size() : 0;
  const size_t wanted = std::min(prompt_queue_.size() + slow_jobs, idle_.size());
  for (size_t i = 0; i < wanted; ++i) WakeIdleWorker();
  WakeWorkerToConnect();
}

void Pool::WakeWorkerToConnect() {
  if (idle_.empty() || idle_.front()->is_connected() || !NeedsConnection()) return;
  Wake(*idle_.front());
  idle_.erase(idle_.begin());
}

// Busy workers do so after their job, and borrowed ones when they are given back.
void Pool::WakeIdleWorkersToRenew() {
  const std::lock_guard lock(mutex_);
  std::erase_if(idle_, [this](Worker* worker) {
    if (!worker->HasSuccessor()) return false;
    Wake(*worker);
    return true;
  });
}

bool Pool::MayRunHere() const {
  const bool is_prompt_job_running = busy_ > busy_slow_;
  return is_quick_ && !is_prompt_job_running && prompt_queue_.empty() && !idle_.empty() &&
         idle_.back()->is_connected() && !stop_.stop_requested();
}

void Pool::RunHere(std::unique_lock<std::mutex> lock) {
  Worker& worker = *idle_.back();
  idle_.pop_back();
  const SteadyTime now = Now();
  if (now - borrowed_since_ >= kGuardTime) guard_wanted_.notify_one();
  borrowed_ = &worker;
  borrowed_since_ = now;
  do {
    Assign(prompt_queue_, worker);
    lock.unlock();
    worker.TryHere();
    lock.lock();
    if (!worker.has_job()) NoteEnd(worker);
  } while (MayGoOnHere());
  // WakeIdleWorkersToRenew has not found it if its successor was opened meanwhile.
  if (worker.has_job() || worker.HasSuccessor()) {
    Wake(worker);
  } else {
    AddIdle(worker);
  }
  WakeIdleWorkersForQueuedJobs();
  borrowed_ = nullptr;
  returned_.notify_all();
}

// If that takes too long, GuardCaller wakes a worker.
bool Pool::IsLeftToCaller() const {
  return borrowed_ != nullptr && admission_.waiting() <= kMaxCallsBehindCaller &&
         Now() - borrowed_since_ < kSlow;
}

bool Pool::MayGoOnHere() {
  return !borrowed_->has_job() && borrowed_->is_connected() && is_quick_ &&
         Now() - borrowed_since_ < kMaxTimeHere && NextQueue() == &prompt_queue_;
}

void Pool::Watch(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    AwaitTick(stop);
    GuardCaller();
    for (const auto& worker : workers_) worker->CutUselessConnection();
  }
}

// One after the other, so that the database never has many of them to begin at once.
void Pool::OpenSuccessors(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    options_.clock->SleepFor(kWatchInterval, stop);
    for (const auto& worker : workers_) {
      if (stop.stop_requested() || !worker->MustRenew()) continue;
      worker->OpenSuccessor();
      WakeIdleWorkersToRenew();
    }
  }
}

// Ticks are short while callers' threads run jobs. An idle pool wakes rarely.
void Pool::AwaitTick(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const SteadyTime now = Now();
  const auto must_guard = [this, now] { return now - borrowed_since_ < kGuardTime; };
  if (must_guard()) {
    options_.clock->WaitUntil(now + kGuardInterval, lock, guard_wanted_, stop,
                              [] { return false; });
  } else {
    options_.clock->WaitUntil(now + kWatchInterval, lock, guard_wanted_, stop, must_guard);
  }
}

void Pool::GuardCaller() {
  const std::lock_guard lock(mutex_);
  if (borrowed_ == nullptr) return;
  const absl::Duration waits = Now() - borrowed_since_;
  if (waits >= kSlow) WakeIdleWorkersForQueuedJobs();
  if (waits >= kMaxWaitHere) borrowed_->CutConnection();
}

}  // namespace content::postgres
