#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace content::api {

/// Returns the status that the caller of a call with this status gets: the same, unless it is an
/// error without an ErrorInfo. That was not created by the functions in errors.h; it is logged, and
/// the caller gets INTERNAL.
absl::Status Sendable(absl::Status status);

/// Converts a Sendable status. Its payloads, which are google.rpc messages, become the details of a
/// google.rpc.Status, ErrorInfo first (https://google.aip.dev/193).
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace content::api
