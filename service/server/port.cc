#include "server/port.h"

#include <sys/socket.h>

#include <utility>

namespace content::server {
namespace {

bool HasPeer(const FileDescriptor& connection) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  return getpeername(connection.number(), reinterpret_cast<sockaddr*>(&peer), &size) == 0;
}

}  // namespace

using grpc::ServerBuilder;

Port::Port(Listening listening, const std::shared_ptr<grpc::ServerCredentials>& credentials,
           ServerBuilder& builder)
    : file_(std::move(listening.file)),
      sockets_(std::move(listening.sockets)),
      grpc_(builder.experimental().AddExternalConnectionAcceptor(
          ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, credentials)) {}

void Port::Start(metrics::Counter& refused) {
  const auto take_over = [this](FileDescriptor connection, int listener) {
    // A client that has gone already is no error, which gRPC would log.
    if (!HasPeer(connection)) return;
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
    parameters.listener_fd = listener;
    parameters.fd = connection.Release();
    grpc_->HandleNewConnection(&parameters);
  };
  acceptor_.emplace(std::move(sockets_), take_over, &refused);
}

}  // namespace content::server
