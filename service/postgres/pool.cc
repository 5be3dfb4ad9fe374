#include "postgres/pool.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/random/random.h"
#include "absl/time/clock.h"
#include "base/errors.h"
#include "postgres/failure.h"
#include "telemetry/log.h"

namespace content::postgres {
namespace {

constexpr int kMaxCollisions = 3;
constexpr int kMaxLosses = 1;
constexpr absl::Duration kReconnectPause = absl::Milliseconds(200);
constexpr absl::Duration kComplaintInterval = absl::Seconds(10);
constexpr absl::Duration kOverloadRetry = absl::Milliseconds(100);

// PostgreSQL ends each statement at its timeout. A job that is on the connection for longer than
// this many together could take has a database that does not answer: most jobs have fewer, and
// those of the few that have more are quick.
constexpr int kMaxStatements = 10;
constexpr absl::Duration kHangGrace = absl::Seconds(5);
constexpr std::chrono::seconds kWatchInterval{1};

// A plan is made for tables as large as they are by then, and a new database grows quickly. Joining
// what was small with a few rows would scan it: 30 ms for 200,000 comments.
constexpr absl::Duration kPlanLife = absl::Seconds(5);
constexpr char kDiscardPlans[] = "DISCARD PLANS";

// Colliding transactions are spread out, so that they do not collide again in step.
absl::Duration Jitter(int attempt) {
  thread_local absl::BitGen random;
  return absl::Milliseconds(absl::Uniform(random, 1, 10 << attempt));
}

}  // namespace

class Pool::Worker {
 public:
  explicit Worker(const Options& options) : options_(options) {}

  // Under the pool's mutex: a lane that rests is called when there is a job.
  std::condition_variable_any wake;
  bool is_called = false;

  void Do(Job job) {
    SetBusySince(SteadyNow());
    absl::Status status = Run(std::move(job.begin)(), job.work);
    SetBusySince(SteadyTime::InfiniteFuture());
    std::move(job.finish)(std::move(status));
  }

  /// Cuts the connection if the job on it hangs. Called from another thread.
  void CutIfHanging() {
    const std::lock_guard lock(mutex_);
    if (connection_ == nullptr || SteadyNow() < hangs_after_) return;
    log::Error("database does not answer", {});
    connection_->ShutdownSocket();
    hangs_after_ = SteadyTime::InfiniteFuture();
  }

  /// When its job was given to it; InfiniteFuture if it has none. Called from another thread.
  SteadyTime BusySince() {
    const std::lock_guard lock(mutex_);
    return busy_since_;
  }

  /// Of the database that the open connection leads to; empty if none is open. Called from another
  /// thread.
  std::string DatabaseVersion() {
    const std::lock_guard lock(mutex_);
    return database_version_;
  }

 private:
  absl::Status Run(const CallContext& context, Work& work);

  // The open connection, its statements limited for this caller; nullptr if the database cannot be
  // reached.
  Connection* Open(SteadyTime deadline) {
    if (!connection_ && !Connect()) return nullptr;
    const absl::Duration limit = std::min(deadline - SteadyNow(), options_.statement_timeout);
    SetHangsAfter(SteadyNow() + kMaxStatements * std::max(limit, absl::ZeroDuration()) +
                  kHangGrace);
    connection_->SetStatementTimeout(limit, options_.statement_timeout);
    RenewPlans();
    return connection_.get();
  }

  bool Connect() {
    if (SteadyNow() < next_try_) return false;
    try {
      Replace(std::make_unique<Connection>(options_.url));
      SetHangsAfter(SteadyNow() + kHangGrace);
      SetDatabaseVersion(connection_->PrepareSession());
      plans_until_ = SteadyNow() + kPlanLife;
      return true;
    } catch (const std::exception& exception) {
      Discard();
      const SteadyTime now = SteadyNow();
      if (now >= next_complaint_) {
        log::Warning("database unreachable", {{"message", absl::string_view(exception.what())}});
        next_complaint_ = now + kComplaintInterval;
      }
      next_try_ = now + kReconnectPause;
      return false;
    }
  }

  void RenewPlans() {
    const SteadyTime now = SteadyNow();
    if (now < plans_until_) return;
    connection_->Run(kDiscardPlans);
    plans_until_ = now + kPlanLife;
  }

  void Replace(std::unique_ptr<Connection> connection) {
    const std::lock_guard lock(mutex_);
    connection_ = std::move(connection);
    database_version_.clear();
    hangs_after_ = SteadyTime::InfiniteFuture();
  }

  void Discard() { Replace(nullptr); }

  void SetHangsAfter(SteadyTime time) {
    const std::lock_guard lock(mutex_);
    hangs_after_ = time;
  }

  void SetBusySince(SteadyTime time) {
    const std::lock_guard lock(mutex_);
    busy_since_ = time;
  }

  void SetDatabaseVersion(std::string version) {
    const std::lock_guard lock(mutex_);
    database_version_ = std::move(version);
  }

  const Options& options_;
  SteadyTime next_try_ = SteadyTime::InfinitePast();
  SteadyTime next_complaint_ = SteadyTime::InfinitePast();
  SteadyTime plans_until_ = SteadyTime::InfinitePast();
  std::mutex mutex_;  // what the lane's own thread changes and another looks at
  std::unique_ptr<Connection> connection_;
  std::string database_version_;
  SteadyTime hangs_after_ = SteadyTime::InfiniteFuture();
  SteadyTime busy_since_ = SteadyTime::InfiniteFuture();
};

absl::Status Pool::Worker::Run(const CallContext& context, Work& work) {
  int collisions = 0;
  int losses = 0;
  bool in_doubt = false;  // an attempt may have been committed
  // So that nothing that ends the job later says "not done".
  const auto failed = [&in_doubt](absl::Status status) {
    return in_doubt ? OutcomeUnknown() : std::move(status);
  };
  while (true) {
    if (absl::Status status = CheckCaller(context); !status.ok()) return failed(status);
    try {
      Connection* const connection = Open(context.deadline);
      if (connection == nullptr) return failed(StoreUnavailable());
      absl::Status status = work(*connection, in_doubt);
      SetHangsAfter(SteadyTime::InfiniteFuture());
      return status;
    } catch (const std::exception& exception) {
      SetHangsAfter(SteadyTime::InfiniteFuture());
      Failure failure = Explain(exception);
      const bool broken = connection_ && !connection_->is_open();
      if (broken && failure.kind != Failure::Kind::kOutcomeUnknown) {
        failure = {Failure::Kind::kConnectionLost, StoreUnavailable()};
      }
      switch (failure.kind) {
        case Failure::Kind::kFinal:
          return failed(failure.status);
        case Failure::Kind::kContention:
          if (++collisions > kMaxCollisions) return failed(failure.status);
          absl::SleepFor(Jitter(collisions));
          break;
        case Failure::Kind::kOutcomeUnknown:
          in_doubt = true;
          [[fallthrough]];
        case Failure::Kind::kConnectionLost:
          Discard();
          if (++losses > kMaxLosses) return failed(failure.status);
          break;
      }
    }
  }
}

Pool::Pool(Options options) : options_(std::move(options)) {
  for (int i = 0; i < options_.connections; ++i) {
    lanes_.push_back(std::make_unique<Worker>(options_));
  }
  watch_ = std::jthread([this](const std::stop_token& stop) { Watch(stop); });
  for (const auto& lane : lanes_) {
    workers_.emplace_back([this, &lane](const std::stop_token& stop) { Serve(stop, *lane); });
  }
}

Pool::~Pool() {
  for (std::jthread& worker : workers_) worker.request_stop();
  workers_.clear();
  for (std::deque<Job>* queue : {&queue_, &prompt_queue_}) {
    for (Job& job : *queue) std::move(job.finish)(StoreUnavailable());
  }
}

void Pool::Run(CallContext context, Work work, Finish finish) {
  if (absl::Status status = Enter(); !status.ok()) return std::move(finish)(std::move(status));
  auto begin = [this, context = std::move(context)]() mutable {
    Leave(1);
    return std::move(context);
  };
  RunLater(std::move(begin), std::move(work), std::move(finish));
}

void Pool::RunLater(Begin begin, Work work, Finish finish, Pace pace) {
  const std::lock_guard lock(mutex_);
  std::deque<Job>& queue = pace == Pace::kPrompt ? prompt_queue_ : queue_;
  queue.push_back({std::move(begin), std::move(work), std::move(finish), pace});
  if (resting_.empty()) return;
  Worker& lane = *resting_.back();
  resting_.pop_back();
  lane.is_called = true;
  lane.wake.notify_one();
}

absl::Status Pool::Enter(size_t alike) {
  const bool fits = waiting_.fetch_add(1) < options_.queue_limit;
  if (fits && 2 * alike < options_.queue_limit) return absl::OkStatus();
  waiting_.fetch_sub(1);
  return Overloaded(kOverloadRetry);
}

void Pool::EnterAgain(size_t calls) { waiting_.fetch_add(calls); }

void Pool::Leave(size_t calls) { waiting_.fetch_sub(calls); }

Pool::Stats Pool::GetStats() {
  Stats stats;
  stats.open_connections = static_cast<int>(std::count_if(
      lanes_.begin(), lanes_.end(), [](auto& lane) { return !lane->DatabaseVersion().empty(); }));
  stats.waiting_calls = waiting_;
  const std::lock_guard lock(mutex_);
  stats.busy_connections = busy_;
  return stats;
}

SteadyTime Pool::OldestJobStart() {
  SteadyTime oldest = SteadyTime::InfiniteFuture();
  for (const auto& lane : lanes_) oldest = std::min(oldest, lane->BusySince());
  return oldest;
}

std::string Pool::DatabaseVersion() {
  for (const auto& lane : lanes_) {
    if (std::string version = lane->DatabaseVersion(); !version.empty()) return version;
  }
  return "";
}

std::deque<Pool::Job>* Pool::NextQueue() {
  const bool may_be_slow = busy_slowly_ < options_.connections - options_.prompt_connections;
  if (may_be_slow && !queue_.empty()) return &queue_;
  return prompt_queue_.empty() ? nullptr : &prompt_queue_;
}

void Pool::Serve(const std::stop_token& stop, Worker& lane) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    std::deque<Job>* const queue = NextQueue();
    if (queue == nullptr) {
      Rest(lock, stop, lane);
      continue;
    }
    Job job = std::move(queue->front());
    queue->pop_front();
    const int slow = job.pace == Pace::kAny ? 1 : 0;
    ++busy_;
    busy_slowly_ += slow;
    lock.unlock();
    lane.Do(std::move(job));
    lock.lock();
    --busy_;
    busy_slowly_ -= slow;
  }
}

void Pool::Rest(std::unique_lock<std::mutex>& lock, const std::stop_token& stop, Worker& lane) {
  lane.is_called = false;
  resting_.push_back(&lane);
  lane.wake.wait(lock, stop, [&lane] { return lane.is_called; });
}

void Pool::Watch(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::unique_lock lock(watch_mutex_);
    watch_wake_.wait_for(lock, stop, kWatchInterval, [] { return false; });
    for (const auto& lane : lanes_) lane->CutIfHanging();
  }
}

}  // namespace content::postgres
