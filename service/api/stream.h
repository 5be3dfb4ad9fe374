#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "access/gate.h"
#include "access/methods.h"
#include "api/admission.h"
#include "api/call_record.h"
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

/// How streams of a method are answered.
struct StreamOptions {
  /// Gets the records of the calls.
  CallRecorder& recorder;
  /// The call is one of these until its status has been passed to gRPC. nullptr: it is not counted.
  CallsInFlight* calls;
  /// Maximum time for the reader to take a message. Otherwise the stream ends with WATCHER_TOO_SLOW
  /// after that message; until then it holds the rest of the chunk in memory.
  absl::Duration write_timeout;
};

/// Answers one server-streaming call, which has begun with `record`: sends the messages of the
/// producer that `open` returns, one after the other.
StreamReactor* StartStream(const StreamOptions& options, grpc::CallbackServerContext* context,
                           CallRecord record,
                           absl::FunctionRef<absl::StatusOr<std::unique_ptr<Producer>>()> open);

/// Maximum size of the request of a stream: gRPC keeps it in memory as long as the stream.
inline constexpr size_t kMaxStreamRequestBytes = 16'384;

/// The same for a request in bytes, which is parsed and passed to `handler` once `gate` has
/// admitted the caller of `method`, a place in access::kMethods. INVALID_ARGUMENT if it is larger
/// than kMaxStreamRequestBytes.
template <class Origin, class Request>
StreamReactor* StartStream(StreamHandler<Origin, Request> handler, Origin& origin,
                           access::Gate& gate, size_t method, const StreamOptions& options,
                           grpc::CallbackServerContext* context,
                           const grpc::ByteBuffer* request_bytes) {
  CallRecord record = options.recorder.Begin(method, request_bytes->Length());
  const absl::StatusOr<std::shared_ptr<const Caller>> caller =
      Admit(gate, access::kMethods[method], *context);
  record.caller = caller.value_or(nullptr);
  const auto open = [&]() -> absl::StatusOr<std::unique_ptr<Producer>> {
    if (!caller.ok()) return caller.status();
    if (request_bytes->Length() > kMaxStreamRequestBytes) {
      return RequestTooLarge(kMaxStreamRequestBytes);
    }
    Request request;
    if (absl::Status status = Decode(*request_bytes, request); !status.ok()) return status;
    return handler(origin, request);
  };
  return StartStream(options, context, std::move(record), open);
}

}  // namespace content::api
