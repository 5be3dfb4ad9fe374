#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "content/v1/article.pb.h"

// What the body of an article, a CommonMark text, consists of.
namespace content {

/// Returns the number of paragraphs in a body: its top-level blocks of running text, not
/// counting headings, lists, quotes and code.
int CountParagraphs(absl::string_view body);

/// Sets the fields that are derived from `article.body()`: sections and word_count.
///
/// A section begins at the start of the text, after a top-level thematic break, and at a top-level
/// heading. Empty sections are not listed. Words are those of CountWords in the text that a reader
/// sees, which includes that of HTML but not its tags, comments, scripts and styles. Anchors are
/// unique within the article. An anchor changes only if its heading or its position changes.
void DescribeBody(v1::Article& article);

/// A piece of HTML in a body, and what readers see in its place. The tag of a script or a style
/// includes what it hides.
struct Markup {
  /// Its bytes [begin, end) in the body.
  size_t begin;
  size_t end;
  /// The text that a character reference stands for; a space if it is a tag between words; empty if
  /// it is a comment or a tag that may stand within a word.
  std::string text;
};

/// Returns the HTML tags, comments and character references of a body, in order. In code, they are
/// text. Takes linear time.
std::vector<Markup> FindMarkup(absl::string_view body);

}  // namespace content
