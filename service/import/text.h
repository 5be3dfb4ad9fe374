#pragma once

#include "absl/strings/string_view.h"
#include "import/parsed_file.h"

// Web pages saved as text.
namespace content::importer {

/// Reads a page saved as text: a byline ("By ..."), a date ("Thursday, June 12, 2025"), then
/// paragraphs in hard-wrapped lines. Blank lines between paragraphs are optional; an item of a list
/// is a paragraph. `***` separates sections. The footer of a blog ("Posted by Ada at 10:00 AM", "No
/// comments:", "Post a Comment") ends the text. `content` is UTF-8 with LF line ends.
///
/// Returns an article with authors, publish_time (the date at 00:00 UTC) and a body in CommonMark
/// that renders to exactly the characters of the page. Such a page has no title. A missing byline
/// or date is a fault.
ParsedFile ParseText(absl::string_view content);

}  // namespace content::importer
