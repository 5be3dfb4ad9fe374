#pragma once

#include "absl/strings/string_view.h"
#include "transfer/parsed_file.h"

// Web pages and other texts saved as plain text.
namespace content::transfer {

/// Reads a page saved as text: title, byline ("By ...") and date ("Thursday, June 12, 2025") in any
/// order, then paragraphs in hard-wrapped lines (text/wrapped_text.h). The footer of a blog ends
/// the text (text/footer.h), and a note says where. If there is no byline, the author is who posted
/// the page as the footer says, and the tags are the footer's labels. `content` is UTF-8 with LF
/// line ends.
///
/// Returns an article with what the page says of these, publish_time at 00:00 UTC unless the date
/// has a time of day, and a body in CommonMark that renders to the words of the page.
ParsedFile ParseText(absl::string_view content);

}  // namespace content::transfer
