#pragma once

#include <grpcpp/impl/service_type.h>

#include <memory>
#include <string>
#include <vector>

namespace content::server {

/// grpc.reflection.v1, which gRPC 1.51 does not have (it brings v1alpha only): the descriptors of
/// everything linked into the program. `services` are the full names that it lists.
std::unique_ptr<grpc::Service> NewReflectionService(std::vector<std::string> services);

}  // namespace content::server
