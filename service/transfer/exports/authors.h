#pragma once

#include <string>

#include "absl/strings/string_view.h"

// Who wrote a comment of an export.
namespace content::transfer {

/// Makes the id of an author, always the same, of the source, such as `disqus:harbour`, and
///
/// * of `key`, what the source knows the author by: whoever changes their name stays the same
///   author; or
/// * of the name, if there is no key; or
/// * of the name and 12 bits of a digest of the key, if that is an e-mail address. They tell people
///   of one name apart, but not much more: of a list of a million addresses, some 250 have the same
///   bits, so nobody can find out an address by trying. Nothing else of it is kept.
std::string AuthorId(absl::string_view source, absl::string_view name, absl::string_view key);

/// Returns the name under which readers see an author: on one line, and cut to what the rules
/// allow. "Anonymous" if the name is empty, or is an e-mail address.
std::string AuthorName(absl::string_view name);

}  // namespace content::transfer
