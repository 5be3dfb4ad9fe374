#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "server/acceptor.h"
#include "server/listening.h"

namespace content::server {

/// An address at which clients reach a gRPC server:
///
///   absl::StatusOr<std::unique_ptr<Port>> port = Port::Open(address, credentials, builder);
///   ...                     // the server is built and starts
///   (*port)->Start();
///   ...
///   (*port)->Close();       // before the server shuts down
class Port {
 public:
  /// Listens on `address` (see Listen). Connections wait until Start. `builder` builds the server
  /// to which they go.
  static absl::StatusOr<std::unique_ptr<Port>> Open(
      const std::string& address, const std::shared_ptr<grpc::ServerCredentials>& credentials,
      grpc::ServerBuilder& builder);

  /// Use Open.
  Port(Listening listening, std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> grpc)
      : address_(std::move(listening.address)),
        sockets_(std::move(listening.sockets)),
        grpc_(std::move(grpc)) {}

  /// The address, with the actual port.
  const std::string& address() const { return address_; }

  /// Passes all connections to the server, which must have started.
  void Start();

  /// Stops listening. Open connections go on.
  void Close() { acceptor_.reset(); }

 private:
  const std::string address_;
  std::vector<FileDescriptor> sockets_;  // until Start
  const std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> grpc_;
  std::optional<Acceptor> acceptor_;
};

}  // namespace content::server
