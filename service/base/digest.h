#pragma once

#include <initializer_list>
#include <string>

#include "absl/strings/string_view.h"

namespace content {

/// Returns the SHA-256 (32 bytes) of a sequence of strings. Lengths are hashed too, so different
/// sequences never have the same input.
std::string Digest(std::initializer_list<absl::string_view> parts);

}  // namespace content
