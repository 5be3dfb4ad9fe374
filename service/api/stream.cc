#include "api/stream.h"

#include <grpcpp/alarm.h>
#include <grpcpp/server_context.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <utility>

#include "api/call.h"
#include "api/deadline.h"
#include "api/status.h"
#include "base/errors.h"
#include "content/errors.h"

namespace content::api {
namespace {

// At any time, either the producer is working or a message is being written. Only the alarm runs
// concurrently: it may give up a write. Members that mutex_ does not guard belong to that one
// activity.
class ProducerStream final : public StreamReactor {
 public:
  ProducerStream(const StreamOptions& options, grpc::CallbackServerContext* context,
                 CallRecord record)
      : recorder_(options.recorder),
        record_(std::move(record)),
        call_(ToCallContext(context, record_)),
        write_timeout_(options.write_timeout) {
    if (options.calls != nullptr) token_ = options.calls->Add();
  }

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
    producer_->Next(call_, [this](absl::StatusOr<Chunk> chunk) {
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
    recorder_.CountSent(record_, message->size());
    const grpc::Slice slice = Share(message, message->size());
    buffer_ = grpc::ByteBuffer(&slice, 1);
    write_ = Write::kUnderWay;
    write_ends_ = SteadyNow() + write_timeout_;
    SetAlarm();
    StartWrite(&buffer_);
  }

  // The stream must not be accessed afterwards: gRPC may delete it before this returns. The token
  // is destroyed last, because the server may then be destroyed.
  void End(absl::Status status) {
    status = Sendable(std::move(status));
    recorder_.End(record_, status, SteadyNow());
    const std::optional<CallsInFlight::Token> token = std::move(token_);
    producer_.reset();
    chunk_.messages.clear();
    Finish(ToGrpcStatus(status));
  }

  // One alarm serves many writes. It fires when the write for which it was set should have ended,
  // and is set again if another write is under way by then. Requires mutex_.
  void SetAlarm() {
    if (alarm_ || write_ends_ == SteadyTime::InfiniteFuture()) return;
    references_.fetch_add(1);
    alarm_.emplace();
    alarm_->Set(DeadlineAfter(write_ends_ - SteadyNow()), [this](bool) {
      if (GiveUpSlowWrite()) End(WatcherTooSlow());
      Release();
    });
  }

  // Gives up the write under way if it has taken too long. Returns whether it did.
  bool GiveUpSlowWrite() {
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

  void Release() {
    if (references_.fetch_sub(1) == 1) delete this;
  }

  CallRecorder& recorder_;
  CallRecord record_;
  const CallContext call_;
  std::optional<CallsInFlight::Token> token_;
  const absl::Duration write_timeout_;
  std::unique_ptr<Producer> producer_;
  Chunk chunk_;
  size_t sent_ = 0;  // messages of chunk_
  grpc::ByteBuffer buffer_;
  std::atomic<int> references_ = 1;  // gRPC's, and the alarm's while it is set

  std::mutex mutex_;
  Write write_ = Write::kNone;        // Guarded by mutex_.
  SteadyTime write_ends_;             // Guarded by mutex_.
  std::optional<grpc::Alarm> alarm_;  // Guarded by mutex_.
};

}  // namespace

StreamReactor* StartStream(const StreamOptions& options, grpc::CallbackServerContext* context,
                           CallRecord record,
                           absl::FunctionRef<absl::StatusOr<std::unique_ptr<Producer>>()> open) {
  auto* const stream = new ProducerStream(options, context, std::move(record));
  stream->Start(open());
  return stream;
}

}  // namespace content::api
