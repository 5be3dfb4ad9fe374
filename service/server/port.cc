#include "server/port.h"

#include <utility>

namespace content::server {

absl::StatusOr<std::unique_ptr<Port>> Port::Open(
    const std::string& address, const std::shared_ptr<grpc::ServerCredentials>& credentials,
    grpc::ServerBuilder& builder) {
  absl::StatusOr<Listening> listening = Listen(address);
  if (!listening.ok()) return listening.status();
  using grpc::ServerBuilder;
  return std::make_unique<Port>(
      *std::move(listening),
      builder.experimental().AddExternalConnectionAcceptor(
          ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, credentials));
}

void Port::Start() {
  acceptor_.emplace(std::move(sockets_), [this](FileDescriptor connection, int listener) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
    parameters.listener_fd = listener;
    parameters.fd = connection.Release();
    grpc_->HandleNewConnection(&parameters);
  });
}

}  // namespace content::server
