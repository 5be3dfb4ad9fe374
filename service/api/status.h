#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace content::api {

/// Converts the status of a call. Its payloads, which are google.rpc messages, become the details
/// of a google.rpc.Status, ErrorInfo first (https://google.aip.dev/193).
///
/// An error without an ErrorInfo was not created by the functions in errors.h. It is logged, and
/// the caller gets INTERNAL.
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace content::api
