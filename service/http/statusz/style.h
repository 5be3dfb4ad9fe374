#pragma once

#include "absl/strings/string_view.h"

namespace content::statusz {

/// Returns style.css.
absl::string_view Style();

}  // namespace content::statusz
