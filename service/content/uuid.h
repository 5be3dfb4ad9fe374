#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace content {

/// The UUID of no object (RFC 9562, section 5.9).
inline constexpr absl::string_view kNilUuid = "00000000-0000-0000-0000-000000000000";

/// Returns whether `text` is a UUID in canonical form: lower-case hexadecimal, 8-4-4-4-12.
bool IsUuid(absl::string_view text);

/// Returns a new UUID of version 7 (RFC 9562, section 5.7) for the time `now`. The ids made by one
/// process are strictly increasing; those of several processes sort by their clocks. Terminates the
/// process if the system cannot provide random bytes. Thread-safe.
std::string NewUuid(absl::Time now);

}  // namespace content
