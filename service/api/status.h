#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace content::api {

/// The one place where an absl::Status becomes a gRPC status. Its payloads, which are google.rpc
/// messages, become the details of a google.rpc.Status, ErrorInfo first
/// (https://google.aip.dev/193).
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace content::api
