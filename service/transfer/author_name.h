#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "transfer/parsed_file.h"

// Names of authors as files and exports give them.
namespace content::transfer {

/// Returns a name without the e-mail addresses in it: "Ada" for "Ada <ada@mail.example>" and for
/// "ada@mail.example (Ada)". Addresses may be written with character references of HTML. Empty if
/// the name was nothing else.
std::string WithoutEmailAddresses(absl::string_view name);

/// Removes e-mail addresses from the names and ids of an article's authors, and authors of whom
/// nothing is left, and notes that. Who signs a text with an address does not publish it for good.
void RemoveEmailAddresses(ParsedFile& file);

}  // namespace content::transfer
