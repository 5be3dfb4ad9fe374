#include "store/pool.h"

#include <algorithm>
#include <utility>

#include "absl/random/random.h"
#include "content/errors.h"
#include "store/failure.h"
#include "telemetry/log.h"

namespace content::store {
namespace {

constexpr int kContentionRetries = 3;
constexpr int kConnectionRetries = 1;
constexpr absl::Duration kReconnectPause = absl::Milliseconds(200);
constexpr absl::Duration kOverloadRetry = absl::Milliseconds(100);

absl::Status StillWanted(const CallContext& context) {
  if (context.cancelled && context.cancelled()) return Cancelled();
  if (absl::Now() >= context.deadline) return DeadlineExceeded();
  return absl::OkStatus();
}

// Colliding transactions are spread out, so that they do not collide again in step.
absl::Duration Jitter(int attempt) {
  thread_local absl::BitGen random;
  return absl::Milliseconds(absl::Uniform(random, 1, 10 << attempt));
}

}  // namespace

class Pool::Lane {
 public:
  explicit Lane(const Options& options) : options_(options) {}

  /// The open connection, its statements limited for this caller; nullptr if the database cannot be
  /// reached.
  Connection* Open(absl::Time deadline) {
    if (!connection_ && !Connect()) return nullptr;
    connection_->LimitStatements(std::min(deadline - absl::Now(), options_.statement_timeout));
    return connection_.get();
  }

  void Discard() { connection_.reset(); }

  bool broken() const { return connection_ && !connection_->is_open(); }

 private:
  bool Connect() {
    if (absl::Now() < next_try_) return false;
    try {
      connection_ = std::make_unique<Connection>(options_.url);
      return true;
    } catch (const std::exception& exception) {
      log::Warning("database unreachable", {{"message", absl::string_view(exception.what())}});
      next_try_ = absl::Now() + kReconnectPause;
      return false;
    }
  }

  const Options& options_;
  std::unique_ptr<Connection> connection_;
  absl::Time next_try_ = absl::InfinitePast();
};

Pool::Pool(Options options) : options_(std::move(options)) {
  for (int i = 0; i < options_.connections; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { Serve(stop); });
  }
}

Pool::~Pool() {
  for (std::jthread& thread : threads_) thread.request_stop();
  threads_.clear();
  for (Job& job : queue_) std::move(job.finish)(Cancelled());
}

void Pool::Run(CallContext context, Effect effect, Work work, Finish finish) {
  Job job{std::move(context), effect, std::move(work), std::move(finish)};
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() < options_.queue_limit) {
      queue_.push_back(std::move(job));
      wake_.notify_one();
      return;
    }
  }
  std::move(job.finish)(Overloaded(kOverloadRetry));
}

void Pool::Serve(const std::stop_token& stop) {
  Lane lane(options_);
  while (true) {
    std::unique_lock lock(mutex_);
    if (!wake_.wait(lock, stop, [this] { return !queue_.empty(); })) return;
    if (stop.stop_requested()) return;
    Job job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    absl::Status status = RunJob(lane, job);
    std::move(job.finish)(std::move(status));
  }
}

absl::Status Pool::RunJob(Lane& lane, Job& job) {
  int collisions = 0;
  int losses = 0;
  for (int attempt = 1;; ++attempt) {
    // A write that was cut off may have been committed: what ends it now cannot say "not done".
    const bool in_doubt = losses > 0 && job.effect == Effect::kWrite;
    if (absl::Status status = StillWanted(job.context); !status.ok()) {
      return in_doubt ? OutcomeUnknown() : status;
    }
    try {
      Connection* const connection = lane.Open(job.context.deadline);
      if (connection == nullptr) return in_doubt ? OutcomeUnknown() : StoreUnavailable();
      return job.work(*connection, attempt);
    } catch (const std::exception& exception) {
      Failure failure = Explain(exception);
      if (lane.broken()) failure = {Failure::Kind::kConnectionLost, StoreUnavailable()};
      switch (failure.kind) {
        case Failure::Kind::kFinal:
          return failure.status;
        case Failure::Kind::kContention:
          if (++collisions > kContentionRetries) return failure.status;
          absl::SleepFor(Jitter(collisions));
          break;
        case Failure::Kind::kConnectionLost:
          lane.Discard();
          if (++losses > kConnectionRetries) {
            return job.effect == Effect::kWrite ? OutcomeUnknown() : StoreUnavailable();
          }
          break;
      }
    }
  }
}

}  // namespace content::store
