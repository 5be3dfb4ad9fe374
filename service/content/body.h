#pragma once

#include "absl/strings/string_view.h"
#include "content/v1/article.pb.h"

// What follows from the text of an article.
namespace content {

/// Number of paragraphs of a CommonMark text: the top-level blocks of running text, without
/// headings, lists, quotes and code.
int CountParagraphs(absl::string_view body);

/// Sets the fields that follow from `article.body()`: sections and word_count.
///
/// A section begins at the start of the text, after a top-level thematic break, and at a top-level
/// heading. Empty sections are not listed. A word is a run of non-space characters with a letter or
/// a digit. Anchors are unique in the article and change only with their heading or their place.
void DescribeBody(v1::Article& article);

}  // namespace content
