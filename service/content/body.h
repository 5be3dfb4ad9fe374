#pragma once

#include "absl/strings/string_view.h"
#include "content/v1/article.pb.h"

// Fields of an article that are derived from its text.
namespace content {

/// Returns the number of paragraphs in a CommonMark text: its top-level blocks of running text, not
/// counting headings, lists, quotes and code.
int CountParagraphs(absl::string_view body);

/// Sets the fields that are derived from `article.body()`: sections and word_count.
///
/// A section begins at the start of the text, after a top-level thematic break, and at a top-level
/// heading. Empty sections are not listed. Words are those of CountWords in the text that a reader
/// sees, which includes that of HTML but not its tags, comments, scripts and styles. Anchors are
/// unique within the article. An anchor changes only if its heading or its position changes.
void DescribeBody(v1::Article& article);

}  // namespace content
