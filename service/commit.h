#pragma once

#include "absl/strings/string_view.h"

namespace content {

/// Returns the commit that the program was built from; empty if that is not known.
absl::string_view Commit();

}  // namespace content
