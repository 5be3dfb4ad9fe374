#pragma once

#include <grpcpp/impl/service_type.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "access/gate.h"

namespace content::server {

/// Maximum number of reflection streams that may be open at a time, which connections share (see
/// Shares). Further ones get OVERLOADED.
inline constexpr int kMaxReflectionStreams = 100;

/// Maximum size of a reflection request. Longer ones get INVALID_ARGUMENT: they can only be
/// mistakes, and each is held in memory and sent back.
inline constexpr size_t kMaxReflectionRequestBytes = 4'096;

/// Server reflection, as grpc.reflection.v1 and as grpc.reflection.v1alpha. (gRPC 1.51 has only the
/// latter, with a thread for every open stream.) Lists `services`, which are full names, and
/// describes every file that the contract consists of, with its comments. `gate` must outlive the
/// services.
std::vector<std::unique_ptr<grpc::Service>> NewReflectionServices(std::vector<std::string> services,
                                                                  access::Gate& gate);

}  // namespace content::server
