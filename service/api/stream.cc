#include "api/stream.h"

#include <grpcpp/alarm.h>
#include <grpcpp/server_context.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "api/call.h"
#include "api/status.h"
#include "content/errors.h"

namespace content::api {
namespace {

// One thing is under way at a time: the producer is asked, or a message is written. Only the alarm
// comes between: it may give up a write.
class ProducerStream final : public StreamReactor {
 public:
  ProducerStream(grpc::CallbackServerContext* context, Gate& gate, absl::Duration write_timeout)
      : context_(context), gate_(gate), write_timeout_(write_timeout) {}

  void Start(absl::StatusOr<std::unique_ptr<Producer>> producer) {
    if (!producer.ok()) return End(producer.status());
    producer_ = *std::move(producer);
    Pull();
  }

  void OnWriteDone(bool ok) override {
    {
      const std::lock_guard lock(mutex_);
      if (write_ == Write::kGivenUp) return;
      write_ = Write::kNone;
      buffer_.Clear();  // A stream that waits for its next chunk holds no message.
    }
    ok ? Proceed() : End(Cancelled());
  }

  void OnDone() override {
    {
      const std::lock_guard lock(mutex_);
      alarm_.reset();
    }
    Release();
  }

 private:
  enum class Write { kNone, kUnderWay, kGivenUp };

  void Pull() {
    CallContext call{.deadline = ToSteadyDeadline(context_->deadline()),
                     .cancelled = [context = context_] { return context->IsCancelled(); }};
    producer_->Next(std::move(call), [this](absl::StatusOr<Chunk> chunk) {
      if (!chunk.ok()) return End(chunk.status());
      chunk_ = *std::move(chunk);
      sent_ = 0;
      Proceed();
    });
  }

  void Proceed() {
    if (sent_ < chunk_.messages.size()) return WriteNext();
    chunk_.last ? End(absl::OkStatus()) : Pull();
  }

  void WriteNext() {
    const std::lock_guard lock(mutex_);
    const watch::Message message = std::move(chunk_.messages[sent_++]);
    const grpc::Slice slice = Share(message, message->size());
    buffer_ = grpc::ByteBuffer(&slice, 1);
    write_ = Write::kUnderWay;
    write_ends_ = SteadyNow() + write_timeout_;
    SetAlarm();
    StartWrite(&buffer_);
  }

  // The last thing that is done with the stream: gRPC may be done with it before this returns.
  void End(const absl::Status& status) {
    Gate& gate = gate_;
    producer_.reset();
    chunk_.messages.clear();
    Finish(ToGrpcStatus(status));
    gate.Leave();
  }

  // One alarm for many writes: it rings when the write for which it was set should have ended, and
  // is set again if another one is under way by then.
  void SetAlarm() {
    if (alarm_ || write_ends_ == SteadyTime::InfiniteFuture()) return;
    references_.fetch_add(1);
    alarm_.emplace();
    alarm_->Set(absl::ToChronoTime(absl::Now() + write_timeout_), [this](bool) {
      if (IsTooSlow()) End(WatcherTooSlow());
      Release();
    });
  }

  bool IsTooSlow() {
    const std::lock_guard lock(mutex_);
    alarm_.reset();
    if (write_ != Write::kUnderWay) return false;
    if (SteadyNow() >= write_ends_) {
      write_ = Write::kGivenUp;
      return true;
    }
    SetAlarm();
    return false;
  }

  // By gRPC, and by the alarm while it is set.
  void Release() {
    if (references_.fetch_sub(1) == 1) delete this;
  }

  grpc::CallbackServerContext* const context_;
  Gate& gate_;
  const absl::Duration write_timeout_;
  std::unique_ptr<Producer> producer_;
  Chunk chunk_;
  size_t sent_ = 0;
  grpc::ByteBuffer buffer_;
  std::atomic<int> references_ = 1;

  std::mutex mutex_;  // between the alarm and all else
  Write write_ = Write::kNone;
  SteadyTime write_ends_;
  std::optional<grpc::Alarm> alarm_;
};

class RefusedStream final : public StreamReactor {
 public:
  explicit RefusedStream(const absl::Status& status) { Finish(ToGrpcStatus(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

StreamReactor* NewStream(grpc::CallbackServerContext* context, Gate& gate,
                         absl::Duration write_timeout,
                         absl::FunctionRef<absl::StatusOr<std::unique_ptr<Producer>>()> open) {
  if (!gate.Enter()) return new RefusedStream(ServerStopping());
  auto* const stream = new ProducerStream(context, gate, write_timeout);
  stream->Start(open());
  return stream;
}

}  // namespace content::api
