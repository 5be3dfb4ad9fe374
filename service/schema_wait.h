#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace content {

/// Checks the schema of the database (store::CheckSchema), and again for up to `wait` while the
/// database cannot be reached and another attempt may succeed. Logs that it waits, and why.
absl::Status AwaitSchema(const std::string& url, absl::Duration wait);

}  // namespace content
