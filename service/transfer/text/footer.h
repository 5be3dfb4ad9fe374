#pragma once

#include <cstddef>
#include <string>
#include <vector>

// What blogs put below their articles.
namespace content::transfer {

struct TextFooter {
  /// The index of its first line; the number of lines if there is no footer.
  size_t begin;
  /// As "Posted by Ada at 10:00 AM" says; empty if nothing does.
  std::string author;
  /// As "Labels: tides, sea" or "Categories: Sea" and "Tags: tides" say.
  std::vector<std::string> tags;
};

/// Finds the footer of Blogger or WordPress in English, Portuguese, Spanish, German, French, Dutch,
/// Italian, Swedish, Norwegian, Danish, Finnish, Turkish, Russian, Polish, Czech, Japanese, Chinese
/// or Korean in a page saved as text, together with the comments that follow. A line that could
/// also be part of a text counts only where nothing but lines of a footer follows: up to one that
/// no text has or, if all are labels such as "Home", up to the end. A line that no text has counts
/// only beside another line of a footer if running text follows that is no comment.
TextFooter FindFooter(const std::vector<std::string>& lines);

}  // namespace content::transfer
