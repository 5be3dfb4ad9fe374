#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace content::transfer {

/// Returns the first words of a body, CommonMark, without its markup: a title for an article that
/// has none. Empty if there are no words.
std::string BeginningOf(absl::string_view body);

}  // namespace content::transfer
