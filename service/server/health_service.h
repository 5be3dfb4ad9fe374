#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "access/gate.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace content::server {

inline constexpr size_t kMaxHealthRequestBytes = 256;

/// Clients that follow health have one for each connection.
inline constexpr size_t kMaxHealthWatches = 10'000;

/// grpc.health.v1 for a server whose services, and the server as a whole (""), always have the same
/// status: SERVING or NOT_SERVING. Starts with NOT_SERVING, whereas gRPC's own health service
/// starts with SERVING. Thread-safe.
///
/// Requests over kMaxHealthRequestBytes get INVALID_ARGUMENT: gRPC keeps that of a watch in memory
/// as long as the watch, and all are mistakes. Watches beyond kMaxHealthWatches get
/// RESOURCE_EXHAUSTED.
class HealthService final : public grpc::health::v1::Health::CallbackService {
 public:
  using Request = grpc::health::v1::HealthCheckRequest;
  using Response = grpc::health::v1::HealthCheckResponse;

  /// `gate` must outlive the service.
  HealthService(const std::vector<std::string>& services, access::Gate& gate);

  /// Sets the status, and sends it to every open Watch.
  void SetServing(bool serving);

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context, const Request* request,
                                  Response* response) override;

  /// The stream ends only when the caller or the server ends it.
  grpc::ServerWriteReactor<Response>* Watch(grpc::CallbackServerContext* context,
                                            const Request* request) override;

 private:
  class Watcher;

  // Returns why the call of `method` is refused; OK if it is not.
  grpc::Status Admit(const char* method, const grpc::CallbackServerContext& context,
                     const Request& request) const;

  bool IsFull();

  Response::ServingStatus StatusOf(const std::string& service) const;

  std::set<std::string> services_;
  access::Gate& gate_;
  std::mutex mutex_;
  bool serving_ = false;         // Guarded by mutex_.
  std::set<Watcher*> watchers_;  // Guarded by mutex_. Each removes itself.
};

}  // namespace content::server
