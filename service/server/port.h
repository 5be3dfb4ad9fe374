#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <vector>

#include "server/acceptor.h"
#include "server/listening.h"
#include "telemetry/metrics.h"

namespace content::server {

/// An address at which clients reach a gRPC server:
///
///   Port port(*Listen(address), credentials, builder);
///   ...                     // the server is built and starts
///   port.Start();
///   ...
///   port.Close();           // before the server shuts down
class Port {
 public:
  /// Connections to the sockets of `listening` wait until Start. `builder` builds the server to
  /// which they go.
  Port(Listening listening, const std::shared_ptr<grpc::ServerCredentials>& credentials,
       grpc::ServerBuilder& builder);

  /// Passes all connections to the server, which must have started. `refused` counts those for
  /// which there was no file descriptor, and outlives the port.
  void Start(metrics::Counter& refused);

  /// Stops listening, after it has passed on who has connected. Open connections go on.
  void Close() { acceptor_.reset(); }

 private:
  const std::optional<SocketFile> file_;
  std::vector<FileDescriptor> sockets_;  // until Start
  const std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> grpc_;
  std::optional<Acceptor> acceptor_;
};

}  // namespace content::server
