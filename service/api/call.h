#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "api/admission.h"
#include "api/answers_in_flight.h"
#include "api/calls_in_flight.h"
#include "api/deadline.h"
#include "api/decode.h"
#include "api/peer.h"
#include "api/status.h"
#include "base/call.h"
#include "base/errors.h"

namespace content::api {

/// Returns who makes the call of `context`, which is `caller`, and how long it waits. The result
/// must not be used after the call was answered.
inline CallContext ToCallContext(grpc::CallbackServerContext* context,
                                 std::shared_ptr<const Caller> caller) {
  return {.deadline = ToSteadyTime(context->raw_deadline()),
          .cancelled = [context] { return context->IsCancelled(); },
          .caller = std::move(caller),
          .account_of = [context] { return AccountOfPeer(context->peer()); }};
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

inline int64_t MemoryOf(const EncodedAnswer& answer) {
  size_t bytes = 0;
  for (const EncodedAnswer::Piece& piece : answer.pieces()) {
    bytes += piece.shared ? piece.size : piece.own.size();
  }
  return static_cast<int64_t>(bytes);
}

/// A unary call, from its arrival until its answer was sent. gRPC deletes it.
class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  UnaryCall(CallsInFlight& calls, AnswersInFlight& answers, grpc::CallbackServerContext* context)
      : calls_(calls), token_(calls.Add()), answer_(answers), context_(context) {}

  /// Gives the answer to gRPC, which takes `bytes` of memory. The object may be gone afterwards.
  void Answer(const grpc::Status& status, int64_t bytes) {
    answer_.Begin(context_->c_call(), bytes);
    // The token is destroyed after Finish. The server may then be destroyed.
    calls_.Answer([this, status, token = std::move(token_)] { Finish(status); });
  }

  void OnDone() override { delete this; }

  // OnDone is cheap, so it need not run on another thread.
  bool InternalInlineable() override { return true; }

 private:
  CallsInFlight& calls_;
  CallsInFlight::Token token_;
  AnswersInFlight::Answer answer_;
  grpc::CallbackServerContext* const context_;
};

/// Answers one unary call of `method`: admits the caller, parses the request, calls `handle` with a
/// CallContext, the Request and a Callback<Response>, and sends the answer that the callback
/// receives. `handle` must not block. Response is a message or an EncodedAnswer.
///
/// The call is one of `passage.calls` until it is answered, and its answer one of `passage.answers`
/// from then on. Every call is answered, whatever `handle` does (see Callback).
template <class Request, class Response, class Handle>
grpc::ServerUnaryReactor* AnswerCall(const Handle& handle, absl::string_view method,
                                     const Passage& passage, grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request_bytes,
                                     grpc::ByteBuffer* response_bytes) {
  auto* const call = new UnaryCall(passage.calls, passage.answers, context);
  Callback<Response> done = [call, context,
                             response_bytes](const absl::StatusOr<Response>& response) {
    int64_t bytes = 0;
    if (response.ok()) {
      *response_bytes = Encode(*response);
      bytes = MemoryOf(*response);
      AddMetadata(*response, *context);
    }
    call->Answer(ToGrpcStatus(response.status()), bytes);
  };
  Request request;
  absl::StatusOr<std::shared_ptr<const Caller>> caller = Admit(passage.gate, method, *context);
  if (!caller.ok()) {
    std::move(done)(caller.status());
  } else if (absl::Status status = Decode(*request_bytes, request); !status.ok()) {
    std::move(done)(std::move(status));
  } else {
    handle(ToCallContext(context, *std::move(caller)), std::move(request), std::move(done));
  }
  return call;
}

}  // namespace content::api
