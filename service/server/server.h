#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "access/gate.h"
#include "base/memory_guard.h"
#include "content/read_cache.h"
#include "content/store.h"
#include "content/v1/admin_service.pb.h"
#include "server/listening.h"
#include "server/open_connections.h"
#include "telemetry/call_log_options.h"
#include "tls/files.h"

namespace content::api {
class CallRecorder;
}  // namespace content::api

namespace content::server {

struct Tls {
  /// Valid at all times; gRPC reads them again when they change.
  tls::Paths files;
  /// Whether clients without a certificate are refused, if there is a client_ca_file.
  bool client_certificate_is_required = true;
};

/// Where clients reach the server.
struct Listeners {
  Listening main;
  /// Where operators do: all services are served here, and then only ContentService and health at
  /// `main`.
  std::optional<Listening> admin = std::nullopt;
};

/// Memory that gRPC may hold for all connections: requests that arrive slowly, answers that are
/// read slowly, and streams. Beyond it gRPC stops reading, then closes idle connections, then
/// cancels calls. The largest legitimate load is some 20,000 watches, 320 MiB.
inline constexpr int64_t kMaxGrpcBytes = int64_t{512} << 20;

struct Options {
  /// nullopt: plaintext, as always on unix sockets.
  std::optional<Tls> tls;
  /// Time for calls in flight to finish when the server stops.
  absl::Duration drain_timeout;
  /// Maximum time for a caller to take an answer, or one message of a stream; the call then ends.
  absl::Duration write_timeout = absl::Seconds(30);
  /// Age at which connections are ended; zero: none. Calls then have a minute to finish.
  absl::Duration max_connection_age = absl::Hours(1);
  /// What is written about calls of content.v1.
  CallLogOptions calls = {};
  /// The constant part of GetServerInfo's answer.
  v1::GetServerInfoResponse info;
};

/// What operators see of a server.
struct ServerState {
  /// Those among the files that were given.
  size_t connections = 0;
  /// Connections that were closed at once, because there was no file descriptor for them.
  uint64_t connections_refused = 0;
  size_t comment_watchers = 0;
  size_t article_watchers = 0;
};

/// The version of gRPC.
std::string GrpcVersion();

/// The gRPC server. Serves content.v1 from a store, health that follows the store's
/// (grpc.health.v1, for the server and for each service), reflection (v1 and v1alpha) and channelz.
class Server {
 public:
  /// Returns a server that serves connections to `listeners` until Stop. Its health is NOT_SERVING
  /// until the store has answered for the first time. `store`, `reads`, `gate` and `memory` must
  /// outlive the server. UNAVAILABLE if gRPC cannot serve, and has logged why.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const Options& options, Listeners listeners,
                                                       Store& store, ReadCache& reads,
                                                       access::Gate& gate,
                                                       const MemoryGuard& memory);

  virtual ~Server() = default;

  /// Sets health to NOT_SERVING for good, so that clients that check it go elsewhere. All calls are
  /// still served.
  virtual void LeaveRotation() = 0;

  /// Tells clients to open connections elsewhere (GOAWAY) and ends watches. Waits for calls in
  /// flight, and cancels those that are left after the drain timeout. Then cuts streams that never
  /// end by themselves, such as watches of health. Returns when no call is left. Must be called
  /// exactly once, after LeaveRotation and before destruction.
  virtual void Stop() = 0;

  /// Where calls begin and end. Thread-safe.
  virtual const api::CallRecorder& calls() const = 0;

  /// Whether LeaveRotation was called. Thread-safe.
  virtual bool is_draining() const = 0;

  /// `files`: those that the process has open, of which each takes about a microsecond.
  /// Thread-safe.
  virtual ServerState GetState(const OpenFiles& files) const = 0;
};

}  // namespace content::server
