#pragma once

#include <grpcpp/impl/service_type.h>

#include <memory>
#include <string>
#include <vector>

namespace content::server {

/// grpc.reflection.v1, which gRPC 1.51 lacks (it has v1alpha only). Describes everything linked
/// into the program, and lists `services`, which are full names.
std::unique_ptr<grpc::Service> NewReflectionService(std::vector<std::string> services);

}  // namespace content::server
