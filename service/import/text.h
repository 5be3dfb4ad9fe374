#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "content/v1/article.pb.h"

// Pages saved as text.
namespace content::importer {

/// Reads a page saved as text: a byline ("By ..."), a date ("Thursday, June 12, 2025"), and the
/// text in hard-wrapped lines, with or without blank lines between its paragraphs, the items of
/// lists being paragraphs; `***` breaks sections; the blog's footer ("Posted by Ada at 10:00 AM",
/// "No comments:", "Post a Comment") ends it. `content` is UTF-8 with lines ended by LF.
///
/// The article has authors, publish_time (the date at 00:00 UTC) and body, a CommonMark text that
/// renders to the very characters of the page. The title is not part of such a page.
///
/// Errors: INVALID_ARGUMENT, naming the line.
absl::StatusOr<v1::Article> ParseText(absl::string_view content);

}  // namespace content::importer
