#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/goaway.h"
#include "server/listening.h"
#include "server/port.h"
#include "server/server.h"
#include "telemetry/metrics.h"

namespace content::server {

/// An address with the services that clients reach there.
class Endpoint {
 public:
  struct Options {
    /// nullopt: plaintext, as always on unix sockets.
    std::optional<Tls> tls;
    /// Age at which connections are ended; zero: none.
    absl::Duration max_connection_age;
    /// Counts connections for which there was no file descriptor. Outlives the endpoint.
    metrics::Counter& refused;
  };

  /// Serves connections to `listening` until Shutdown. `quota` limits gRPC's memory for all
  /// endpoints that have it. It and `services` must outlive the endpoint. UNAVAILABLE if gRPC
  /// cannot serve, and has logged why.
  static absl::StatusOr<std::unique_ptr<Endpoint>> Start(
      const Options& options, const grpc::ResourceQuota& quota, Listening listening,
      const std::vector<grpc::Service*>& services);

  /// Use Start. `server` serves at `port`.
  Endpoint(std::unique_ptr<grpc::Server> server, std::unique_ptr<Port> port)
      : server_(std::move(server)), port_(std::move(port)) {}

  /// Stops listening. Who has connected is served. Call it once, before Leave.
  void StopListening();

  /// Tells clients to open connections elsewhere (GOAWAY). Calls go on.
  void Leave();

  /// Ends all connections, and cuts calls that are left at the deadline. Call it once, after Leave
  /// and before destruction.
  void Shutdown(gpr_timespec deadline);

 private:
  const std::unique_ptr<grpc::Server> server_;
  const std::unique_ptr<Port> port_;
  std::optional<Goaway> goaway_;
};

}  // namespace content::server
