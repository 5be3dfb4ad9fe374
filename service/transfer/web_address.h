#pragma once

#include <string>

#include "absl/strings/string_view.h"

// Which addresses of a page an article may keep.
namespace content::transfer {

/// Maximum length of an address, in bytes. Longer ones hold data.
inline constexpr size_t kMaxAddressBytes = 2'000;

/// Returns the address of a link as it may stand in an article: with a scheme that only leads
/// somewhere (http, https, mailto, tel), or relative. Characters that a browser ignores are
/// removed, and those that have no place in an address are percent-encoded. Empty if the address
/// must not be kept, as with javascript: and data:, or if there is none.
std::string LinkAddress(absl::string_view text);

/// The same for the address of an image, which is relative or has the scheme http or https.
std::string ImageAddress(absl::string_view text);

/// Returns whether `address` is absolute, with the scheme http or https.
bool IsWebAddress(absl::string_view address);

}  // namespace content::transfer
