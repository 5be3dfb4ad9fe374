#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace content {

/// Returns the contents of a file of settings, keys or certificates. Never blocks, whatever kind of
/// file the path leads to. The error is INVALID_ARGUMENT and names the file: it cannot be read, is
/// not a regular file, or is larger than 1 MiB.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path);

}  // namespace content
