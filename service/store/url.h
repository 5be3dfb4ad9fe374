#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace content::store {

/// What may be shown of a connection string (a URI or libpq keywords), as keywords: where the
/// database is and as whom it is used. What is not known to be harmless is left out, so of a string
/// that cannot be parsed everything.
std::string HarmlessPartOf(absl::string_view url);

}  // namespace content::store
