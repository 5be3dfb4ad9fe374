#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "access/gate.h"
#include "api/admission.h"
#include "api/calls_in_flight.h"
#include "api/decode.h"
#include "base/call.h"
#include "base/errors.h"
#include "watch/feed.h"

namespace content::api {

/// Some consecutive messages of a stream.
struct Chunk {
  std::vector<watch::Message> messages;
  /// Whether the stream ends after these messages.
  bool last = false;
};

/// Produces the messages of one stream.
class Producer {
 public:
  virtual ~Producer() = default;

  /// Answers with the next messages, at once or later, on any thread. Called again only after all
  /// messages of the previous answer were sent. `done` may destroy the producer.
  virtual void Next(CallContext call, Callback<Chunk> done) = 0;
};

/// Checks a request and returns the producer of its answer. The producer gets its data from
/// `Origin`, which outlives it.
template <class Origin, class Request>
using StreamHandler = absl::StatusOr<std::unique_ptr<Producer>> (*)(Origin& origin,
                                                                    const Request& request);

using StreamReactor = grpc::ServerWriteReactor<grpc::ByteBuffer>;

/// Answers one server-streaming call of `caller`: sends the messages of the producer that `open`
/// returns, one after the other. If the reader does not take a message within `write_timeout`, the
/// stream ends with WATCHER_TOO_SLOW after that message; until then it holds the rest of the chunk
/// in memory. The call is one of `calls`, unless that is nullptr, until its status has been passed
/// to gRPC.
StreamReactor* StartStream(grpc::CallbackServerContext* context,
                           std::shared_ptr<const Caller> caller, CallsInFlight* calls,
                           absl::Duration write_timeout,
                           absl::FunctionRef<absl::StatusOr<std::unique_ptr<Producer>>()> open);

/// Maximum size of the request of a stream: gRPC keeps it in memory as long as the stream.
inline constexpr size_t kMaxStreamRequestBytes = 16'384;

/// The same for a request in bytes, which is parsed and passed to `handler` once `gate` has
/// admitted the caller of `method`. INVALID_ARGUMENT if it is larger than kMaxStreamRequestBytes.
template <class Origin, class Request>
StreamReactor* StartStream(StreamHandler<Origin, Request> handler, Origin& origin,
                           access::Gate& gate, absl::string_view method, CallsInFlight* calls,
                           absl::Duration write_timeout, grpc::CallbackServerContext* context,
                           const grpc::ByteBuffer* request_bytes) {
  const absl::StatusOr<std::shared_ptr<const Caller>> caller = Admit(gate, method, *context);
  const auto open = [&]() -> absl::StatusOr<std::unique_ptr<Producer>> {
    if (!caller.ok()) return caller.status();
    if (request_bytes->Length() > kMaxStreamRequestBytes) {
      return RequestTooLarge(kMaxStreamRequestBytes);
    }
    Request request;
    if (absl::Status status = Decode(*request_bytes, request); !status.ok()) return status;
    return handler(origin, request);
  };
  return StartStream(context, caller.value_or(nullptr), calls, write_timeout, open);
}

}  // namespace content::api
