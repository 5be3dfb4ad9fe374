#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace content::transfer {

/// Returns the text of a post of WordPress without blocks that show what is in them to nobody, or
/// only to members or subscribers, and without all that follows a paywall. Adds a note for each.
/// Takes linear time.
std::string WithoutBlocksForMembers(absl::string_view text, std::vector<std::string>& notes);

/// Returns the text of a post of WordPress without shortcodes, for which `[gallery ids="1"]` is an
/// example: captions become those of figures, embedded things become links, code becomes code,
/// what is between tags that speak of members, passwords and the like goes, and of all others only
/// the text between their tags stays. Adds a note for each kind that is dropped. Words in brackets
/// that are no shortcodes stay, and so does what is in `<pre>` and `<code>`, unless it is for
/// members. Takes linear time.
std::string WithoutShortcodes(absl::string_view text, std::vector<std::string>& notes);

}  // namespace content::transfer
