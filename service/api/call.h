#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/decode.h"
#include "api/gate.h"
#include "api/status.h"
#include "content/errors.h"
#include "content/store.h"

namespace content::api {

/// What an RPC does: checks the request, asks the store, and gives the answer to `done`, exactly
/// once, now or later and on whatever thread. It must not block.
template <class Request, class Response>
using Handler = void (*)(Store& store, CallContext call, Request request, Callback<Response> done);

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
  CallContext call{.deadline = absl::FromChrono(context->deadline()),
                   .cancelled = [context] { return context->IsCancelled(); }};
  handle(std::move(call), std::move(request),
         [reactor, response_bytes, &gate](absl::StatusOr<Response> response) {
           if (response.ok()) *response_bytes = Encode(*response);
           reactor->Finish(ToGrpcStatus(response.status()));
           gate.Leave();
         });
  return reactor;
}

/// The same for a Handler.
template <class Request, class Response>
grpc::ServerUnaryReactor* Answer(Handler<Request, Response> handler, Store& store, Gate& gate,
                                 grpc::CallbackServerContext* context,
                                 const grpc::ByteBuffer* request_bytes,
                                 grpc::ByteBuffer* response_bytes) {
  const auto handle = [handler, &store](CallContext call, Request request,
                                        Callback<Response> done) {
    handler(store, std::move(call), std::move(request), std::move(done));
  };
  return AnswerWith<Request, Response>(handle, gate, context, request_bytes, response_bytes);
}

}  // namespace content::api
