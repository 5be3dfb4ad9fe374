#pragma once

#include "absl/strings/string_view.h"
#include "content/v1/article.pb.h"

// What follows from an article's text, which is CommonMark.
namespace content {

/// Number of paragraphs at top level. Headings, lists, quotes and code do not count.
int CountParagraphs(absl::string_view body);

/// Sets the fields that follow from `article.body()`: sections and word_count.
///
/// A section begins at the start of the text, and at top level after a thematic break and at a
/// heading. Empty sections are not listed. Words are those of CountWords. Anchors are unique in the
/// article, and change only with their heading or position.
void DescribeBody(v1::Article& article);

}  // namespace content
