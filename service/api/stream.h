#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/decode.h"
#include "api/gate.h"
#include "content/store.h"
#include "watch/feed.h"

namespace content::api {

/// A part of what a stream sends.
struct Chunk {
  std::vector<watch::Message> messages;
  /// Nothing comes after it.
  bool last = false;
};

/// Where the messages of one stream come from.
class Producer {
 public:
  virtual ~Producer() = default;

  /// Answers with what is to be sent next, now or later and on whatever thread. Called again only
  /// when all of that has been taken by the reader's side. `done` may destroy the producer.
  virtual void Next(CallContext call, Callback<Chunk> done) = 0;
};

/// Checks a request and begins to answer it. `Origin` is what the messages come from: it outlives
/// the producer.
template <class Origin, class Request>
using StreamHandler = absl::StatusOr<std::unique_ptr<Producer>> (*)(Origin& origin,
                                                                    const Request& request);

using StreamReactor = grpc::ServerWriteReactor<grpc::ByteBuffer>;

/// One server-streaming call: sends what the producer that `open` gives has, piece by piece. A
/// reader that does not take a message within `write_timeout` finds WatcherTooSlow behind it; until
/// then it holds up no more than that message and the rest of its chunk. Goes through the gate, as
/// unary calls do: a stream has left when its status is given to gRPC.
StreamReactor* NewStream(grpc::CallbackServerContext* context, Gate& gate,
                         absl::Duration write_timeout,
                         absl::FunctionRef<absl::StatusOr<std::unique_ptr<Producer>>()> open);

/// The same, of a request in bytes.
template <class Origin, class Request>
StreamReactor* Stream(StreamHandler<Origin, Request> handler, Origin& origin, Gate& gate,
                      grpc::CallbackServerContext* context, const grpc::ByteBuffer* request_bytes,
                      absl::Duration write_timeout = absl::InfiniteDuration()) {
  const auto open = [&]() -> absl::StatusOr<std::unique_ptr<Producer>> {
    Request request;
    if (absl::Status status = Decode(*request_bytes, request); !status.ok()) return status;
    return handler(origin, request);
  };
  return NewStream(context, gate, write_timeout, open);
}

}  // namespace content::api
