#pragma once

#include <string>

#include "absl/strings/string_view.h"

// Ids of articles that come from elsewhere.
namespace content::transfer {

/// Returns `text` with the bytes that %XX stand for.
std::string PercentDecoded(absl::string_view text);

/// Returns the id in a slug, a permalink or a URL: its last part that says something, without an
/// extension such as `.html`, in the form of an id (IsArticleId). Empty if there is none, or if the
/// text is a pattern with placeholders.
std::string IdFromAddress(absl::string_view address);

/// Makes an id of a name, with the ending, such as a language, if there is one. Empty if the name
/// has no usable character, or if the ending leaves no room for one.
std::string IdFromName(absl::string_view name, absl::string_view ending);

}  // namespace content::transfer
