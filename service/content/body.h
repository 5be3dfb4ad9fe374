#pragma once

#include "absl/strings/string_view.h"
#include "content/v1/article.pb.h"

// What can be read off an article's text.
namespace content {

/// Paragraphs of a CommonMark text: the blocks of running text at top level, headings, lists,
/// quotes and code not counted.
int CountParagraphs(absl::string_view body);

/// Fills in the fields that follow from `article.body()`: sections and word_count.
///
/// A section begins at the start of the text, after a thematic break and at a heading, both at top
/// level; an empty one is not listed. Words are runs of non-space characters that hold a
/// letter or a digit. Anchors are unique in the article and change only when their heading or their
/// place does.
void DescribeBody(v1::Article& article);

}  // namespace content
