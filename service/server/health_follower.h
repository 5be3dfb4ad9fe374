#pragma once

#include <grpcpp/health_check_service_interface.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "content/store.h"

namespace content::server {

/// Keeps gRPC's health service in step with the store: every second it asks the store, and what the
/// store says is the health of the server and of each service.
class HealthFollower {
 public:
  /// All must outlive the follower.
  HealthFollower(Store& store, grpc::HealthCheckServiceInterface& health,
                 std::vector<std::string> services);

  /// Ends the watch and leaves everything NOT_SERVING.
  void Stop();

 private:
  void Follow(const std::stop_token& stop);
  bool Ask(const std::stop_token& stop);
  void Set(bool serving);

  Store& store_;
  grpc::HealthCheckServiceInterface& health_;
  const std::vector<std::string> services_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: it uses the rest
};

}  // namespace content::server
