#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// Texts in encodings other than UTF-8.
namespace content::transfer {

/// Returns the encoding of a file: that of its byte order mark or, if it is a page of HTML that is
/// not in UTF-8, the one that the page declares. Empty if that is UTF-8, or if nothing tells.
std::string FindEncoding(absl::string_view content, bool is_html);

/// Returns the beginning of a file, which may end within a character: in UTF-8 if it has the byte
/// order mark of another encoding, and otherwise as it is.
std::string BeginningInUtf8(absl::string_view head);

/// Returns `content` in UTF-8. INVALID_ARGUMENT if the encoding is not known, or if the content is
/// not in it.
absl::StatusOr<std::string> Decode(absl::string_view content, const std::string& encoding);

}  // namespace content::transfer
