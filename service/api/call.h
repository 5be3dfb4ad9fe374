#pragma once

#include <grpcpp/support/server_callback.h>

#include <chrono>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "api/decode.h"
#include "api/gate.h"
#include "api/status.h"
#include "base/call.h"
#include "content/errors.h"

namespace content::api {

/// What an RPC does: checks the request, asks `Origin` (the store, the cache or both), and gives
/// the answer, a message or an EncodedAnswer, to `done`, exactly once, now or later and on whatever
/// thread. It must not block.
template <class Origin, class Request, class Response>
using Handler = void (*)(Origin& origin, CallContext call, Request request,
                         Callback<Response> done);

/// A call's deadline on the steady clock. gRPC's is a date; max() if the caller set none.
inline SteadyTime ToSteadyDeadline(std::chrono::system_clock::time_point deadline) {
  const bool is_set = deadline != std::chrono::system_clock::time_point::max();
  return is_set ? ToSteadyTime(absl::FromChrono(deadline)) : SteadyTime::InfiniteFuture();
}

/// Trailing metadata of an answer that may be older than the service promises, because the database
/// cannot be asked: how old, in seconds.
inline constexpr char kStaleAgeKey[] = "content-stale-seconds";

inline void AddMetadata(const google::protobuf::Message&, grpc::CallbackServerContext&) {}

inline void AddMetadata(const EncodedAnswer& answer, grpc::CallbackServerContext& context) {
  if (!answer.stale_age) return;
  context.AddTrailingMetadata(
      kStaleAgeKey,
      absl::StrCat(absl::ToInt64Seconds(absl::Ceil(*answer.stale_age, absl::Seconds(1)))));
}

/// One unary call between gRPC and what handles it: parses the request, has it handled, sends the
/// answer. `handle` takes a CallContext, a Request and a Callback<Response>; otherwise it is as a
/// Handler.
template <class Request, class Response, class Handle>
grpc::ServerUnaryReactor* AnswerWith(Handle handle, Gate& gate,
                                     grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request_bytes,
                                     grpc::ByteBuffer* response_bytes) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  if (!gate.Enter()) {
    reactor->Finish(ToGrpcStatus(ServerStopping()));
    return reactor;
  }
  Request request;
  if (absl::Status status = Decode(*request_bytes, request); !status.ok()) {
    reactor->Finish(ToGrpcStatus(status));
    gate.Leave();
    return reactor;
  }
  CallContext call{.deadline = ToSteadyDeadline(context->deadline()),
                   .cancelled = [context] { return context->IsCancelled(); }};
  handle(std::move(call), std::move(request),
         [reactor, context, response_bytes, &gate](absl::StatusOr<Response> response) {
           if (response.ok()) {
             *response_bytes = Encode(*response);
             AddMetadata(*response, *context);
           }
           reactor->Finish(ToGrpcStatus(response.status()));
           gate.Leave();
         });
  return reactor;
}

/// The same for a Handler.
template <class Origin, class Request, class Response>
grpc::ServerUnaryReactor* Answer(Handler<Origin, Request, Response> handler, Origin& origin,
                                 Gate& gate, grpc::CallbackServerContext* context,
                                 const grpc::ByteBuffer* request_bytes,
                                 grpc::ByteBuffer* response_bytes) {
  const auto handle = [handler, &origin](CallContext call, Request request,
                                         Callback<Response> done) {
    handler(origin, std::move(call), std::move(request), std::move(done));
  };
  return AnswerWith<Request, Response>(handle, gate, context, request_bytes, response_bytes);
}

}  // namespace content::api
