#pragma once

#include <string>

#include "absl/strings/string_view.h"

// The HTML of comments.
namespace content::transfer {

/// Returns the text of `html`, any UTF-8, as plain text: a blank line between paragraphs, a line
/// feed for <br>, "- " or a number before the items of lists, "> " before the lines of quotes.
/// A link or an image to the web is followed by its address in parentheses, unless its text is the
/// address. As in HTML, line breaks of the source are spaces.
///
/// What readers do not see goes: scripts, styles, forms, trackers, control characters. Empty if
/// there is nothing to read. Takes linear time.
std::string HtmlToPlainText(absl::string_view html);

}  // namespace content::transfer
