#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "content/v1/article.pb.h"

// Web pages saved as text.
namespace content::importer {

/// Reads a page saved as text: a byline ("By ..."), a date ("Thursday, June 12, 2025"), then
/// paragraphs in hard-wrapped lines. Blank lines between paragraphs are optional; an item of a list
/// is a paragraph. `***` separates sections. The footer of a blog ("Posted by Ada at 10:00 AM", "No
/// comments:", "Post a Comment") ends the text. `content` is UTF-8 with LF line ends.
///
/// Returns an article with authors, publish_time (the date at 00:00 UTC) and a body in CommonMark
/// that renders to exactly the characters of the page. Such a page has no title.
///
/// INVALID_ARGUMENT, with a message that names the line, if there is no byline or date.
absl::StatusOr<v1::Article> ParseText(absl::string_view content);

}  // namespace content::importer
