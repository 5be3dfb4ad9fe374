#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "grpc/health/v1/health.grpc.pb.h"

namespace content::server {

/// grpc.health.v1 of a server whose services are either all SERVING or all NOT_SERVING, as is the
/// server as a whole (""). NOT_SERVING until SetServing(true); gRPC's own health service would
/// begin with SERVING. Thread-safe.
class HealthService final : public grpc::health::v1::Health::CallbackService {
 public:
  using Request = grpc::health::v1::HealthCheckRequest;
  using Response = grpc::health::v1::HealthCheckResponse;

  explicit HealthService(const std::vector<std::string>& services);

  /// Tells every open Watch, too.
  void SetServing(bool serving);

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context, const Request* request,
                                  Response* response) override;

  /// Ends only when its caller or the server ends it.
  grpc::ServerWriteReactor<Response>* Watch(grpc::CallbackServerContext* context,
                                            const Request* request) override;

 private:
  class Watcher;

  Response::ServingStatus StatusOf(const std::string& service) const;

  std::set<std::string> services_;
  std::mutex mutex_;
  bool serving_ = false;         // Guarded by mutex_.
  std::set<Watcher*> watchers_;  // Guarded by mutex_. Each removes itself.
};

}  // namespace content::server
