#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "api/calls_in_flight.h"
#include "api/deadline.h"
#include "api/decode.h"
#include "api/status.h"
#include "base/call.h"
#include "base/errors.h"

namespace content::api {

/// Returns how long the caller of `context` waits. The result must not be used after the call was
/// answered.
inline CallContext ToCallContext(grpc::CallbackServerContext* context) {
  return {.deadline = ToSteadyTime(context->raw_deadline()),
          .cancelled = [context] { return context->IsCancelled(); }};
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

/// Answers one unary call: parses the request, calls `handle` with a CallContext, the Request and a
/// Callback<Response>, and sends the answer that the callback receives. `handle` must not block.
/// Response is a message or an EncodedAnswer.
///
/// The call is one of `calls` until it is answered. Every call is answered, whatever `handle` does
/// (see Callback).
template <class Request, class Response, class Handle>
grpc::ServerUnaryReactor* AnswerCall(const Handle& handle, CallsInFlight& calls,
                                     grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request_bytes,
                                     grpc::ByteBuffer* response_bytes) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  Callback<Response> done = [reactor, context, response_bytes, &calls, token = calls.Add()](
                                const absl::StatusOr<Response>& response) mutable {
    if (response.ok()) {
      *response_bytes = Encode(*response);
      AddMetadata(*response, *context);
    }
    // The token is destroyed after Finish. The server may then be destroyed.
    calls.Answer([reactor, status = ToGrpcStatus(response.status()), token = std::move(token)] {
      reactor->Finish(status);
    });
  };
  Request request;
  if (absl::Status status = Decode(*request_bytes, request); !status.ok()) {
    std::move(done)(std::move(status));
  } else {
    handle(ToCallContext(context), std::move(request), std::move(done));
  }
  return reactor;
}

}  // namespace content::api
