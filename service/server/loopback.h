#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace content::server {

/// Returns whether only this machine can reach `listen` (`HOST:PORT`): whether every address of the
/// host is a loopback address. UNAVAILABLE if the host has no address.
absl::StatusOr<bool> IsLoopback(const std::string& listen);

}  // namespace content::server
