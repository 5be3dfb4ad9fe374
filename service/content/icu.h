#pragma once

#include <unicode/utypes.h>

#include <new>

#include "absl/strings/string_view.h"
#include "base/errors.h"

namespace content {

/// Throws std::bad_alloc if ICU had no memory. Ends the process if it failed otherwise, which can
/// only be because its data files are missing. `what` describes the failure.
inline void CheckIcu(UErrorCode error, absl::string_view what) {
  if (error == U_MEMORY_ALLOCATION_ERROR) throw std::bad_alloc();
  if (U_FAILURE(error)) FailInvariant(what);
}

}  // namespace content
