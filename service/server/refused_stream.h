#pragma once

#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>

namespace content::server {

/// A stream, with the interface of gRPC's `Reactor`, that ends at once with `status`. gRPC deletes
/// it.
template <class Reactor>
class RefusedStream final : public Reactor {
 public:
  explicit RefusedStream(const grpc::Status& status) { this->Finish(status); }

  void OnDone() override { delete this; }
};

}  // namespace content::server
