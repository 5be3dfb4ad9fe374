#pragma once

#include <string>

#include "absl/strings/string_view.h"

// What the HTML of WordPress has that other HTML has not.
namespace content::transfer {

/// Returns the HTML of a post with what is within <pre> escaped where it is code that nobody has
/// escaped: all of it if the tag is one of highlighters, `<pre lang="php">`, and `<?` in any.
/// Otherwise tags of the code would be tags of the post, and "<?php ... ?>" would be nothing.
std::string WithEscapedCode(absl::string_view html);

/// Returns the HTML of a post with its footnotes: marks that lead nowhere become numbers, and the
/// notes come in the place of the block that shows them. `notes` is the JSON of the post's field
/// `footnotes`. Those without a mark in `html` are not read, because what they belong to may not be
/// for all readers.
std::string WithFootnotes(absl::string_view html, absl::string_view notes);

}  // namespace content::transfer
