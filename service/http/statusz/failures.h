#pragma once

#include "absl/strings/string_view.h"
#include "http/statusz/numbers.h"

namespace content::statusz {

/// Whether a call that ended with this value of the label grpc_code has failed through no fault of
/// its caller. RESOURCE_EXHAUSTED is a refusal and no failure, as for the alerts.
bool IsFailure(absl::string_view grpc_code);

/// Returns the number of calls with these labels that have failed.
double FailureCount(const Numbers& numbers, Numbers::Labels labels);

}  // namespace content::statusz
