#pragma once

#include <initializer_list>
#include <string>

#include "absl/strings/string_view.h"

namespace content {

/// SHA-256 (32 bytes) of a sequence of strings. Each is hashed with its length, so that no two
/// different sequences are hashed alike.
std::string Digest(std::initializer_list<absl::string_view> parts);

}  // namespace content
