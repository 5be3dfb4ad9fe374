#pragma once

#include <grpcpp/impl/service_type.h>

#include <memory>

#include "api/gate.h"
#include "content/store.h"

namespace content::api {

/// The services of content.v1 on a store. Every call goes through the gate. Store and gate must
/// outlive them. Their methods are thread-safe and do not block.
std::unique_ptr<grpc::Service> NewContentService(Store& store, Gate& gate);
std::unique_ptr<grpc::Service> NewAdminService(Store& store, Gate& gate);

}  // namespace content::api
