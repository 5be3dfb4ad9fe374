#pragma once

#include <grpc/grpc.h>
#include <grpcpp/server.h>

namespace content::server {

/// Tells all clients to move to other connections, as grpc::Server::Shutdown does, which would also
/// wait for the calls. The server must be shut down before this object is destroyed.
class Goaway {
 public:
  explicit Goaway(grpc::Server& server) : queue_(grpc_completion_queue_create_for_next(nullptr)) {
    grpc_server_shutdown_and_notify(server.c_server(), queue_, nullptr);
  }

  ~Goaway() {
    grpc_completion_queue_next(queue_, gpr_inf_future(GPR_CLOCK_MONOTONIC), nullptr);
    grpc_completion_queue_shutdown(queue_);
    grpc_completion_queue_next(queue_, gpr_inf_future(GPR_CLOCK_MONOTONIC), nullptr);
    grpc_completion_queue_destroy(queue_);
  }

  Goaway(const Goaway&) = delete;
  Goaway& operator=(const Goaway&) = delete;

 private:
  grpc_completion_queue* const queue_;
};

}  // namespace content::server
