#pragma once

#include <grpcpp/impl/service_type.h>

#include <memory>

#include "content/store.h"

namespace content::api {

/// The services of content.v1 on a store, which must outlive them. Their methods are thread-safe
/// and do not block.
std::unique_ptr<grpc::Service> NewContentService(Store& store);
std::unique_ptr<grpc::Service> NewAdminService(Store& store);

}  // namespace content::api
