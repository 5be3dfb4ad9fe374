#pragma once

#include <initializer_list>
#include <string>

#include "absl/strings/string_view.h"

namespace content {

/// Returns the SHA-256 (32 bytes) of a sequence of strings. The lengths are hashed too, so {"ab",
/// "c"} and {"a", "bc"} have different digests.
std::string Digest(std::initializer_list<absl::string_view> parts);

}  // namespace content
