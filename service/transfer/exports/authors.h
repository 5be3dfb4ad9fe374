#pragma once

#include <string>

#include "absl/strings/string_view.h"

// Who wrote a comment of an export.
namespace content::transfer {

/// Makes the id of an author, always the same, of the source, such as `disqus:harbour`, and
///
/// * of `key`, what the source knows the author by: whoever changes their name stays the same
///   author; or
/// * of the name, if there is no key or if it looks like an e-mail address. Not even a digest of an
///   address is kept: whoever knows the address could tell by it who has written under a name.
std::string AuthorId(absl::string_view source, absl::string_view name, absl::string_view key);

/// Returns the name under which readers see an author: on one line, without e-mail addresses, and
/// cut to what the rules allow. "Anonymous" if nothing is left, or if it is an IP address.
std::string AuthorName(absl::string_view name);

}  // namespace content::transfer
