#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "access/methods.h"
#include "api/admission.h"
#include "api/answers_in_flight.h"
#include "api/call_record.h"
#include "api/calls_in_flight.h"
#include "api/deadline.h"
#include "api/decode.h"
#include "api/peer.h"
#include "api/status.h"
#include "base/call.h"
#include "base/clock.h"
#include "base/errors.h"

namespace content::api {

/// Returns who makes the call of `context`, which has just arrived, and how long that caller waits.
/// The result must not be used after the call was answered.
inline CallContext ToCallContext(grpc::CallbackServerContext* context, const CallRecord& record) {
  return {.deadline = ToSteadyTime(context->raw_deadline(), record.arrival),
          .cancelled = [context] { return context->IsCancelled(); },
          .caller = record.caller,
          .account_of = [context] { return AccountOfPeer(context->peer()); },
          .trace = record.trace};
}

/// Trailing metadata of an answer that may be older than promised because the database cannot be
/// queried: its age in whole seconds, rounded up.
inline constexpr char kStaleAgeKey[] = "content-stale-seconds";

inline void AddMetadata(const google::protobuf::Message&, grpc::CallbackServerContext&) {}

inline void AddMetadata(const EncodedAnswer& answer, grpc::CallbackServerContext& context) {
  if (!answer.stale_age) return;
  context.AddTrailingMetadata(
      kStaleAgeKey,
      absl::StrCat(absl::ToInt64Seconds(absl::Ceil(*answer.stale_age, absl::Seconds(1)))));
}

/// Returns the memory that gRPC holds until it has sent an answer. Bytes of the cache count too:
/// they may have left it, or never been in it.
inline int64_t MemoryOf(const google::protobuf::Message& response) {
  return static_cast<int64_t>(response.GetCachedSize());
}

inline int64_t MemoryOf(const EncodedAnswer& answer) { return static_cast<int64_t>(answer.size()); }

/// A unary call, from its arrival until its answer was sent. gRPC deletes it.
class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  /// What `passage` refers to must outlive the call. `request_bytes`: the size of its request.
  UnaryCall(const Passage& passage, size_t method, size_t request_bytes,
            grpc::CallbackServerContext* context)
      : calls_(passage.calls),
        recorder_(passage.recorder),
        token_(calls_.Add()),
        answer_(passage.answers),
        context_(context),
        record_(recorder_.Begin(method, request_bytes, *context)) {}

  /// Notes who calls.
  void SetCaller(std::shared_ptr<const Caller> caller) { record_.caller = std::move(caller); }

  const CallRecord& record() const { return record_; }

  /// Gives the answer to gRPC, whose message, if there is one, has `bytes`: they take as much
  /// memory until they are sent. The object may be gone afterwards.
  void Answer(absl::Status status, int64_t bytes) {
    status = Sendable(std::move(status));
    const SteadyTime now = SteadyNow();
    if (status.ok()) recorder_.CountSent(record_, static_cast<size_t>(bytes));
    recorder_.End(record_, status, now, *context_);
    answer_.Begin(context_->c_call(), bytes, now);
    // The token is destroyed after Finish. The server may then be destroyed.
    calls_.Answer([this, status = ToGrpcStatus(status), token = std::move(token_)] {  //
      Finish(status);
    });
  }

  void OnDone() override { delete this; }

  // OnDone is cheap, so it need not run on another thread.
  bool InternalInlineable() override { return true; }

 private:
  CallsInFlight& calls_;
  CallRecorder& recorder_;
  CallsInFlight::Token token_;
  AnswersInFlight::Answer answer_;
  grpc::CallbackServerContext* const context_;
  CallRecord record_;
};

/// Answers one unary call of `method`, a place in access::kMethods: admits the caller, parses the
/// request, calls `handle` with a CallContext, the Request and a Callback<Response>, and sends the
/// answer that the callback receives. `handle` must not block. Response is a message or an
/// EncodedAnswer.
///
/// The call is one of `passage.calls` until it is answered, and its answer one of `passage.answers`
/// from then on; `passage.recorder` has its record. Every call is answered, whatever `handle` does
/// (see Callback).
template <class Request, class Response, class Handle>
grpc::ServerUnaryReactor* AnswerCall(const Handle& handle, size_t method, const Passage& passage,
                                     grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request_bytes,
                                     grpc::ByteBuffer* response_bytes) {
  auto* const call = new UnaryCall(passage, method, request_bytes->Length(), context);
  Callback<Response> done = [call, context,
                             response_bytes](const absl::StatusOr<Response>& response) {
    int64_t bytes = 0;
    if (response.ok()) {
      grpc::ByteBuffer encoded = Encode(*response);
      response_bytes->Swap(&encoded);  // it cannot be moved
      bytes = MemoryOf(*response);
      AddMetadata(*response, *context);
    }
    call->Answer(response.status(), bytes);
  };
  Request request;
  absl::StatusOr<std::shared_ptr<const Caller>> caller =
      Admit(passage.gate, access::kMethods[method], *context);
  if (!caller.ok()) {
    std::move(done)(caller.status());
    return call;
  }
  call->SetCaller(*std::move(caller));
  if (absl::Status status = Decode(*request_bytes, request); !status.ok()) {
    std::move(done)(std::move(status));
  } else {
    handle(ToCallContext(context, call->record()), std::move(request), std::move(done));
  }
  return call;
}

}  // namespace content::api
